import { decodeEnd, moveEntry } from './central-directory.ts';
import { PackedEntries } from './packed-entries.ts';

/** Where entries that were written together lie in their segment. */
interface EntryPlace {
  /** Offset of the first entry, in bytes. */
  readonly offset: number;
  /** Length of all of the entries, in bytes. */
  readonly length: number;
}

/** Entries that were written together, and so have a directory whose offsets count from the first one of them. */
interface EntryRun {
  /** Offset of the first entry, in bytes. */
  readonly offset: number;
  /** The number behind that of its last entry, counted over the whole segment. */
  readonly end: number;
}

/** Merges the directories of the runs of a segment's entries. */
export class SegmentDirectory {
  readonly #runs: EntryRun[] = [];
  /** Those of all runs, one after the other. */
  readonly #packed = new PackedEntries();
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
    const first = this.#runs.at(-1)?.end ?? 0;
    if (offset !== place.length || entries !== this.#booked - first) {
      throw new Error(
        `archiver wrote a directory of ${entries} entries at ${offset}, expected at ${place.length}`,
      );
    }
    this.#packed.add(bytes.subarray(0, size));
    this.#runs.push({ offset: place.offset, end: this.#booked });
  }

  /**
   * The entries, each encoded for where it lies in the archive.
   *
   * @param segmentOffset where the segment begins in the archive, in bytes
   */
  *encode(segmentOffset: number): Generator<Buffer> {
    this.#packed.finish(this.#booked);
    const runs = this.#runs.values();
    let run: EntryRun = { offset: 0, end: 0 };
    for (const [number, entry] of this.#packed.decode()) {
      while (number >= run.end) run = runs.next().value as EntryRun;
      if (this.#dropped.has(number)) continue;
      yield moveEntry(entry, segmentOffset + run.offset + entry.offset);
    }
  }
}

/** archiver silently changes names that are not plain relative paths: those cannot be entries. */
export function isEntryName(name: string): boolean {
  const plain = name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return plain && !/^\w+:|\\|\0/.test(name) && name.isWellFormed() && Buffer.byteLength(name) <= 0xffff;
}
