import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { BitSet } from '../util/bit-set.ts';
import { type DirectoryEntry, damaged, decodeEntries, wholeEntries } from './central-directory.ts';

/**
 * Size of a block that is compressed at once, in bytes, unless an entry is longer. Short: a block that is decoded is
 * garbage before V8 takes it for something that stays.
 */
const BLOCK_BYTES = 32 * 1024;

/** By zstd, which takes half the time of deflate, and a tenth less room. */
const FASTEST = { [constants.ZSTD_c_compressionLevel]: 1 };

/** Buffers that blocks are stored in are twice as long each time, up to this. */
const LARGEST_SLAB = 4 * 2 ** 20;

interface PackedBlock {
  readonly count: number;
  /** Number of its first entry. */
  readonly first: number;
  readonly bytes: Buffer;
  /** Length of the bytes before they were compressed. */
  readonly length: number;
}

/**
 * Entries of a directory, numbered from 0 and compressed: in a third of the memory, which counts where there are
 * millions of them. One that is decoded keeps its whole block in memory (`raw`).
 */
export class PackedEntries {
  readonly #blocks: PackedBlock[] = [];
  /** Bytes that are not compressed yet, a copy: what they were cut from may be large. And how many they are. */
  #pending: Buffer = Buffer.alloc(0);
  #waiting = 0;
  #count = 0;
  /** What is left of the buffer that blocks are stored in, and how long it was. */
  #slab: Buffer = Buffer.alloc(0);
  #slabBytes = 4 * 1024;

  /** Takes the next bytes of the directory, cut anywhere. @throws ContentError when they are no entries */
  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#waiting === this.#pending.length) this.#makeRoom();
      const copied = bytes.copy(this.#pending, this.#waiting, at);
      at += copied;
      this.#waiting += copied;
    }
  }

  /** @throws ContentError when there were not exactly `count` entries */
  finish(count: number): void {
    this.#pack();
    if (this.#waiting > 0) throw damaged('an entry is cut short');
    if (this.#count !== count) throw damaged(`its directory has ${this.#count} entries instead of ${count}`);
    this.#pending = Buffer.alloc(0);
  }

  /**
   * The entries with their numbers, one by one.
   *
   * @param wanted numbers; undefined: all
   * @throws ContentError at one that cannot be true
   */
  *decode(wanted?: BitSet): Generator<readonly [number: number, entry: DirectoryEntry]> {
    for (const block of this.#blocks) {
      if (wanted && !wanted.hasBetween(block.first, block.first + block.count)) continue;
      let number = block.first;
      for (const entry of decoded(block)) {
        if (!wanted || wanted.has(number)) yield [number, entry];
        number += 1;
      }
    }
  }

  /** The entries, one by one. Those that were taken are held no longer. @throws ContentError as `decode` */
  *drain(): Generator<DirectoryEntry> {
    // From the end, which is the same to who takes them all, and moves nothing.
    for (let block = this.#blocks.pop(); block; block = this.#blocks.pop()) {
      yield* decoded(block);
    }
  }

  /** The entry of a number. @throws ContentError as `decode`; RangeError when there is no such number */
  at(wanted: number): DirectoryEntry {
    const block = this.#blocks.find(({ first, count }) => wanted >= first && wanted < first + count);
    const entry = block && decoded(block)[wanted - block.first];
    if (!entry) throw new RangeError(`There is no entry of number ${wanted}`);
    return entry;
  }

  /** Compresses what waits, or makes more room for an entry that is longer than all of it. */
  #makeRoom(): void {
    this.#pack();
    if (this.#waiting < this.#pending.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, 2 * this.#waiting));
    this.#pending.copy(larger);
    this.#pending = larger;
  }

  /** Compresses the entries that are whole. The one that is cut short stays. */
  #pack(): void {
    const waiting = this.#pending.subarray(0, this.#waiting);
    const { count, length } = wholeEntries(waiting);
    if (count > 0) {
      const bytes = this.#stored(
        zstdCompressSync(waiting.subarray(0, length), { params: FASTEST, pledgedSrcSize: length }),
      );
      this.#blocks.push({ count, first: this.#count, bytes, length });
      this.#count += count;
    }
    waiting.copyWithin(0, length);
    this.#waiting -= length;
  }

  /** The same bytes in a large buffer: small ones that stay, between others that go, make holes of unused memory. */
  #stored(bytes: Buffer): Buffer {
    if (this.#slab.length < bytes.length) {
      this.#slabBytes = Math.max(bytes.length, Math.min(2 * this.#slabBytes, LARGEST_SLAB));
      this.#slab = Buffer.allocUnsafeSlow(this.#slabBytes);
    }
    bytes.copy(this.#slab);
    const stored = this.#slab.subarray(0, bytes.length);
    this.#slab = this.#slab.subarray(bytes.length);
    return stored;
  }
}

function decoded({ count, bytes, length }: PackedBlock): DirectoryEntry[] {
  const chunkSize = Math.max(64, length + 1); // all of it in one buffer
  return decodeEntries(zstdDecompressSync(bytes, { chunkSize }), count);
}
