import { BitSet } from '../util/bit-set.ts';
import { ownPages } from '../util/own-pages.ts';

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
/** Sizes from this on, in bytes, do not fit into 32 bits. */
const LARGE = 2 ** 32;
/** Names of one block: a list grows by blocks, and so holds no more than it needs. */
const BLOCK_NAMES = 2 ** 13;
/** Slots at first, and how many of them may be taken: with more, each search would be long. */
const FIRST_SLOTS = 1024;
const MOST_TAKEN = 0.6;

/** Names and sizes of files whose numbers follow one another. */
interface FileBlock {
  /** The SHA-1 of name n of the block from byte 20 n on. */
  readonly sums: Buffer;
  /** In bytes. */
  readonly sizes: Uint32Array;
  /** How many of its files are not forgotten, or are still to come. */
  left: number;
}

/**
 * Files of a filestore, numbered from 0 in the order in which they came. Each takes 32 bytes or so, where an object
 * with a string in a Map takes 300: a filestore may have millions.
 */
export class FileList implements Iterable<FilestoreFile>, WantedFiles {
  /** Total size of all files in bytes. */
  bytes = 0;
  #length = 0;
  /** undefined: all of its files are forgotten. */
  readonly #blocks: (FileBlock | undefined)[] = [];
  /** The sizes of large files, by their numbers. */
  readonly #largeSizes = new Map<number, number>();
  /** Open addressing, by the first bytes of the SHA-1, which are as good as any hash. A slot holds number + 1. */
  #slots = new Uint32Array(FIRST_SLOTS);
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
    if (this.#length >= MOST_TAKEN * this.#slots.length) this.#growSlots();
    const at = this.#length % BLOCK_NAMES;
    const { sums, sizes } = at > 0 ? this.#blockOf(this.#length - 1) : this.#newBlock();
    const sum = this.#sumOf(name);
    if (sum) {
      sum.copy(sums, SHA1_BYTES * at);
      this.#slots[this.#slotOf(sum)] = this.#length + 1;
    } else {
      this.#others.set(name, this.#length);
      this.#otherNames.set(this.#length, name);
    }
    if (size < LARGE) sizes[at] = size;
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
    const { sums } = this.#blockOf(number);
    const other = this.#otherNames.get(number);
    if (other !== undefined) return other;
    const at = SHA1_BYTES * (number % BLOCK_NAMES);
    const sum = sums.toString('hex', at, at + SHA1_BYTES);
    return `${sum.slice(0, 2)}/${sum}`;
  }

  /** In bytes. @throws RangeError when there is no such number */
  sizeAt(number: number): number {
    const { sizes } = this.#blockOf(number);
    return this.#largeSizes.get(number) ?? (sizes[number % BLOCK_NAMES] as number);
  }

  /** The numbers of all of them. */
  numbers(): BitSet {
    const all = new BitSet(this.#length);
    for (let number = 0; number < this.#length; number += 1) all.add(number);
    return all;
  }

  /**
   * Nobody will ask for this file any more; to be called once. When that is so of all files of a block, its memory goes. The
   * others keep their numbers.
   */
  forget(number: number): void {
    const block = this.#blockOf(number);
    block.left -= 1;
    if (block.left === 0) this.#blocks[Math.floor(number / BLOCK_NAMES)] = undefined;
  }

  *[Symbol.iterator](): Generator<FilestoreFile> {
    for (let number = 0; number < this.#length; number += 1) {
      yield { name: this.nameAt(number), size: this.sizeAt(number) };
    }
  }

  *values(wanted: BitSet = this.numbers()): Generator<FilestoreFile> {
    for (const number of wanted) yield { name: this.nameAt(number), size: this.sizeAt(number) };
  }

  #sumOf(name: string): Buffer | undefined {
    if (!USUAL.test(name)) return undefined;
    this.#sum.write(name.slice(3), 'hex');
    return this.#sum;
  }

  #newBlock(): FileBlock {
    const sums = Buffer.from(ownPages(SHA1_BYTES * BLOCK_NAMES), 0, SHA1_BYTES * BLOCK_NAMES);
    const sizes = new Uint32Array(ownPages(4 * BLOCK_NAMES), 0, BLOCK_NAMES);
    const block = { sums, sizes, left: BLOCK_NAMES };
    this.#blocks.push(block);
    return block;
  }

  /** @throws RangeError when there is no such number */
  #blockOf(number: number): FileBlock {
    const block = this.#blocks[Math.floor(number / BLOCK_NAMES)];
    if (!block || number >= this.#length) throw new RangeError(`There is no file of number ${number}`);
    return block;
  }

  /** Whether a file that is not forgotten has this SHA-1 as its name. */
  #isNamed(number: number, sum: Buffer): boolean {
    const at = SHA1_BYTES * (number % BLOCK_NAMES);
    const sums = this.#blocks[Math.floor(number / BLOCK_NAMES)]?.sums;
    return sums?.compare(sum, 0, SHA1_BYTES, at, at + SHA1_BYTES) === 0;
  }

  /** The first slot that is free for the SHA-1 that is looked at. */
  #freeSlot(): number {
    const { length } = this.#slots;
    let slot = this.#sum.readUInt32LE(0) % length;
    while (this.#slots[slot] !== 0) slot = (slot + 1) % length;
    return slot;
  }

  /** The slot that has it, or the free one that it would get. */
  #slotOf(sum: Buffer): number {
    const { length } = this.#slots;
    for (let slot = sum.readUInt32LE(0) % length; ; slot = (slot + 1) % length) {
      const number = (this.#slots[slot] ?? 0) - 1;
      if (number < 0 || this.#isNamed(number, sum)) return slot;
    }
  }

  /** Makes twice as many. */
  #growSlots(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let number = 0; number < this.#length; number += 1) {
      const sums = this.#blocks[Math.floor(number / BLOCK_NAMES)]?.sums;
      if (!sums || this.#otherNames.has(number)) continue;
      sums.copy(this.#sum, 0, SHA1_BYTES * (number % BLOCK_NAMES));
      this.#slots[this.#freeSlot()] = number + 1;
    }
  }
}
