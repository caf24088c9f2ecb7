import { FileList } from '../../odoo/file-list.ts';
import { BitSet } from '../../util/bit-set.ts';

/** Where the files of an archive's filestore are looked up. */
export interface FilesThere {
  /** Numbers are smaller than this. */
  readonly numbers: number;
  /** Number of a file of the filestore; -1 when it is not in the archive. */
  numberOf(name: string): number;
}

/** No archive: a dump alone. */
export const NOTHING_THERE: FilesThere = { numbers: 0, numberOf: () => -1 };

/**
 * Files that the attachments of a dump name, each once. Those that are in the archive take a bit each: there may be
 * millions.
 */
export class AttachedFiles {
  readonly #there: FilesThere;
  readonly #found: BitSet;
  readonly #absent = new FileList();

  constructor(there: FilesThere) {
    this.#there = there;
    this.#found = new BitSet(there.numbers);
  }

  /** Takes a name of `ir_attachment.store_fname`. Those of other storages (`s3://…`) are no files of the filestore. */
  add(name: string): void {
    if (name.includes('://')) return;
    const number = this.#there.numberOf(name);
    if (number >= 0) this.#found.add(number);
    else this.#absent.add({ name, size: 0 });
  }

  /** How many there are. */
  get count(): number {
    return this.#found.count + this.#absent.length;
  }

  /** Names of those that the archive lacks. */
  *absent(): Generator<string> {
    for (const { name } of this.#absent) yield name;
  }
}
