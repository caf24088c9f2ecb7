import type { Readable } from 'node:stream';
import { ArchiveOutput } from './archive-output.ts';
import { deflateContent, type Pieces } from './deflate-content.ts';

/** Method deflate, no name, no time, a system that is not known. RFC 1952, 2.3.1. */
const HEADER = Buffer.from('1f8b08000000000000ff', 'hex');
/** Bytes that may wait for the reader. */
const WINDOW = 2 ** 20;

/**
 * A content as gzip(1) packs it, deflated by `deflateContent`: blocks that are deflated already stay as they are. What
 * the content throws, the stream ends with.
 */
export function gzipped(content: Pieces, level: number): Readable {
  const output = new ArchiveOutput({ highWaterMark: WINDOW });
  output.on('error', () => {}); // its reader sees it, who may not have begun
  const write = async () => {
    await output.write(HEADER);
    const { size, crc32 } = await deflateContent(content, level, (bytes) => output.write(bytes));
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc32 >>> 0, 0);
    trailer.writeUInt32LE(size % 2 ** 32, 4);
    await output.write(trailer);
    output.end();
  };
  write().catch((error) => output.destroy(error));
  return output;
}
