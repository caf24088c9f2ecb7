import { createHash } from 'node:crypto';
import { type DirectoryEntry, damaged, decodeEnd, decodeEntries, LONGEST_END } from './central-directory.ts';
import type { Directory } from './segment.ts';

/** An archive that lies elsewhere and is read by ranges. Offsets and lengths in bytes. */
export interface RangeReader {
  readonly size: number;
  read(offset: number, length: number): Promise<Buffer>;
}

/** An archive's directory, as it lies there. */
export interface ArchiveDirectory {
  /** To be compared with the one that was written. */
  readonly directory: Directory;
  /** In the archive's order, decoded while they are taken. @throws UserError at one that cannot be true */
  entries(): Iterable<DirectoryEntry>;
}

/** 2,000,000 filestore entries take 200 MB. A directory that claims to be larger than this is not read. */
const LARGEST_DIRECTORY = 2 ** 30;

/**
 * Reads an archive's directory in one ranged read, two when it is longer than some 64 KiB.
 * @throws UserError when the object is not a zip archive, or was cut short
 */
export async function readDirectory(reader: RangeReader): Promise<ArchiveDirectory> {
  const tailOffset = Math.max(0, reader.size - LONGEST_END);
  const tail = await readExactly(reader, tailOffset, reader.size - tailOffset);
  const end = decodeEnd(tail, reader.size);
  const length = reader.size - end.offset;
  if (length > LARGEST_DIRECTORY) throw damaged(`its directory claims to be ${length} bytes long`);

  const missing = tailOffset - end.offset;
  const bytes =
    missing > 0
      ? Buffer.concat([await readExactly(reader, end.offset, missing), tail])
      : tail.subarray(-length);
  const md5 = createHash('md5').update(bytes).digest('hex');
  return {
    directory: { offset: end.offset, length, md5, entries: end.entries },
    *entries() {
      for (const entry of decodeEntries(bytes.subarray(0, end.size), end.entries)) {
        const within = entry.offset + entry.compressedSize <= end.offset;
        if (!within) throw damaged(`${entry.name} would lie beyond the directory`);
        yield entry;
      }
    },
  };
}

async function readExactly(reader: RangeReader, offset: number, length: number): Promise<Buffer> {
  const bytes = await reader.read(offset, length);
  if (bytes.length !== length) throw damaged(`${bytes.length} of ${length} bytes came at offset ${offset}`);
  return bytes;
}
