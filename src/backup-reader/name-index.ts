import { hash } from 'node:crypto';

/** How much of a name's SHA-1 is kept: nobody finds two names that have these bytes in common. */
const DIGEST_BYTES = 12;
/** Slots for each name: with one alone, each search would be long. */
const SLOTS_A_NAME = 2;

/**
 * Numbers of names, which it does not hold: each takes 20 bytes, whatever its length, where a string in a Map takes 150.
 */
export class NameIndex {
  /** The digest of number n from byte 12 n on. */
  readonly #digests: Buffer;
  /** Open addressing, by the first bytes of the digest. A slot holds number + 1. */
  readonly #slots: Uint32Array;

  /** @param length numbers are smaller than this */
  constructor(length: number) {
    this.#digests = Buffer.alloc(DIGEST_BYTES * length);
    this.#slots = new Uint32Array(SLOTS_A_NAME * length + 1);
  }

  /** @returns false when the name has a number already */
  add(name: string, number: number): boolean {
    const digest = digestOf(name);
    const slot = this.#slotOf(digest);
    if (this.#slots[slot] !== 0) return false;
    digest.copy(this.#digests, DIGEST_BYTES * number, 0, DIGEST_BYTES);
    this.#slots[slot] = number + 1;
    return true;
  }

  /** @returns -1 when the name has none */
  numberOf(name: string): number {
    return (this.#slots[this.#slotOf(digestOf(name))] ?? 0) - 1;
  }

  /** The slot that has it, or the free one that it would get. */
  #slotOf(digest: Buffer): number {
    const { length } = this.#slots;
    for (let slot = digest.readUInt32LE(0) % length; ; slot = (slot + 1) % length) {
      const at = DIGEST_BYTES * ((this.#slots[slot] ?? 0) - 1);
      if (at < 0 || this.#digests.compare(digest, 0, DIGEST_BYTES, at, at + DIGEST_BYTES) === 0) return slot;
    }
  }
}

const digestOf = (name: string): Buffer => hash('sha1', name, 'buffer');
