import { decodeEnd, moveEntry } from './central-directory.ts';
import { PackedEntries } from './packed-entries.ts';

/** Where entries that were written together lie in their segment. */
interface EntryPlace {
  /** Offset of the first entry, in bytes. */
  readonly offset: number;
  /** Length of all of the entries, in bytes. */
  readonly length: number;
}

/** The directory of a run of entries. Its offsets count from the run's start. */
interface EntryRun extends EntryPlace {
  readonly entries: PackedEntries;
  readonly count: number;
  /** The number of its first entry, counted over the whole segment. */
  readonly first: number;
}

/** Merges the directories of the runs of a segment's entries. */
export class SegmentDirectory {
  readonly #runs: EntryRun[] = [];
  /** Numbers of entries that the directory leaves out, counted over the whole segment. */
  readonly #dropped = new Set<number>();
  #last: string | undefined;
  #booked = 0;

  /** How many entries the directory will name. */
  get entries(): number {
    return this.#booked - this.#dropped.size;
  }

  /** Books the next entry, whose name no other has. @throws Error when a zip cannot hold it */
  book(name: string): void {
    if (!isEntryName(name))
      throw new Error(`${JSON.stringify(name)} cannot be the name of an entry in a zip archive`);
    this.#last = name;
    this.#booked += 1;
  }

  /** Leaves the entry booked last out; its name may be booked again. @throws Error when it is another one */
  drop(name: string): void {
    if (name !== this.#last) throw new Error(`The entry added last is ${this.#last}, not ${name}`);
    this.#dropped.add(this.#booked - 1);
    this.#last = undefined;
  }

  /**
   * Takes the directory, with its end records, of the entries booked since the run before.
   * @throws Error when it is not theirs
   */
  addRun(bytes: Buffer, place: EntryPlace): void {
    const { entries, size, offset } = decodeEnd(bytes, place.length + bytes.length);
    const before = this.#runs.at(-1);
    const first = before ? before.first + before.count : 0;
    if (offset !== place.length || entries !== this.#booked - first) {
      throw new Error(
        `archiver wrote a directory of ${entries} entries at ${offset}, expected at ${place.length}`,
      );
    }
    const packed = new PackedEntries();
    packed.add(bytes.subarray(0, size));
    packed.finish(entries);
    this.#runs.push({ ...place, entries: packed, count: entries, first });
  }

  /**
   * The entries, encoded for where they lie in the archive, piece by piece.
   *
   * @param segmentOffset where the segment begins in the archive, in bytes
   */
  *encode(segmentOffset: number): Generator<Buffer> {
    for (const run of this.#runs) {
      const named: Buffer[] = [];
      for (const [number, entry] of run.entries.decode()) {
        if (this.#dropped.has(run.first + number)) continue;
        named.push(moveEntry(entry, segmentOffset + run.offset + entry.offset));
      }
      yield Buffer.concat(named);
    }
  }
}

/** archiver silently changes names that are not plain relative paths: those cannot be entries. */
export function isEntryName(name: string): boolean {
  const plain = name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return plain && !/^\w+:|\\|\0/.test(name) && name.isWellFormed() && Buffer.byteLength(name) <= 0xffff;
}
