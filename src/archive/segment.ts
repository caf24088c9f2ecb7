/**
 * A run of archive bytes: what a later backup can copy, and prove by its MD5. At most 64 MiB, except in archives larger
 * than about 200 GiB.
 */
export interface Unit {
  /** Offset from the start of the archive, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  /** Hexadecimal. */
  readonly md5: string;
  /** Unsigned. */
  readonly crc32: number;
}

/**
 * A run of archive bytes: whole zip entries (local header and data), without a central directory. For a bare dump: all
 * of it, without entries.
 */
export interface Segment {
  readonly kind: 'database' | 'filestore' | 'description';
  /** Offset from the start of the archive, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  /** Entries of this segment that the archive's central directory names. */
  readonly entries: number;
  readonly units: readonly Unit[];
}

/** The archive's end: central directory, Zip64 records where needed, end record. */
export interface Directory {
  /** Offset from the start of the archive, in bytes. */
  readonly offset: number;
  /** Length up to the end of the archive, in bytes. */
  readonly length: number;
  /** Hexadecimal. */
  readonly md5: string;
  readonly entries: number;
}
