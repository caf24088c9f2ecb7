import { createHash } from 'node:crypto';
import type { BitSet } from '../util/bit-set.ts';
import { quoted } from '../util/controls.ts';
import { collectSooner } from '../util/garbage-collection.ts';
import { type DirectoryEntry, damaged, decodeEnd, LONGEST_END } from './central-directory.ts';
import { PackedEntries } from './packed-entries.ts';
import { type RangeReader, type ReadAhead, readExactly, readRange } from './ranges.ts';
import type { Directory } from './segment.ts';
import { sortedEntries } from './sorted-entries.ts';

/** The directory of an archive, as it is stored. */
export interface ArchiveDirectory {
  /** Its place and checksum, to be compared with those that were written. */
  readonly directory: Directory;
  /** The reader's: ends what is long to do with the entries. */
  readonly signal: AbortSignal | undefined;
  /**
   * The entries in the directory's order, until they are sorted, decoded while they are taken.
   *
   * @throws UserError at one that cannot be true
   */
  entries(): Iterable<DirectoryEntry>;
  /** The same with their numbers, which count from 0. @param wanted numbers; undefined: all */
  numbered(wanted?: BitSet): Iterable<readonly [number: number, entry: DirectoryEntry]>;
  /** The entry of a number. */
  entryAt(number: number): DirectoryEntry;
  /** Puts the entries in the order of their bytes, and numbers them so. After a failure, they are not to be used. */
  sort(): Promise<void>;
}

/** 2,000,000 filestore entries take 200 MB. A directory that claims to be larger than this, in bytes, is not read. */
const LARGEST_DIRECTORY = 2 ** 29;
/** Each takes some 200 bytes of memory while the directory is read, and 50 from then on. */
const MOST_ENTRIES = 5_000_000;
/** Number of entries from which they take most of the memory. */
const MANY_ENTRIES = 250_000;
/** Short pieces: each is packed at once, and garbage until the whole heap is collected. */
const READ_AHEAD: ReadAhead = { ahead: 5, pieceBytes: 2 ** 20 };

/**
 * Reads an archive's directory in one ranged read, in more when it is longer than some 64 KiB.
 * @throws UserError when the object is not a zip archive, or was cut short
 */
export async function readDirectory(reader: RangeReader): Promise<ArchiveDirectory> {
  const tailOffset = Math.max(0, reader.size - LONGEST_END);
  const tail = await readExactly(reader, tailOffset, reader.size - tailOffset);
  const end = decodeEnd(tail, reader.size);
  const length = reader.size - end.offset;
  if (length > LARGEST_DIRECTORY) throw damaged(`its directory claims to be ${length} bytes long`);
  if (end.entries > MOST_ENTRIES) throw damaged(`it claims to hold ${end.entries} files`);

  if (end.entries >= MANY_ENTRIES) collectSooner();
  const [md5, sha256] = [createHash('md5'), createHash('sha256')];
  let packed = new PackedEntries();
  for await (const piece of readRange(reader, end.offset, tailOffset, READ_AHEAD)) {
    md5.update(piece);
    sha256.update(piece);
    packed.add(piece);
  }
  const rest = tail.subarray(Math.max(0, end.offset - tailOffset));
  md5.update(rest);
  sha256.update(rest);
  packed.add(rest.subarray(0, end.size - length));
  packed.finish(end.entries);
  const within = (entry: DirectoryEntry): DirectoryEntry => {
    if (entry.offset + entry.compressedSize <= end.offset) return entry;
    throw damaged(`${quoted(entry.name)} would lie beyond the directory`);
  };
  return {
    directory: {
      offset: end.offset,
      length,
      md5: md5.digest('hex'),
      sha256: sha256.digest('hex'),
      entries: end.entries,
    },
    signal: reader.signal,
    *entries() {
      for (const [, entry] of packed.decode()) yield within(entry);
    },
    *numbered(wanted) {
      for (const found of packed.decode(wanted)) {
        within(found[1]);
        yield found;
      }
    },
    entryAt: (number) => within(packed.at(number)),
    async sort() {
      packed = await sortedEntries(packed, end.entries, reader.signal);
    },
  };
}
