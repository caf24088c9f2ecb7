import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type DirectoryEntry, damaged, decodeEntries, wholeEntries } from './central-directory.ts';

/** Size of a block that is deflated at once, in bytes. The longest entry (three fields of 64 KiB) fits in. */
const BLOCK_BYTES = 256 * 1024;

const NOTHING: Buffer = Buffer.alloc(0);

/** Entries of a directory, deflated: in half the memory, which counts where there are millions of them. */
export class PackedEntries {
  readonly #blocks: { readonly count: number; readonly bytes: Buffer }[] = [];
  /** Not deflated yet. */
  #rest = NOTHING;
  #count = 0;

  /** Takes the next bytes of the directory, cut anywhere. @throws ContentError when they are no entries */
  add(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    this.#pack(BLOCK_BYTES);
  }

  /** @throws ContentError when there were not exactly `count` entries */
  finish(count: number): void {
    this.#pack(1);
    if (this.#rest.length > 0) throw damaged('an entry is cut short');
    if (this.#count !== count) throw damaged(`its directory has ${this.#count} entries instead of ${count}`);
    this.#rest = NOTHING; // what is left of it, which is nothing, would keep all of it in memory
  }

  /** The entries, one by one. @throws ContentError at one that cannot be true */
  *decode(): Generator<DirectoryEntry> {
    for (const { count, bytes } of this.#blocks) yield* decodeEntries(inflateRawSync(bytes), count);
  }

  /** Deflates block after block while at least `atLeast` bytes are left. */
  #pack(atLeast: number): void {
    while (this.#rest.length >= atLeast) {
      const { count, length } = wholeEntries(this.#rest.subarray(0, BLOCK_BYTES));
      if (count === 0) return;
      this.#blocks.push({ count, bytes: deflateRawSync(this.#rest.subarray(0, length), { level: 1 }) });
      this.#count += count;
      this.#rest = this.#rest.subarray(length);
    }
  }
}
