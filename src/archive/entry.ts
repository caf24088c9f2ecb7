import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { quoted } from '../util/controls.ts';
import { ContentError } from '../util/errors.ts';
import type { DirectoryEntry } from './central-directory.ts';
import type { RangeReader } from './ranges.ts';
import { PIECE_BYTES, readExactly, readRange } from './ranges.ts';

// The zip format: PKWARE's APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

const LOCAL_HEADER = 0x04034b50; // 4.3.7
export const LOCAL_HEADER_LENGTH = 30;
/** The directory does not tell how long the extra field of the local header is: room for those of usual programs. */
const USUAL_EXTRA = 96;
const DIRECTORY_HEADER_LENGTH = 46; // 4.3.12, where the name begins
export const STORED = 0;
export const DEFLATED = 8;

/**
 * Reads one entry's content by ranged reads, the next one under way while this one is taken. The stream ends only when
 * the content is as long as the directory says and has its CRC-32; it never gives a byte more than that.
 */
export function openEntry(reader: RangeReader, entry: DirectoryEntry): Readable {
  return Readable.from(contentOf(reader, entry), { objectMode: false });
}

async function* contentOf(reader: RangeReader, entry: DirectoryEntry): AsyncGenerator<Buffer> {
  yield* decodeStream(storedBytes(reader, entry), entry);
}

/**
 * An entry's content, from its bytes as they lie in the archive, without the local header.
 * @throws ContentError at the end, or where it is longer, when it is not what the directory says
 */
export async function* decodeStream(
  stored: AsyncIterable<Buffer>,
  entry: DirectoryEntry,
): AsyncGenerator<Buffer> {
  const check = new ContentCheck(entry);
  for await (const bytes of entry.method === DEFLATED ? inflated(stored, entry) : stored) {
    check.update(bytes);
    yield bytes;
  }
  check.finish();
}

/** An entry's bytes as they lie in the archive, without the local header. */
async function* storedBytes(reader: RangeReader, entry: DirectoryEntry): AsyncGenerator<Buffer> {
  const firstEnd = Math.min(entry.offset + PIECE_BYTES, likelyEnd(entry), reader.size);
  const first = await readExactly(reader, entry.offset, firstEnd - entry.offset);
  const start = entry.offset + localHeaderLength(first, entry);
  const end = start + entry.compressedSize;
  if (end > reader.size) throw broken(entry, 'it would reach beyond the end of the archive');
  yield first.subarray(start - entry.offset, end - entry.offset);
  yield* readRange(reader, Math.max(firstEnd, start), end);
}

async function* inflated(stored: AsyncIterable<Buffer>, entry: DirectoryEntry): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 });
  pipeline(Readable.from(stored, { objectMode: false }), inflate, () => {}); // the reader of `inflate` sees its error
  try {
    yield* inflate;
  } catch (error) {
    throw notDeflated(error, entry);
  } finally {
    inflate.destroy(); // after an end that comes before its input's
  }
}

/** The offset that an entry's bytes most likely do not reach beyond. */
export function likelyEnd(entry: DirectoryEntry): number {
  return entry.offset + LOCAL_HEADER_LENGTH + nameOf(entry).length + USUAL_EXTRA + entry.compressedSize;
}

/**
 * The content of a small entry, from bytes that begin with its local header. Returns undefined when they end before
 * the entry does.
 * @throws ContentError when it is not what the directory says
 */
export function decodeEntry(bytes: Buffer, entry: DirectoryEntry): Buffer | undefined {
  const start = localHeaderLength(bytes, entry);
  const stored = bytes.subarray(start, start + entry.compressedSize);
  if (stored.length < entry.compressedSize) return undefined;
  return decodeStored(stored, entry);
}

/**
 * The content of a small entry, from its bytes as they lie in the archive, without the local header.
 * @throws ContentError when it is not what the directory says
 */
export function decodeStored(stored: Buffer, entry: DirectoryEntry): Buffer {
  const check = new ContentCheck(entry);
  const content = entry.method === DEFLATED ? inflateWhole(stored, entry) : stored;
  check.update(content);
  check.finish();
  return content;
}

function inflateWhole(stored: Buffer, entry: DirectoryEntry): Buffer {
  try {
    return inflateRawSync(stored, { maxOutputLength: Math.max(1, entry.size) });
  } catch (error) {
    throw notDeflated(error, entry);
  }
}

/** Errors of zlib are about the entry; all others come from the reader of the archive. */
function notDeflated(error: unknown, entry: DirectoryEntry): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_BUFFER_TOO_LARGE') return longer(entry);
  return /^Z_/.test(code) ? broken(entry, 'it cannot be decompressed', error) : error;
}

/** Looks at the local header, which has to agree with the directory. Returns the length with name and extra field. */
export function localHeaderLength(bytes: Buffer, entry: DirectoryEntry): number {
  const name = nameOf(entry);
  const nameEnd = LOCAL_HEADER_LENGTH + name.length;
  if (bytes.length < nameEnd || bytes.readUInt32LE(0) !== LOCAL_HEADER) {
    throw broken(entry, 'no local header is where the directory says');
  }
  if (bytes.readUInt16LE(26) !== name.length || !bytes.subarray(LOCAL_HEADER_LENGTH, nameEnd).equals(name)) {
    throw broken(entry, 'its local header has a different name');
  }
  if (bytes.readUInt16LE(6) & 1) throw broken(entry, 'its local header says that it is encrypted');
  const method = bytes.readUInt16LE(8);
  if (method !== entry.method || (method !== STORED && method !== DEFLATED)) {
    throw broken(entry, `its compression methods are ${entry.method} and ${method}`);
  }
  return nameEnd + bytes.readUInt16LE(28);
}

/** The name's bytes, before they were decoded. */
function nameOf(entry: DirectoryEntry): Buffer {
  return entry.raw.subarray(DIRECTORY_HEADER_LENGTH, DIRECTORY_HEADER_LENGTH + entry.raw.readUInt16LE(28));
}

/** Compares content with the size and the CRC-32 of the directory while it passes. */
class ContentCheck {
  readonly #entry: DirectoryEntry;
  #size = 0;
  #crc32 = 0;

  constructor(entry: DirectoryEntry) {
    this.#entry = entry;
  }

  update(bytes: Buffer): void {
    this.#size += bytes.length;
    if (this.#size > this.#entry.size) throw longer(this.#entry);
    this.#crc32 = crc32(bytes, this.#crc32);
  }

  finish(): void {
    const { size } = this.#entry;
    if (this.#size !== size) throw broken(this.#entry, `it has ${this.#size} bytes instead of ${size}`);
    if (this.#crc32 !== this.#entry.crc32) throw broken(this.#entry, 'its CRC-32 does not match');
  }
}

const longer = (entry: DirectoryEntry): ContentError => broken(entry, `it has more than ${entry.size} bytes`);

/** The one error for an entry that is not what the directory says. */
export function broken(entry: DirectoryEntry, what: string, cause?: unknown): ContentError {
  return new ContentError(
    `${quoted(entry.name)} is not what the archive's directory says: ${what}.`,
    'The archive was damaged or changed after it was written. Choose another backup.',
    { cause },
  );
}
