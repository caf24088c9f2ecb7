import { BitSet } from '../util/bit-set.ts';
import { Turns } from '../util/turns.ts';
import { type DirectoryEntry, damaged, moveEntry } from './central-directory.ts';
import type { ArchiveDirectory } from './reader.ts';
import type { Segment, Unit } from './segment.ts';
import { SHORTEST_UNIT } from './units.ts';

/** A unit of the previous archive, and where its bytes begin in the new one. */
export interface CopiedUnit {
  readonly unit: Unit;
  /** Offset in the new archive, in bytes. */
  readonly offset: number;
}

/** What an archive takes over from the one before it: its first bytes. */
export interface Reuse {
  /** The copied units, in the order of both archives, without a gap in the new one. */
  readonly copies: readonly CopiedUnit[];
  /** Length of all copies in bytes. */
  readonly length: number;
  /** Bytes among them that belong to no entry of the new archive. */
  readonly unreferenced: number;
  /** Number of the new archive's entries among them. */
  readonly entries: number;
  /** These entries, as the new archive's directory has them. */
  directory(): Generator<Buffer>;
}

/**
 * Finds the units of an archive's filestore that hold an entry which the next archive is to have as it is. Units that
 * hold none are left out.
 *
 * @param wanted whether the next archive is to have this entry as it is
 * @param take is told each entry that is taken over
 * @throws ContentError when the directory does not fit the segments: another tool has written the archive; the reason of
 * the archive's signal
 */
export async function planReuse(
  { directory, entries, signal }: ArchiveDirectory,
  segments: readonly Segment[],
  wanted: (entry: DirectoryEntry) => boolean,
  take: (entry: DirectoryEntry) => void = () => {},
): Promise<Reuse> {
  const units = segments.flatMap(({ kind, units }) => (kind === 'filestore' ? units : []));
  const needed = new Set<Unit>();
  const taken = new BitSet(directory.entries);
  let referenced = 0;
  let [number, index] = [-1, 0];
  const turns = new Turns(signal);
  for (const { entry, end } of withEnds(entries(), segments)) {
    if (turns.isDue()) await turns.take();
    number += 1;
    while (units[index] && endOf(units[index] as Unit) <= entry.offset) index += 1;
    const within = unitsOf(units, index, entry.offset, end);
    if (within === undefined || !wanted(entry)) continue;
    for (const unit of within) needed.add(unit);
    taken.add(number);
    take(entry);
    referenced += end - entry.offset;
  }
  let length = 0;
  const copies: CopiedUnit[] = [];
  for (const unit of units) {
    if (!needed.has(unit)) continue;
    copies.push({ unit, offset: length });
    length += unit.length;
  }
  const unreferenced = length - referenced;
  const moved = () => moveEntries(entries(), copies, taken);
  return { copies, length, unreferenced, entries: taken.count, directory: moved };
}

const endOf = ({ offset, length }: Unit | Segment): number => offset + length;

/** Each entry, and where the bytes end that are its own: at the next one, or with its segment. */
function* withEnds(
  entries: Iterable<DirectoryEntry>,
  segments: readonly Segment[],
): Generator<{ entry: DirectoryEntry; end: number }> {
  let before: DirectoryEntry | undefined;
  let index = 0;
  const endBefore = (next: number): number => {
    let segment = segments[index];
    while (segment && endOf(segment) <= (before?.offset ?? 0)) segment = segments[++index];
    if (!segment) throw damaged('an entry lies in none of its segments');
    return Math.min(next, endOf(segment));
  };
  for (const entry of entries) {
    if (before && entry.offset <= before.offset)
      throw damaged('its entries are not in the order of their bytes');
    if (before) yield { entry: before, end: endBefore(entry.offset) };
    before = entry;
  }
  if (before) yield { entry: before, end: endBefore(Number.POSITIVE_INFINITY) };
}

/** The units, from number `first` on, that these bytes lie in. @returns undefined unless all of them can be copied */
function unitsOf(units: readonly Unit[], first: number, start: number, end: number): Unit[] | undefined {
  const found: Unit[] = [];
  for (let at = start, index = first; at < end; index += 1) {
    const unit = units[index];
    if (!unit || unit.offset > at || unit.length < SHORTEST_UNIT) return undefined;
    found.push(unit);
    at = endOf(unit);
  }
  return found;
}

function* moveEntries(
  entries: Iterable<DirectoryEntry>,
  copies: readonly CopiedUnit[],
  taken: BitSet,
): Generator<Buffer> {
  let [number, index] = [-1, 0];
  for (const entry of entries) {
    number += 1;
    if (!taken.has(number)) continue;
    let copy = copies[index];
    while (copy && endOf(copy.unit) <= entry.offset) copy = copies[++index];
    if (!copy) return;
    yield moveEntry(entry, copy.offset + entry.offset - copy.unit.offset);
  }
}
