import { Readable } from 'node:stream';
import { deflateRawSync } from 'node:zlib';

/** Formats that are compressed inside, by the bytes they start with (`offset` bytes in). */
const COMPRESSED: readonly { readonly magic: Buffer; readonly offset: number }[] = [
  'ffd8ff', // JPEG
  '89504e47', // PNG
  '47494638', // GIF
  '504b0304', // zip: .docx, .xlsx, .odt, .jar
  '1f8b', // gzip
  '28b52ffd', // Zstandard
  '04224d18', // LZ4
  '425a68', // bzip2
  'fd377a585a00', // xz
  '377abcaf271c', // 7z
  '526172211a07', // RAR
  '774f4646', // WOFF
  '774f4632', // WOFF2
  '494433', // MP3 with an ID3 tag
  'fffb', // MP3
  '4f676753', // Ogg
  '664c6143', // FLAC
  '1a45dfa3', // WebM, Matroska
  { hex: '66747970', offset: 4 }, // MP4, MOV, HEIC, AVIF: "ftyp"
  { hex: '57454250', offset: 8 }, // WebP: "RIFF", length, "WEBP"
].map((magic) => {
  const { hex, offset } = typeof magic === 'string' ? { hex: magic, offset: 0 } : magic;
  return { magic: Buffer.from(hex, 'hex'), offset };
});

/** How many first bytes of a file `shouldDeflate` looks at. */
export const SAMPLE_LENGTH = 8 * 1024;

/** What a deflated entry costs besides its data: sizes and CRC follow in a data descriptor (APPNOTE 4.3.9). */
const DESCRIPTOR_LENGTH = 16;

/**
 * Whether a file is worth deflating, from its first bytes (`SAMPLE_LENGTH` are enough; fewer only where the file
 * is shorter): known formats by their magic, all others by trying. It is when that saves a tenth or more.
 * PDF is not in the list: some are compressed inside and some are not.
 */
export function shouldDeflate(head: Buffer): boolean {
  if (COMPRESSED.some(({ magic, offset }) => head.subarray(offset, offset + magic.length).equals(magic))) {
    return false;
  }
  const sample = head.subarray(0, SAMPLE_LENGTH);
  const limit = sample.length * 0.9 - DESCRIPTOR_LENGTH;
  if (limit <= 0) return false;
  // Buffers and a window no larger than the sample: 70,000 files make so much of zlib's usual ones that Node holds
  // hundreds of megabytes before it collects them.
  const chunkSize = Math.max(64, sample.length);
  return deflateRawSync(sample, { level: 1, windowBits: 13, memLevel: 5, chunkSize }).length <= limit;
}

/** A content, and whether it is worth deflating. Of a stream the first bytes are read, and given again. */
export async function tried(
  content: Buffer | AsyncIterable<Buffer>,
): Promise<{ readonly deflate: boolean; readonly source: Buffer | Readable }> {
  if (Buffer.isBuffer(content)) return { deflate: shouldDeflate(content), source: content };
  const { head, source } = await peek(content);
  return { deflate: shouldDeflate(head), source };
}

/** The first bytes of a stream, and all of it. */
async function peek(stream: AsyncIterable<Buffer>): Promise<{ head: Buffer; source: Readable }> {
  const chunks = stream[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < SAMPLE_LENGTH) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const rest = { [Symbol.asyncIterator]: () => chunks };
  const all = async function* () {
    yield head;
    yield* rest;
  };
  return { head, source: Readable.from(all(), { objectMode: false }) };
}
