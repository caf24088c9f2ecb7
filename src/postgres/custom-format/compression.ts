import { pipeline } from 'node:stream';
import { createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { messageOf } from '../../util/errors.ts';
import type { DataBlocks } from './blocks.ts';
import { damaged } from './cursor.ts';
import type { DumpCompression } from './head.ts';

const STORED_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;

/** Compressions whose data can be read here. */
export const canDecompress = (compression: DumpCompression): boolean => compression !== 'lz4';

/**
 * The rows, or the large object, that come next in the data blocks, as they were before pg_dump compressed them.
 *
 * @param name of the dump, for messages
 * @throws ContentError when they cannot be decompressed
 */
export async function* decompressedData(
  name: string,
  blocks: DataBlocks,
  compression: DumpCompression,
): AsyncGenerator<Buffer> {
  const stored = storedData(blocks, compression === 'none' ? READ_BYTES : STORED_BYTES);
  // What is no file has no head of gzip's.
  yield* compression === 'none'
    ? stored
    : decompressed(name, stored, compression === 'gzip' ? 'zlib' : 'zstd');
}

async function* storedData(blocks: DataBlocks, most: number): AsyncGenerator<Buffer> {
  for (;;) {
    const chunk = Buffer.allocUnsafe(most);
    const length = await blocks.fill(chunk);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

const DECODERS = { gzip: createGunzip, zlib: createInflate, zstd: createZstdDecompress };

/**
 * What comes of compressed bytes.
 *
 * @param name of what they are, for messages
 * @throws ContentError when they cannot be decompressed, or there are more of them behind their end
 */
export async function* decompressed(
  name: string,
  stored: AsyncIterable<Buffer>,
  compression: keyof typeof DECODERS,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  const counted = async function* () {
    for await (const chunk of stored) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  const decoder = DECODERS[compression]({ chunkSize: READ_BYTES });
  try {
    yield* pipeline(counted, decoder, () => {}) as AsyncIterable<Buffer>; // its error comes out at its end
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!/^Z(STD)?_/.test(code)) throw error;
    throw damaged(name, `its data cannot be decompressed: ${messageOf(error)}`, error);
  }
  if (decoder.bytesWritten < bytes)
    throw damaged(name, 'there is more behind the end of its compressed data');
}
