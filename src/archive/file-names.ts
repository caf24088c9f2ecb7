/** As current Odoo versions name a file: a folder of the first two characters of its content's SHA-1. */
const USUAL = /^([0-9a-f]{2})\/\1[0-9a-f]{38}$/;
const SHA1_BYTES = 20;
/** As many slots as names would make each search a long one. */
const SLOTS_A_NAME = 2;

/**
 * A set of the names of a filestore's files, numbered from 0 in the order in which they came. Each takes 30 bytes or
 * so, where a Set of strings takes 130: a filestore may have millions.
 */
export class FileNames implements Iterable<string> {
  /** The SHA-1 of number n from byte 20 n on. */
  #sums: Buffer = Buffer.alloc(SHA1_BYTES * 1024);
  /** Open addressing, by the first bytes of the SHA-1, which are as good as any hash. A slot holds number + 1. */
  #slots = new Uint32Array(SLOTS_A_NAME * 1024);
  /** The names that are not of the usual form. */
  readonly #others = new Map<string, number>();
  readonly #otherNames = new Map<number, string>();
  /** The SHA-1 of the name that is looked at. */
  readonly #sum = Buffer.alloc(SHA1_BYTES);
  #length = 0;

  constructor(names: Iterable<string> = []) {
    for (const name of names) this.add(name);
  }

  get length(): number {
    return this.#length;
  }

  /** @returns its number; the one that it has when it is there already */
  add(name: string): number {
    const sum = this.#sumOf(name);
    const number = sum ? this.#find(sum) : (this.#others.get(name) ?? -1);
    if (number >= 0) return number;
    if (SHA1_BYTES * (this.#length + 1) > this.#sums.length) this.#grow();
    if (sum) {
      sum.copy(this.#sums, SHA1_BYTES * this.#length);
      this.#slots[this.#slotOf(sum)] = this.#length + 1;
    } else {
      this.#others.set(name, this.#length);
      this.#otherNames.set(this.#length, name);
    }
    this.#length += 1;
    return this.#length - 1;
  }

  /** @returns the number of a name, -1 when it is not there */
  indexOf(name: string): number {
    const sum = this.#sumOf(name);
    return sum ? this.#find(sum) : (this.#others.get(name) ?? -1);
  }

  has(name: string): boolean {
    return this.indexOf(name) >= 0;
  }

  /** @throws RangeError when there is no such number */
  at(number: number): string {
    if (!(number >= 0 && number < this.#length)) throw new RangeError(`There is no name of number ${number}`);
    const other = this.#otherNames.get(number);
    if (other !== undefined) return other;
    const sum = this.#sums.toString('hex', SHA1_BYTES * number, SHA1_BYTES * (number + 1));
    return `${sum.slice(0, 2)}/${sum}`;
  }

  *[Symbol.iterator](): Generator<string> {
    for (let number = 0; number < this.#length; number += 1) yield this.at(number);
  }

  #sumOf(name: string): Buffer | undefined {
    if (!USUAL.test(name)) return undefined;
    this.#sum.write(name.slice(3), 'hex');
    return this.#sum;
  }

  #find(sum: Buffer): number {
    return (this.#slots[this.#slotOf(sum)] ?? 0) - 1;
  }

  /** The slot that has it, or the free one that it would get. */
  #slotOf(sum: Buffer): number {
    const { length } = this.#slots;
    for (let slot = sum.readUInt32LE(0) % length; ; slot = (slot + 1) % length) {
      const at = SHA1_BYTES * ((this.#slots[slot] ?? 0) - 1);
      if (at < 0 || this.#sums.compare(sum, 0, SHA1_BYTES, at, at + SHA1_BYTES) === 0) return slot;
    }
  }

  #grow(): void {
    this.#sums = Buffer.concat([this.#sums], 2 * this.#sums.length);
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let number = 0; number < this.#length; number += 1) {
      if (this.#otherNames.has(number)) continue;
      const sum = this.#sums.subarray(SHA1_BYTES * number, SHA1_BYTES * (number + 1));
      this.#slots[this.#slotOf(sum)] = number + 1;
    }
  }
}

/** A set of numbers from 0 up to a length, a bit each. It begins empty. */
export class Marks {
  readonly #bits: Uint8Array;
  #count = 0;

  constructor(length: number) {
    this.#bits = new Uint8Array(Math.ceil(length / 8));
  }

  /** How many are in it. */
  get count(): number {
    return this.#count;
  }

  has(number: number): boolean {
    return (this.#byte(number) & (1 << (number & 7))) !== 0;
  }

  add(number: number): void {
    if (this.has(number)) return;
    this.#bits[number >> 3] = this.#byte(number) | (1 << (number & 7));
    this.#count += 1;
  }

  delete(number: number): void {
    if (!this.has(number)) return;
    this.#bits[number >> 3] = this.#byte(number) & ~(1 << (number & 7));
    this.#count -= 1;
  }

  /** The numbers, in ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (let number = 0; number < 8 * this.#bits.length; number += 1) if (this.has(number)) yield number;
  }

  #byte(number: number): number {
    return this.#bits[number >> 3] ?? 0;
  }
}
