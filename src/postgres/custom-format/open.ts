import { formatBytes } from '../../util/format.ts';
import { DataBlocks } from './blocks.ts';
import { TableOfContents } from './contents.ts';
import { DumpCursor, damaged, INCOMPLETE } from './cursor.ts';
import { readEntry, type TocEntry } from './entries.ts';
import { readHead, type UnknownDump } from './head.ts';

/** A dump whose table of contents has been read. */
export interface OpenDump {
  readonly kind: 'known';
  /** For messages. */
  readonly name: string;
  readonly contents: TableOfContents;
  /** The bytes of head and table of contents. */
  readonly start: Buffer;
  /** What comes behind them. */
  readonly blocks: DataBlocks;
  /** All bytes so far, for another reader: these, and some of what comes behind them. */
  readonly read: Buffer;
}

/** The most bytes that a table of contents may have: 800,000 large objects take as many. */
export const MOST_CONTENTS = 128 * 2 ** 20;

/**
 * Reads a dump in custom format as far as its table of contents goes; or that of a dump in directory format, which is
 * its file `toc.dat`.
 *
 * @param name of the dump, for messages
 * @param chunks of the dump. Whoever reads no further has to end them.
 * @returns for an unknown version of the format, and for more entries than are held here, the bytes from the first on
 * @throws ContentError when it is no such dump, or not a whole one
 */
export async function openDump(
  name: string,
  chunks: AsyncIterator<Buffer>,
): Promise<OpenDump | (UnknownDump & { readonly read: Buffer })> {
  const beginning = new Beginning(name, chunks);
  try {
    const head = await beginning.read(readHead);
    if ('why' in head) return { ...head, read: beginning.bytes };
    beginning.intSize = head.intSize;
    const count = await beginning.read((cursor) => cursor.int());
    if (count < 0) throw damaged(name, `its table of contents has ${count} entries`);
    const from = beginning.at;
    let kept: TocEntry[] | undefined = [];
    for (let i = 0; i < count; i++) {
      const entry = await beginning.read((cursor) => readEntry(cursor, head));
      kept?.push(entry);
      if (beginning.at > MOST_KEPT) kept = undefined;
    }
    const read = beginning.bytes;
    const [start, rest] = [read.subarray(0, beginning.at), read.subarray(beginning.at)];
    const contents = new TableOfContents(name, head, { bytes: start, from, count, read: kept });
    return { kind: 'known', name, contents, start, blocks: new DataBlocks(name, head, rest, chunks), read };
  } catch (error) {
    if (error === TOO_LARGE)
      return {
        kind: 'unknown',
        why: `has a table of contents of more than ${formatBytes(MOST_CONTENTS)}`,
        read: beginning.bytes,
      };
    throw error;
  }
}

/** Bytes of a table of contents whose entries are kept as they were read. */
const MOST_KEPT = 8 * 2 ** 20;

const TOO_LARGE = Symbol('too large');

/** The first bytes of a dump, all of which are kept. */
class Beginning {
  at = 0;
  intSize = 4;
  readonly #name: string;
  readonly #chunks: AsyncIterator<Buffer>;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(name: string, chunks: AsyncIterator<Buffer>) {
    this.#name = name;
    this.#chunks = chunks;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Reads on, and begins anew with more bytes where they do not suffice: each time with twice as many. */
  async read<T>(part: (cursor: DumpCursor) => T): Promise<T> {
    for (;;) {
      const cursor = new DumpCursor(this.#name, this.bytes, this.at);
      cursor.intSize = this.intSize;
      try {
        const value = part(cursor);
        this.at = cursor.at;
        return value;
      } catch (error) {
        if (error !== INCOMPLETE) throw error;
      }
      const missing = Math.max(1, this.#length - this.at);
      if (!(await this.#grow(this.#length + missing))) {
        throw damaged(this.#name, 'it ends within its table of contents');
      }
    }
  }

  /** @returns false: the dump has ended */
  async #grow(wanted: number): Promise<boolean> {
    const before = this.#length;
    while (this.#length < wanted) {
      const next = await this.#chunks.next();
      if (next.done) break;
      this.#append(next.value);
      if (this.#length > MOST_CONTENTS && this.#length - next.value.length > MOST_CONTENTS) throw TOO_LARGE;
    }
    return this.#length > before;
  }

  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 ** 16, length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}
