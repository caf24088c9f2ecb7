import type { RangeReader } from '../archive/ranges.ts';
import { readRange } from '../archive/ranges.ts';
import { readDirectory } from '../archive/reader.ts';
import { type CheckedRange, UnitCheck } from '../archive/units.ts';
import { walkArchive } from '../archive/walk.ts';
import { checkFile, filestoreOf } from '../backup-reader/filestore.ts';
import { membersOf } from '../backup-reader/members.ts';
import type { Run } from '../platform/run.ts';
import { UserError } from '../util/errors.ts';
import type { Download } from './download.ts';
import type { NewFile } from './new-file.ts';

/** Reads the file through. @throws UserError where it is not what was to be downloaded */
export async function checkOnDisk(
  { units, covered, reader }: Download,
  file: NewFile,
  passed: (bytes: number) => void,
  { platform, signal }: Run,
): Promise<void> {
  const ranges = rangesOf(file, reader.size, signal);
  if (covered === reader.size) {
    const check = new UnitCheck(units);
    for await (const bytes of readRange(ranges, 0, ranges.size)) {
      check.update(bytes);
      passed(bytes.length);
    }
    if (check.broken) throw otherOnDisk(file, check.broken);
    return platform.info('Every unit has the MD5 of the receipt');
  }
  if ((await ranges.read(0, Math.min(2, ranges.size))).toString('latin1') !== 'PK') {
    return platform.warning('Nothing says what this dump has to be: it is as it lies in the bucket');
  }
  await checkZip(ranges, passed);
  platform.info(
    'Every file has the CRC-32 of the directory, and those of the filestore the SHA-1 of their names',
  );
}

/** Where no receipt says what the bytes have to be, the zip itself does. */
async function checkZip(ranges: RangeReader, passed: (bytes: number) => void): Promise<void> {
  const archive = await readDirectory(ranges);
  const members = await membersOf(archive);
  const filestore = (await filestoreOf(members, undefined, []))?.files;
  const seen = ({ length }: Buffer) => passed(length);
  const end = archive.directory.offset;
  for await (const { file: member, content } of walkArchive(ranges, members.all(), end, seen)) {
    const file = filestore?.of(member);
    if (file) await checkFile(file, content);
    else if (!Buffer.isBuffer(content)) for await (const _ of content);
  }
}

/** The file, to be read at random. */
export function rangesOf({ handle, temporary }: NewFile, size: number, signal: AbortSignal): RangeReader {
  return {
    size,
    signal,
    async read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      let read = 0;
      while (read < length) {
        const { bytesRead } = await handle.read(bytes, read, length - read, offset + read);
        if (bytesRead === 0)
          throw new UserError(`${temporary} has become shorter`, 'Something else writes it.');
        read += bytesRead;
      }
      return bytes;
    },
  };
}

export const otherOnDisk = ({ temporary }: NewFile, { offset, length }: CheckedRange): UserError =>
  new UserError(
    `${temporary} does not hold what was written to it, from ${offset} to ${offset + length}`,
    'Its disk loses data, or something else writes this file. Run this again: it goes on from what is right.',
  );
