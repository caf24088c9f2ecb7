import { quoted } from '../util/controls.ts';
import { ContentError } from '../util/errors.ts';

// The zip format: PKWARE's APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

const ENTRY = 0x02014b50; // 4.3.12
const ZIP64_END = 0x06064b50; // 4.3.14
const ZIP64_LOCATOR = 0x07064b50; // 4.3.15
const END = 0x06054b50; // 4.3.16
const ENTRY_LENGTH = 46;
const ZIP64_END_LENGTH = 56;
const ZIP64_LOCATOR_LENGTH = 20;
const END_LENGTH = 22;

/** A field that holds all ones says: look in the Zip64 record (4.4.1.4). So the largest plain value is one less. */
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;
const ZIP64_EXTRA = 0x0001; // 4.5.3
const ZIP64_VERSION = 45; // 4.4.3.2
const UTF8_NAME = 0x0800; // 4.4.4, bit 11

/** The end records lie within this many last bytes of any archive: all three of them and the longest comment. */
export const LONGEST_END = ZIP64_END_LENGTH + ZIP64_LOCATOR_LENGTH + END_LENGTH + 0xffff;

/** What the central directory says of one file in the archive. */
export interface DirectoryEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc32: number;
  /** In bytes. */
  readonly compressedSize: number;
  /** In bytes. */
  readonly size: number;
  /** Offset of the local header from the start of the archive, in bytes. */
  readonly offset: number;
  /** The bytes of the entry in the directory. */
  readonly raw: Buffer;
}

/** What is read from an archive by its entry. */
export interface HasEntry {
  readonly entry: DirectoryEntry;
}

/** What the end records say of the directory. Sizes and offsets in bytes. */
export interface DirectoryEnd {
  readonly entries: number;
  readonly size: number;
  readonly offset: number;
}

/**
 * Decodes entries of a directory.
 * @throws ContentError when the bytes are anything but exactly `count` entries
 */
export function decodeEntries(directory: Buffer, count: number): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const entry = decodeEntry(directory, at);
    at += entry.raw.length;
    entries.push(entry);
  }
  if (at !== directory.length) throw damaged(`${directory.length - at} bytes follow the last entry`);
  return entries;
}

/**
 * The entries that come first in these bytes, without the one that is cut short.
 * @throws ContentError when something else stands between them
 */
export function wholeEntries(bytes: Buffer): { readonly count: number; readonly length: number } {
  let [count, length] = [0, 0];
  while (bytes.length - length >= ENTRY_LENGTH) {
    assertSignature(bytes, length);
    const { end } = variableParts(bytes, length);
    if (end > bytes.length) break;
    length = end;
    count += 1;
  }
  return { count, length };
}

function assertSignature(bytes: Buffer, at: number): void {
  if (bytes.readUInt32LE(at) !== ENTRY) throw damaged('an entry does not start with its signature');
}

/** Where name, extra field and comment end of the entry that starts at `at`. */
function variableParts(bytes: Buffer, at: number): Readonly<Record<'nameEnd' | 'extraEnd' | 'end', number>> {
  const nameEnd = at + ENTRY_LENGTH + bytes.readUInt16LE(at + 28);
  const extraEnd = nameEnd + bytes.readUInt16LE(at + 30);
  return { nameEnd, extraEnd, end: extraEnd + bytes.readUInt16LE(at + 32) };
}

/** Millions are decoded at a time: no more than one view of its bytes is made of each. */
function decodeEntry(directory: Buffer, at: number): DirectoryEntry {
  if (directory.length < at + ENTRY_LENGTH) throw damaged('an entry is cut short');
  assertSignature(directory, at);
  const { nameEnd, extraEnd, end } = variableParts(directory, at);
  if (directory.length < end) throw damaged('an entry is cut short');
  const bytes = directory.subarray(at, end);
  if (bytes.readUInt16LE(34) !== 0) throw damaged('it spans several disks');

  // Bytes that are not UTF-8 are CP437 (appendix D.1); latin1 keeps them apart just as well.
  const encoding = bytes.readUInt16LE(8) & UTF8_NAME ? 'utf8' : 'latin1';
  const name = directory.toString(encoding, at + ENTRY_LENGTH, nameEnd);
  const zip64 = extraEnd > nameEnd ? splitExtra(directory.subarray(nameEnd, extraEnd)).zip64 : undefined;
  let used = 0;
  // The Zip64 field holds only what did not fit, in this order. Without such a field all ones are just a number.
  const field = (at: number): number => {
    const value = bytes.readUInt32LE(at);
    if (value !== FULL_32 || !zip64) return value;
    if (zip64.length < used + 8) throw damaged(`the Zip64 field of ${quoted(name)} is too short`);
    used += 8;
    return readUInt64(zip64, used - 8);
  };
  const size = field(24);
  const compressedSize = field(20);
  const offset = field(42);
  return {
    name,
    method: bytes.readUInt16LE(10),
    crc32: bytes.readUInt32LE(16),
    compressedSize,
    size,
    offset,
    raw: bytes,
  };
}

/** Splits an extra field (4.5.1) into the content of its Zip64 part and the bytes of all others. */
function splitExtra(extra: Buffer): { zip64: Buffer | undefined; others: Buffer } {
  let zip64: Buffer | undefined;
  const others: Buffer[] = [];
  for (let at = 0; at < extra.length; ) {
    const end = at + 4 + (at + 4 <= extra.length ? extra.readUInt16LE(at + 2) : 0);
    if (end > extra.length) throw damaged('an extra field is cut short');
    if (extra.readUInt16LE(at) !== ZIP64_EXTRA) others.push(extra.subarray(at, end));
    else if (zip64) throw damaged('an entry has two Zip64 fields');
    else zip64 = extra.subarray(at + 4, end);
    at = end;
  }
  return { zip64, others: Buffer.concat(others) };
}

/** Encodes an entry whose local header now lies at another offset; everything else stays as it was. */
export function moveEntry(entry: DirectoryEntry, offset: number): Buffer {
  const { nameEnd, extraEnd } = variableParts(entry.raw, 0);
  const large = [entry.size, entry.compressedSize, offset].filter((value) => value >= FULL_32);
  const zip64 = Buffer.alloc(large.length > 0 ? 4 + 8 * large.length : 0);
  if (large.length > 0) {
    zip64.writeUInt16LE(ZIP64_EXTRA, 0);
    zip64.writeUInt16LE(8 * large.length, 2);
    for (const [i, value] of large.entries()) zip64.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  }
  const { others } = splitExtra(entry.raw.subarray(nameEnd, extraEnd));
  if (zip64.length + others.length > 0xffff)
    throw damaged(`${quoted(entry.name)} has no room for a Zip64 field`);

  const fixed = Buffer.from(entry.raw.subarray(0, ENTRY_LENGTH));
  if (large.length > 0) fixed.writeUInt16LE(Math.max(ZIP64_VERSION, fixed.readUInt16LE(6)), 6);
  fixed.writeUInt32LE(Math.min(entry.compressedSize, FULL_32), 20);
  fixed.writeUInt32LE(Math.min(entry.size, FULL_32), 24);
  fixed.writeUInt16LE(zip64.length + others.length, 30);
  fixed.writeUInt32LE(Math.min(offset, FULL_32), 42);
  const name = entry.raw.subarray(ENTRY_LENGTH, nameEnd);
  return Buffer.concat([fixed, name, zip64, others, entry.raw.subarray(extraEnd)]);
}

/** Encodes what follows the entries: the end record, before it the Zip64 pair where a number needs it. */
export function encodeEnd({ entries, size, offset }: DirectoryEnd): Buffer {
  const end = Buffer.alloc(END_LENGTH);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(Math.min(entries, FULL_16), 8);
  end.writeUInt16LE(Math.min(entries, FULL_16), 10);
  end.writeUInt32LE(Math.min(size, FULL_32), 12);
  end.writeUInt32LE(Math.min(offset, FULL_32), 16);
  if (entries < FULL_16 && size < FULL_32 && offset < FULL_32) return end;

  const zip64 = Buffer.alloc(ZIP64_END_LENGTH);
  zip64.writeUInt32LE(ZIP64_END, 0);
  zip64.writeBigUInt64LE(BigInt(ZIP64_END_LENGTH - 12), 4); // without itself and the signature (4.3.14.1)
  zip64.writeUInt16LE(ZIP64_VERSION, 12);
  zip64.writeUInt16LE(ZIP64_VERSION, 14);
  for (const [i, value] of [entries, entries, size, offset].entries()) {
    zip64.writeBigUInt64LE(BigInt(value), 24 + 8 * i);
  }
  const locator = Buffer.alloc(ZIP64_LOCATOR_LENGTH);
  locator.writeUInt32LE(ZIP64_LOCATOR, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([zip64, locator, end]);
}

/**
 * Decodes the end records of an archive of `archiveSize` bytes from its last bytes: `LONGEST_END` of them, or all.
 * @throws ContentError when there are none, or they contradict each other or the archive's size
 */
export function decodeEnd(tail: Buffer, archiveSize: number): DirectoryEnd {
  const tailOffset = archiveSize - tail.length;
  const endAt = findEnd(tail);
  const numbers = { entries: tail.readUInt16LE(endAt + 10), size: tail.readUInt32LE(endAt + 12), offset: 0 };
  numbers.offset = tail.readUInt32LE(endAt + 16);
  let directoryEnd = tailOffset + endAt;

  const full = numbers.entries === FULL_16 || numbers.size === FULL_32 || numbers.offset === FULL_32;
  const locatorAt = endAt - ZIP64_LOCATOR_LENGTH;
  if (full && locatorAt >= 0 && tail.readUInt32LE(locatorAt) === ZIP64_LOCATOR) {
    const zip64At = readUInt64(tail, locatorAt + 8) - tailOffset;
    // Right before the locator: records with an extensible data sector (4.3.14.2) are for encryption.
    if (zip64At !== locatorAt - ZIP64_END_LENGTH || zip64At < 0 || tail.readUInt32LE(zip64At) !== ZIP64_END) {
      throw damaged('the Zip64 end record is not where it should be');
    }
    const larger = (value: number, all: number, at: number): number => {
      const value64 = readUInt64(tail, zip64At + at);
      if (value !== all && value !== value64) throw damaged('its two end records contradict each other');
      return value64;
    };
    numbers.entries = larger(numbers.entries, FULL_16, 32);
    numbers.size = larger(numbers.size, FULL_32, 40);
    numbers.offset = larger(numbers.offset, FULL_32, 48);
    directoryEnd = tailOffset + zip64At;
  }
  if (numbers.offset + numbers.size !== directoryEnd || numbers.size < numbers.entries * ENTRY_LENGTH) {
    throw damaged('the end record does not fit the directory before it');
  }
  return numbers;
}

/** The end record is the last one whose comment reaches exactly to the end. */
function findEnd(tail: Buffer): number {
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(END);
  let at = tail.length - END_LENGTH;
  while (at >= 0) {
    at = tail.lastIndexOf(signature, at);
    if (at >= 0 && at + END_LENGTH + tail.readUInt16LE(at + 20) === tail.length) return at;
    at -= 1;
  }
  throw damaged('it has no end record');
}

function readUInt64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('a size or an offset is absurd');
  return Number(value);
}

/** The one error for bytes that are not the directory of a whole archive. */
export function damaged(what: string): ContentError {
  return new ContentError(
    `This is not a zip archive, or one that was cut short: ${what}.`,
    'The object was not written by a backup that succeeded, or was changed since. Choose another backup.',
  );
}
