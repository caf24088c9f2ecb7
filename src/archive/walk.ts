import type { DirectoryEntry, HasEntry } from './central-directory.ts';
import { broken, decodeStored, decodeStream, LOCAL_HEADER_LENGTH, localHeaderLength } from './entry.ts';
import type { RangeReader, ReadAhead } from './ranges.ts';
import { readRange } from './ranges.ts';

/** A file of the archive and its content, which is checked before it is given, or at its end. */
export interface WalkedFile<File> {
  readonly file: File;
  /** A stream where it is large. It has to be read to its end before the next file is taken. */
  readonly content: Buffer | AsyncIterable<Buffer>;
}

/** Larger entries are streamed, in bytes. */
const HELD_BYTES = 4 * 2 ** 20;
const READ_AHEAD: ReadAhead = { ahead: 6, pieceBytes: 2 * 2 ** 20 };
/** Bit 3 of the general purpose flag: sizes and CRC-32 follow the data. APPNOTE 4.4.4. */
const DESCRIPTOR = 0x08;
/** Its signature, CRC-32 and two sizes, of 4 or of 8 bytes each. APPNOTE 4.3.9. */
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const LONG_DESCRIPTOR_LENGTH = 24;
const ZIP64_VERSION = 45;

/**
 * Reads an archive once, from its first byte to its directory, and gives every file. What stands before and behind the
 * content of an entry has to be what the directory says as well.
 *
 * @param files in the order of their bytes. No more than one is taken before it is needed.
 * @param end where the directory begins
 * @param seen is told every byte, in their order
 * @throws ContentError that names the entry which is not what the directory says
 */
export async function* walkArchive<File extends HasEntry>(
  reader: RangeReader,
  files: Iterable<File>,
  end: number,
  seen: (bytes: Buffer) => void,
): AsyncGenerator<WalkedFile<File>> {
  const cursor = new Cursor(readRange(reader, 0, end, READ_AHEAD), seen);
  for (const [file, next] of withNext(files)) {
    const { entry } = file;
    const limit = next?.entry.offset ?? end;
    await cursor.skipTo(entry.offset);
    const header = await readHeader(cursor, entry);
    const dataEnd = cursor.position + entry.compressedSize;
    if (dataEnd > limit) throw broken(entry, 'it reaches into what lies behind it');
    if (Math.max(entry.size, entry.compressedSize) <= HELD_BYTES) {
      yield { file, content: decodeStored(await cursor.take(entry.compressedSize), entry) };
    } else {
      yield { file, content: decodeStream(cursor.stream(entry.compressedSize), entry) };
      if (cursor.position !== dataEnd) throw broken(entry, 'other bytes follow its content');
    }
    if (header.readUInt16LE(6) & DESCRIPTOR) {
      const length = Math.min(LONG_DESCRIPTOR_LENGTH, limit - dataEnd);
      assertDescriptor(await cursor.take(length), entry);
    }
  }
  await cursor.skipTo(end);
}

/** Each value, and the one behind it. */
function* withNext<T>(values: Iterable<T>): Generator<readonly [T, T | undefined]> {
  let last: { readonly value: T } | undefined;
  for (const value of values) {
    if (last) yield [last.value, value];
    last = { value };
  }
  if (last) yield [last.value, undefined];
}

async function readHeader(cursor: Cursor, entry: DirectoryEntry): Promise<Buffer> {
  const fixed = await cursor.take(LOCAL_HEADER_LENGTH);
  const whole = fixed.length === LOCAL_HEADER_LENGTH;
  const names = whole ? fixed.readUInt16LE(26) + fixed.readUInt16LE(28) : 0;
  const header = Buffer.concat([fixed, await cursor.take(names)]);
  localHeaderLength(header, entry);
  assertSameFields(header, entry);
  return header;
}

/** Fields of the local header, and where the directory has them: 2 bytes further on. APPNOTE 4.3.7, 4.3.12. */
const FIELDS: readonly [name: string, at: number, bytes: 2 | 4][] = [
  ['flags', 6, 2],
  ['time', 10, 2],
  ['date', 12, 2],
];
const SIZES: typeof FIELDS = [
  ['CRC-32', 14, 4],
  ['compressed size', 18, 4],
  ['size', 22, 4],
];

function assertSameFields(header: Buffer, entry: DirectoryEntry): void {
  const { raw } = entry;
  // A program that writes a stream knows only after it whether it has to be Zip64.
  const [version, needed] = [header.readUInt16LE(4), raw.readUInt16LE(6)];
  if (version !== needed && needed !== ZIP64_VERSION) throw otherHeader(entry, 'version');
  for (const [name, at, bytes] of [...FIELDS, ...SIZES]) {
    const here = header.readUIntLE(at, bytes);
    const isLater = bytes === 4 && here === 0 && header.readUInt16LE(6) & DESCRIPTOR;
    if (here !== raw.readUIntLE(at + 2, bytes) && !isLater) throw otherHeader(entry, name);
  }
}

const otherHeader = (entry: DirectoryEntry, field: string) =>
  broken(entry, `its local header has a different ${field}`);

function assertDescriptor(bytes: Buffer, entry: DirectoryEntry): void {
  const expected = Buffer.alloc(LONG_DESCRIPTOR_LENGTH);
  expected.writeUInt32LE(DESCRIPTOR_SIGNATURE, 0);
  expected.writeUInt32LE(entry.crc32, 4);
  const long = Math.max(entry.size, entry.compressedSize) > 0xffffffff;
  if (long) {
    expected.writeBigUInt64LE(BigInt(entry.compressedSize), 8);
    expected.writeBigUInt64LE(BigInt(entry.size), 16);
  } else {
    expected.writeUInt32LE(entry.compressedSize, 8);
    expected.writeUInt32LE(entry.size, 12);
  }
  const length = long ? LONG_DESCRIPTOR_LENGTH : 16;
  if (!bytes.subarray(0, length).equals(expected.subarray(0, length))) {
    throw broken(entry, 'its data descriptor has a different size or CRC-32');
  }
}

/** A place in bytes that come one after the other. */
class Cursor {
  /** Bytes from the first one. */
  position = 0;
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #seen: (bytes: Buffer) => void;
  /** Not taken yet. */
  #piece: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterator<Buffer>, seen: (bytes: Buffer) => void) {
    this.#pieces = pieces;
    this.#seen = seen;
  }

  /** The next bytes, as they come; fewer where they end. */
  async *stream(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (this.#piece.length === 0 && !(await this.#advance())) return;
      const part = this.#cut(left);
      left -= part.length;
      yield part;
    }
  }

  /** The next bytes at once; fewer where they end. */
  async take(length: number): Promise<Buffer> {
    if (length <= this.#piece.length) return this.#cut(length);
    const parts: Buffer[] = [];
    for await (const part of this.stream(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async skipTo(offset: number): Promise<void> {
    for await (const _ of this.stream(offset - this.position));
  }

  #cut(length: number): Buffer {
    const part = this.#piece.subarray(0, length);
    this.#piece = this.#piece.subarray(part.length);
    this.position += part.length;
    return part;
  }

  async #advance(): Promise<boolean> {
    const next = await this.#pieces.next();
    if (next.done) return false;
    this.#piece = next.value;
    this.#seen(next.value);
    return true;
  }
}
