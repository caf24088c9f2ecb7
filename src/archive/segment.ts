import {
  count,
  countUpTo,
  type Decoded,
  list,
  md5,
  object,
  oneOf,
  optional,
  sha256,
} from '../util/decode.ts';

/** S3 allows 10,000 parts an object: a range that a later backup can copy is a part, or several. */
const MOST_UNITS = 20_000;

const decodeUnit = object({
  /** Offset from the start of the archive, in bytes. */
  offset: count,
  /** In bytes. */
  length: count,
  md5,
  /** Unsigned. */
  crc32: countUpTo(0xffffffff),
});

/**
 * A run of archive bytes: what a later backup can copy, and prove by its MD5. At most 64 MiB, except in archives larger
 * than about 200 GiB.
 */
export interface Unit extends Decoded<typeof decodeUnit> {}

const decodeSegment = object({
  kind: oneOf('database', 'filestore', 'description'),
  /** Offset from the start of the archive, in bytes. */
  offset: count,
  /** In bytes. */
  length: count,
  /** Entries of this segment that the archive's central directory names. */
  entries: count,
  units: list(decodeUnit, MOST_UNITS),
});

/**
 * A run of archive bytes: whole zip entries (local header and data), without a central directory. For a bare dump: all
 * of it, without entries.
 */
export interface Segment extends Decoded<typeof decodeSegment> {}

export const decodeSegments = list(decodeSegment, MOST_UNITS);

export const decodeDirectory = object({
  /** Offset from the start of the archive, in bytes. */
  offset: count,
  /** Length up to the end of the archive, in bytes. */
  length: count,
  md5,
  /** Absent in older receipts. */
  sha256: optional(sha256),
  entries: count,
});

/** The archive's end: central directory, Zip64 records where needed, end record. */
export interface Directory extends Decoded<typeof decodeDirectory> {}
