import { availableParallelism } from 'node:os';
import { combineCrc32 } from './crc-32-combine.ts';
import {
  BLOCK_SIZE,
  type DeflateBlock,
  deflateBlock,
  deflateLastBlock,
  END_OF_BLOCKS,
} from './deflate-block.ts';

/** The content of an entry: bytes, and blocks that are deflated already, in any order. */
export type Pieces = AsyncIterable<Buffer | DeflateBlock> | Iterable<Buffer | DeflateBlock>;

/** What is known of an entry's content once it is written. Sizes in bytes. */
export interface DeflatedContent {
  readonly size: number;
  readonly compressedSize: number;
  readonly crc32: number;
}

/** Blocks that may be under way in one entry: one more than are deflated at once, so that no thread waits. */
const UNDER_WAY = Math.min(availableParallelism(), 4) + 1;

/** Buffers for the blocks' content that no block uses. Each block of each entry takes one and gives it back. */
const spare: Buffer[] = [];

/**
 * Writes an entry's content as one deflate stream. It is cut into blocks, which are deflated side by side on libuv's
 * threads, as pigz does it, and written in order. No more of the content is taken while `UNDER_WAY` blocks wait, or
 * while `write` does.
 *
 * @throws whatever the content or `write` throws
 */
export async function deflateContent(
  content: Pieces,
  level: number,
  write: (bytes: Buffer) => Promise<void> | void,
): Promise<DeflatedContent> {
  const underWay: DeflateBlock[] = [];
  const written = { size: 0, compressedSize: 0, crc32: 0 };
  const writeOut = async (bytes: Buffer): Promise<void> => {
    written.compressedSize += bytes.length;
    await write(bytes);
  };
  /** Writes the blocks before the last `most`. */
  const writeAllBut = async (most: number): Promise<void> => {
    while (underWay.length > most) {
      const block = underWay.shift() as DeflateBlock;
      const bytes = await block.deflated;
      written.size += block.size;
      written.crc32 = combineCrc32(written.crc32, block.crc32, block.size);
      await writeOut(bytes);
    }
  };
  const enqueue = (block: DeflateBlock): Promise<void> => {
    underWay.push(block);
    return writeAllBut(UNDER_WAY - 1);
  };

  const cutter = new BlockCutter(level);
  for await (const piece of content) {
    if (!Buffer.isBuffer(piece)) {
      const before = cutter.cutRest();
      if (before) await enqueue(before);
      await enqueue(piece);
      continue;
    }
    for (const block of cutter.take(piece)) await enqueue(block);
  }
  const last = cutter.end();
  if (last) await enqueue(last);
  await writeAllBut(0);
  if (!last) await writeOut(END_OF_BLOCKS);
  return written;
}

/** Cuts bytes into blocks of one length, however they come, and copies as few of them as it can. */
class BlockCutter {
  readonly #level: number;
  /** What no block has yet, less than one block holds. */
  #rest: Buffer[] = [];
  #restLength = 0;

  constructor(level: number) {
    this.#level = level;
  }

  /** The blocks that are full with these bytes. */
  *take(bytes: Buffer): Generator<DeflateBlock> {
    let from = 0;
    while (this.#restLength + bytes.length - from >= BLOCK_SIZE) {
      const to = from + BLOCK_SIZE - this.#restLength;
      this.#add(bytes.subarray(from, to));
      from = to;
      yield this.#cut(deflateBlock);
    }
    if (from < bytes.length) this.#add(bytes.subarray(from));
  }

  /** A block of the bytes that are left; undefined where there are none. */
  cutRest(): DeflateBlock | undefined {
    return this.#restLength > 0 ? this.#cut(deflateBlock) : undefined;
  }

  /** The same as the end of the stream. */
  end(): DeflateBlock | undefined {
    return this.#restLength > 0 ? this.#cut(deflateLastBlock) : undefined;
  }

  #add(bytes: Buffer): void {
    this.#rest.push(bytes);
    this.#restLength += bytes.length;
  }

  #cut(deflate: typeof deflateBlock): DeflateBlock {
    const [pieces, length] = [this.#rest, this.#restLength];
    [this.#rest, this.#restLength] = [[], 0];
    const [only] = pieces;
    if (only && pieces.length === 1) return deflate(only, this.#level);
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE);
    let at = 0;
    for (const piece of pieces) at += piece.copy(buffer, at);
    const block = deflate(buffer.subarray(0, length), this.#level);
    const giveBack = () => void (spare.length < UNDER_WAY && spare.push(buffer));
    block.deflated.then(giveBack, giveBack);
    return block;
  }
}
