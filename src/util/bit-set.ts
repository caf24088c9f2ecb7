/** A set of numbers from 0 up to a length, a bit each. It begins empty. */
export class BitSet {
  readonly #bits: Uint8Array;
  #count = 0;

  /** Numbers are smaller than this. */
  readonly length: number;

  constructor(length: number) {
    this.length = length;
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

  /** Whether a number from `first` on, and smaller than `end`, is in it. */
  hasBetween(first: number, end: number): boolean {
    for (let number = first; number < end; number += 1) if (this.has(number)) return true;
    return false;
  }

  /** The numbers of this set that are not in another. */
  without(other: BitSet): BitSet {
    const left = new BitSet(this.length);
    for (const number of this) if (!other.has(number)) left.add(number);
    return left;
  }

  /** The numbers, in ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (let number = 0; number < this.length; number += 1) if (this.has(number)) yield number;
  }

  #byte(number: number): number {
    return this.#bits[number >> 3] ?? 0;
  }
}
