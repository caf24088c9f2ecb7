import { BitSet } from '../util/bit-set.ts';

export interface FilestoreFile {
  /** Path from the filestore's folder: `ab/abcd…`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
}

/** Files that a folder is to have, numbered. */
export interface WantedFiles {
  /** The numbers of all of them, which the caller does not change. */
  numbers(): BitSet;
  /** @returns the number of a file, -1 when it is not there */
  indexOf(name: string): number;
  /** In bytes. */
  sizeAt(number: number): number;
  /** In the order of their numbers. @param wanted numbers; undefined: all */
  values(wanted?: BitSet): Iterable<FilestoreFile>;
}

/** How many files, and their total size in bytes. */
export interface FileCount {
  readonly files: number;
  readonly bytes: number;
}

/** The name that current Odoo versions give a file: a folder of the first two characters of its content's SHA-1. */
const USUAL = /^([0-9a-f]{2})\/\1[0-9a-f]{38}$/;
const SHA1_BYTES = 20;
/** Slots for each name: with one alone, each search would be long. */
const SLOTS_A_NAME = 2;
/** Sizes from this on, in bytes, do not fit into a slot of 32 bits. */
const LARGE = 2 ** 32;
/** Room for so many at first. */
const FIRST_ROOM = 1024;

/**
 * Files of a filestore, numbered from 0 in the order in which they came. Each takes 32 bytes or so, where an object
 * with a string in a Map takes 300: a filestore may have millions.
 */
export class FileList implements Iterable<FilestoreFile>, WantedFiles {
  /** Total size of all files in bytes. */
  bytes = 0;
  #length = 0;
  #sizes = new Uint32Array(FIRST_ROOM);
  /** The sizes of large files, by their numbers. */
  readonly #largeSizes = new Map<number, number>();
  /** The SHA-1 of number n from byte 20 n on. */
  #sums: Buffer = Buffer.alloc(SHA1_BYTES * FIRST_ROOM);
  /** Open addressing, by the first bytes of the SHA-1, which are as good as any hash. A slot holds number + 1. */
  #slots = new Uint32Array(SLOTS_A_NAME * FIRST_ROOM);
  /** The names that are not of the usual form. */
  readonly #others = new Map<string, number>();
  readonly #otherNames = new Map<number, string>();
  /** The SHA-1 of the name that is looked at. */
  readonly #sum = Buffer.alloc(SHA1_BYTES);

  constructor(files: Iterable<FilestoreFile> = []) {
    for (const file of files) this.add(file);
  }

  get length(): number {
    return this.#length;
  }

  /** A file that is there already keeps its size. */
  add({ name, size }: FilestoreFile): void {
    if (this.indexOf(name) >= 0) return;
    if (this.#length === this.#sizes.length) this.#grow();
    const sum = this.#sumOf(name);
    if (sum) {
      sum.copy(this.#sums, SHA1_BYTES * this.#length);
      this.#slots[this.#slotOf(sum)] = this.#length + 1;
    } else {
      this.#others.set(name, this.#length);
      this.#otherNames.set(this.#length, name);
    }
    if (size < LARGE) this.#sizes[this.#length] = size;
    else this.#largeSizes.set(this.#length, size);
    this.#length += 1;
    this.bytes += size;
  }

  /** @returns the number of a file, -1 when it is not there */
  indexOf(name: string): number {
    const sum = this.#sumOf(name);
    return sum ? (this.#slots[this.#slotOf(sum)] ?? 0) - 1 : (this.#others.get(name) ?? -1);
  }

  /** @throws RangeError when there is no such number */
  nameAt(number: number): string {
    this.#assertThere(number);
    const other = this.#otherNames.get(number);
    if (other !== undefined) return other;
    const sum = this.#sums.toString('hex', SHA1_BYTES * number, SHA1_BYTES * (number + 1));
    return `${sum.slice(0, 2)}/${sum}`;
  }

  /** In bytes. @throws RangeError when there is no such number */
  sizeAt(number: number): number {
    this.#assertThere(number);
    return this.#largeSizes.get(number) ?? (this.#sizes[number] as number);
  }

  /** The numbers of all of them. */
  numbers(): BitSet {
    const all = new BitSet(this.#length);
    for (let number = 0; number < this.#length; number += 1) all.add(number);
    return all;
  }

  *[Symbol.iterator](): Generator<FilestoreFile> {
    for (let number = 0; number < this.#length; number += 1) {
      yield { name: this.nameAt(number), size: this.sizeAt(number) };
    }
  }

  *values(wanted: BitSet = this.numbers()): Generator<FilestoreFile> {
    for (const number of wanted) yield { name: this.nameAt(number), size: this.sizeAt(number) };
  }

  #assertThere(number: number): void {
    if (!(number >= 0 && number < this.#length)) throw new RangeError(`There is no file of number ${number}`);
  }

  #sumOf(name: string): Buffer | undefined {
    if (!USUAL.test(name)) return undefined;
    this.#sum.write(name.slice(3), 'hex');
    return this.#sum;
  }

  /** The slot that has it, or the free one that it would get. */
  #slotOf(sum: Buffer): number {
    const { length } = this.#slots;
    for (let slot = sum.readUInt32LE(0) % length; ; slot = (slot + 1) % length) {
      const at = SHA1_BYTES * ((this.#slots[slot] ?? 0) - 1);
      if (at < 0 || this.#sums.compare(sum, 0, SHA1_BYTES, at, at + SHA1_BYTES) === 0) return slot;
    }
  }

  /** Makes room for twice as many. */
  #grow(): void {
    const sizes = new Uint32Array(2 * this.#sizes.length);
    sizes.set(this.#sizes);
    this.#sizes = sizes;
    this.#sums = Buffer.concat([this.#sums], 2 * this.#sums.length);
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let number = 0; number < this.#length; number += 1) {
      if (this.#otherNames.has(number)) continue;
      const sum = this.#sums.subarray(SHA1_BYTES * number, SHA1_BYTES * (number + 1));
      this.#slots[this.#slotOf(sum)] = number + 1;
    }
  }
}
