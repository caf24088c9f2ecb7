import { ownPages } from '../util/own-pages.ts';

/** More than this of one length are seldom taken before others come back. */
const MOST_SPARE = 2;

/**
 * Buffers for parts of one upload. They are used again once S3 has taken what they hold: buffers of megabytes that come
 * and go are memory that nobody uses until the garbage collector finds it.
 */
export class PartBuffers {
  readonly #spare = new Map<number, Buffer[]>();

  take(length: number): Buffer {
    return this.#spare.get(length)?.pop() ?? Buffer.from(ownPages(length), 0, length);
  }

  giveBack(buffer: Buffer): void {
    const spare = this.#spare.get(buffer.length) ?? [];
    if (spare.length < MOST_SPARE) this.#spare.set(buffer.length, [...spare, buffer]);
  }
}
