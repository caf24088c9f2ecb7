import { pipeline } from 'node:stream';
import { createInflate, createZstdDecompress } from 'node:zlib';
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
  let bytes = 0;
  const stored = async function* () {
    for (;;) {
      const chunk = Buffer.allocUnsafe(compression === 'none' ? READ_BYTES : STORED_BYTES);
      const length = await blocks.fill(chunk);
      bytes += length;
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  };
  if (compression === 'none') return yield* stored();
  const decoder =
    compression === 'gzip'
      ? createInflate({ chunkSize: READ_BYTES })
      : createZstdDecompress({ chunkSize: READ_BYTES });
  try {
    yield* pipeline(stored, decoder, () => {}) as AsyncIterable<Buffer>; // its error comes out at its end
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw /^Z(STD)?_/.test(code)
      ? damaged(name, `its data cannot be decompressed: ${messageOf(error)}`, error)
      : error;
  }
  if (decoder.bytesWritten < bytes)
    throw damaged(name, 'there is more behind the end of its compressed data');
}
