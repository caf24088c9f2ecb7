import type { DirectoryEntry } from './central-directory.ts';

/** When an entry was last changed, to two seconds, in UTC, as archiver writes it. APPNOTE 4.4.6. */
export function modifiedOf({ raw }: Pick<DirectoryEntry, 'raw'>): Date {
  const [time, date] = [raw.readUInt16LE(12), raw.readUInt16LE(14)];
  const [year, month, day] = [1980 + (date >> 9), (date >> 5) & 0xf, date & 0x1f];
  return new Date(Date.UTC(year, month - 1, day, time >> 11, (time >> 5) & 0x3f, (time & 0x1f) * 2));
}
