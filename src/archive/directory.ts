import { decodeEnd, decodeEntries, moveEntry } from './central-directory.ts';
import type { Reuse } from './reuse.ts';

/** Where entries that were written together lie in the archive. */
interface Place {
  /** The number of their segment, from 0. */
  readonly segment: number;
  /** Of the first, in bytes. */
  readonly offset: number;
  /** Of all of them, in bytes. */
  readonly length: number;
}

/** The directory of a run of entries. Its offsets count from the run's start. */
interface Run extends Place {
  readonly directory: Buffer;
  readonly entries: number;
  /** The number of its first entry, counted over the whole archive. */
  readonly first: number;
}

/** Entries that are passed on at once. */
const BATCH = 1000;

/** Merges the directories of runs of entries into the one that ends the archive. */
export class DirectoryMerger {
  readonly #runs: Run[] = [];
  /** The names that the directory will have, with their entry's number. */
  readonly #numbers = new Map<string, number>();
  readonly #dropped = new Set<number>();
  readonly #reuse: Reuse | undefined;
  #booked = 0;

  /** @param reuse what the archive begins with: its segment 0 */
  constructor(reuse?: Reuse) {
    this.#reuse = reuse;
  }

  /** How many entries the directory will name. */
  get entries(): number {
    return this.#numbers.size + (this.#reuse?.names.size ?? 0);
  }

  /** Books the next entry. @throws Error when its name is taken, or cannot stand in a zip */
  book(name: string): void {
    if (!isEntryName(name))
      throw new Error(`${JSON.stringify(name)} cannot be the name of an entry in a zip archive`);
    if (this.#numbers.has(name) || this.#reuse?.names.has(name))
      throw new Error(`The archive has an entry ${name} already`);
    this.#numbers.set(name, this.#booked++);
  }

  /** Leaves an entry out; its name may be booked again. @throws Error when there is none */
  drop(name: string): void {
    const number = this.#numbers.get(name);
    if (number === undefined) throw new Error(`The archive has no entry ${name} to drop`);
    this.#numbers.delete(name);
    this.#dropped.add(number);
  }

  /**
   * Takes the directory, with its end records, of the entries booked since the run before.
   * @throws Error when it is not theirs
   */
  addRun(bytes: Buffer, place: Place): void {
    const { entries, size, offset } = decodeEnd(bytes, place.length + bytes.length);
    const before = this.#runs.at(-1);
    const first = before ? before.first + before.entries : 0;
    if (offset !== place.length || entries !== this.#booked - first) {
      throw new Error(
        `archiver wrote a directory of ${entries} entries at ${offset}, expected at ${place.length}`,
      );
    }
    this.#runs.push({ ...place, directory: bytes.subarray(0, size), entries, first });
  }

  /** The entries, encoded for where they lie in the archive, piece by piece. */
  *encode(): Generator<{ readonly segment: number; readonly entries: number; readonly bytes: Buffer }> {
    for (const some of inBatches(this.#reuse?.directory() ?? [], BATCH)) {
      yield { segment: 0, entries: some.length, bytes: Buffer.concat(some) };
    }
    for (const run of this.#runs) {
      const named: Buffer[] = [];
      let number = run.first;
      for (const entry of decodeEntries(run.directory, run.entries)) {
        if (!this.#dropped.has(number++)) named.push(moveEntry(entry, run.offset + entry.offset));
      }
      yield { segment: run.segment, entries: named.length, bytes: Buffer.concat(named) };
    }
  }
}

function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** archiver silently changes names that are not plain relative paths: those cannot be entries. */
export function isEntryName(name: string): boolean {
  const plain = name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return plain && !/^\w+:|\\|\0/.test(name) && name.isWellFormed() && Buffer.byteLength(name) <= 0xffff;
}
