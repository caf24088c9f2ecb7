import { damaged } from './cursor.ts';
import type { DumpHead } from './head.ts';

/** What a data block begins with. */
export interface BlockHead {
  readonly kind: 'rows' | 'large objects';
  /** Id of its entry. */
  readonly id: number;
}

const ROWS = 1;
const LARGE_OBJECTS = 3;
const NONE = Buffer.alloc(0);

/**
 * The data blocks of a dump, one after the other. A block of rows has chunks, each with its length before it, and a
 * length of 0 behind the last; a block of large objects has for each its oid and chunks, and 0 behind the last.
 */
export class DataBlocks {
  readonly #name: string;
  readonly #intSize: number;
  readonly #chunks: AsyncIterator<Buffer>;
  #bytes: Buffer;
  #at = 0;
  #block: BlockHead | undefined;
  /** Bytes of the chunk under way that have not been read; undefined: no chunks are under way. */
  #left: number | undefined;

  constructor(name: string, { intSize }: DumpHead, rest: Buffer, chunks: AsyncIterator<Buffer>) {
    this.#name = name;
    this.#intSize = intSize;
    this.#bytes = rest;
    this.#chunks = chunks;
  }

  /** The next block; what is left of the one before is passed over. undefined: the dump ends, as it should. */
  async next(): Promise<BlockHead | undefined> {
    await this.#finish();
    if (this.#at === this.#bytes.length && !(await this.#more())) return undefined;
    const type = this.#bytes[this.#at++] ?? 0;
    if (type !== ROWS && type !== LARGE_OBJECTS)
      throw damaged(this.#name, `it has a data block of type ${type}`);
    const id = await this.#int();
    if (type === ROWS) this.#left = 0;
    this.#block = { kind: type === ROWS ? 'rows' : 'large objects', id };
    return this.#block;
  }

  /** Oid of the next large object of the block; undefined: that was the last. */
  async nextObject(): Promise<number | undefined> {
    await this.#finishData();
    if (this.#block?.kind !== 'large objects') return undefined;
    const oid = (await this.#int()) >>> 0; // it is written as an int
    if (oid === 0) this.#block = undefined;
    else this.#left = 0;
    return oid || undefined;
  }

  /**
   * Reads the rows, or the large object, as they were stored.
   * @returns how many bytes have been read, which are fewer than there is room for at their end only
   */
  async fill(into: Buffer): Promise<number> {
    let at = 0;
    while (this.#left !== undefined && at < into.length) {
      at = this.#copy(into, at);
      if (this.#left !== undefined && at < into.length && !(await this.#more())) throw this.#cut();
    }
    return at;
  }

  /** Copies as much as there is, which may be thousands of chunks: nothing here waits. */
  #copy(into: Buffer, from: number): number {
    const bytes = this.#bytes;
    let left = this.#left ?? 0;
    let at = from;
    while (at < into.length) {
      if (left === 0) {
        if (bytes.length - this.#at <= this.#intSize) break;
        left = this.#length();
        if (left === 0) {
          this.#left = undefined;
          return at;
        }
      }
      const length = Math.min(left, into.length - at, bytes.length - this.#at);
      if (length === 0) break;
      bytes.copy(into, at, this.#at, this.#at + length);
      at += length;
      left -= length;
      this.#at += length;
    }
    this.#left = left;
    return at;
  }

  #length(): number {
    const isNegative = this.#bytes[this.#at] !== 0;
    let length = 0;
    for (let i = this.#intSize; i > 0; i--) length = length * 256 + (this.#bytes[this.#at + i] ?? 0);
    if (length >= 2 ** 31 || (isNegative && length > 0)) {
      throw damaged(this.#name, `a chunk of its data has ${isNegative ? '-' : ''}${length} bytes`);
    }
    this.#at += 1 + this.#intSize;
    return length;
  }

  async #int(): Promise<number> {
    while (this.#bytes.length - this.#at <= this.#intSize) if (!(await this.#more())) throw this.#cut();
    const isNegative = this.#bytes[this.#at] !== 0;
    let value = 0;
    for (let i = this.#intSize; i > 0; i--) value = value * 256 + (this.#bytes[this.#at + i] ?? 0);
    this.#at += 1 + this.#intSize;
    if (value > 2 ** 32) throw damaged(this.#name, `it has the number ${value} between its data`);
    return isNegative ? -value : value;
  }

  async #finish(): Promise<void> {
    await this.#finishData();
    while (this.#block?.kind === 'large objects' && (await this.nextObject()) !== undefined);
  }

  async #finishData(): Promise<void> {
    if (this.#left === undefined) return;
    const scratch = Buffer.allocUnsafe(2 ** 16);
    while ((await this.fill(scratch)) > 0);
  }

  /** @returns false: there are no more bytes */
  async #more(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done) {
      if (this.#at < this.#bytes.length) throw this.#cut();
      return false;
    }
    const rest = this.#at < this.#bytes.length ? this.#bytes.subarray(this.#at) : NONE;
    this.#bytes = rest.length > 0 ? Buffer.concat([rest, next.value]) : next.value;
    this.#at = 0;
    return true;
  }

  #cut = () => damaged(this.#name, 'it ends within its data');
}
