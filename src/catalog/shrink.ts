import { isCoreTable } from '../postgres/table-counts.ts';
import { formatBytes, formatCount } from '../util/format.ts';
import type { Entry, ShortReceipt } from './entries.ts';
import { acceptedShrink } from './proofs.ts';

/** What a backup has less of than the ones before it. */
export interface Shrink {
  /** `rows of res_partner`, `files`, `bytes of the archive`, `modules`. */
  readonly what: string;
  readonly now: number;
  /** The median of the backups before. */
  readonly before: number;
}

/** How many backups before one it is compared with, at most. */
const COMPARED = 7;
/** How many entries have to be known, so that so many sound ones are among them, unless nearly all have shrunk. */
export const SHRINK_WINDOW = 32;

/** Less than so many is no number that says something: a table of ten rows may well lose five. */
const FEW = { rows: 50, files: 50, bytes: 10 * 1024 ** 2, modules: 10 } as const;

/** Tables that are compared one by one; with more of them, as with `count-tables: all`, only Odoo's own core is. */
const EACH_TABLE = 100;

/**
 * Which verified backups have shrunk by more than so much against the median of the last ones before them. One that has
 * shrunk is no measure for later ones, unless somebody has accepted it: from then on it is the measure.
 *
 * @param mostPercent 100: none has
 */
export function shrunken(entries: readonly Entry[], mostPercent: number): Map<Entry, readonly Shrink[]> {
  const found = new Map<Entry, readonly Shrink[]>();
  let sound: ShortReceipt[] = [];
  const oldestFirst = entries.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  for (const entry of oldestFirst) {
    const { receipt, condition, doubt } = entry;
    if (!receipt || condition.kind !== 'verified' || doubt !== undefined) continue;
    const shrinks = shrinksOf(receipt, sound, mostPercent);
    if (shrinks.length > 0 && acceptedShrink(receipt) === undefined) found.set(entry, shrinks);
    else sound = [...(shrinks.length > 0 ? [] : sound.slice(1 - COMPARED)), receipt];
  }
  return found;
}

function shrinksOf(receipt: ShortReceipt, before: readonly ShortReceipt[], mostPercent: number): Shrink[] {
  const least = (value: number) => value * (1 - mostPercent / 100);
  return measuresOf(receipt).flatMap(({ what, now, few, of }) => {
    const values = before.flatMap((each) => of(each) ?? []);
    const middle = median(values);
    return middle !== undefined && middle >= few && now < least(middle)
      ? [{ what, now, before: middle }]
      : [];
  });
}

interface Measure {
  readonly what: string;
  readonly now: number;
  readonly few: number;
  /** The same of another backup; undefined: it cannot be compared. */
  of(other: ShortReceipt): number | undefined;
}

function measuresOf(receipt: ShortReceipt): Measure[] {
  const { counts, filestore, odoo, size } = receipt;
  const tables = Object.entries(counts);
  const compared = tables.length <= EACH_TABLE ? tables : tables.filter(([name]) => isCoreTable(name));
  return [
    ...compared.map(([name, now]) => ({
      what: `rows of ${name}`,
      now,
      few: FEW.rows,
      of: (other: ShortReceipt) => (Object.hasOwn(other.counts, name) ? other.counts[name] : undefined),
    })),
    ...(filestore
      ? [
          {
            what: 'files',
            now: filestore.files,
            few: FEW.files,
            of: (other: ShortReceipt) => other.filestore?.files,
          },
        ]
      : []),
    ...(odoo
      ? [
          {
            what: 'modules',
            now: odoo.modules,
            few: FEW.modules,
            of: (other: ShortReceipt) => other.odoo?.modules,
          },
        ]
      : []),
    {
      what: 'bytes of the archive',
      now: size,
      few: FEW.bytes,
      of: (other) => (isStoredAlike(other, receipt) ? other.size : undefined),
    },
  ];
}

/** Whether the sizes of two archives tell something: files of a sealed one are not packed. */
const isStoredAlike = (a: ShortReceipt, b: ShortReceipt): boolean =>
  a.format === b.format &&
  (a.filestore === null) === (b.filestore === null) &&
  (a.sealed === undefined) === (b.sealed === undefined);

/** undefined: there are none. */
function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 0 && low !== undefined && high !== undefined ? (low + high) / 2 : high;
}

/** Things that one line names. */
const NAMED = 4;

/** `12 rows of res_partner, where it was 4,031; 3 files, where it was 2,020` */
export function shrinkWords(shrinks: readonly Shrink[]): string {
  const worst = shrinks.toSorted((a, b) => a.now / a.before - b.now / b.before);
  const words = worst.slice(0, NAMED).map(({ what, now, before }) => {
    const [less, more] = what.startsWith('bytes')
      ? [formatBytes(now), formatBytes(Math.round(before))]
      : [formatCount(now), formatCount(Math.round(before))];
    return `${what}: ${less} instead of ${more}`;
  });
  const more = worst.length - words.length;
  return `${words.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Which backups have shrunk, for a list: the newest few. */
export function shrinkNotes(entries: readonly Entry[], mostPercent: number): string[] {
  const found = [...shrunken(entries, mostPercent)].toReversed();
  const notes = found
    .slice(0, NAMED)
    .map(
      ([{ key }, shrinks]) =>
        `⚠️ ${key} has shrunk by more than ${mostPercent} percent: ${shrinkWords(shrinks)}.`,
    );
  const more = found.length - notes.length;
  return more > 0 ? [...notes, `And ${more} more have.`] : notes;
}
