import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { DirectoryEntry } from '../../src/archive/central-directory.ts';
import { readDirectory } from '../../src/archive/reader.ts';
import type { Unit } from '../../src/archive/segment.ts';
import type { ArchiveSummary } from '../../src/archive/writer.ts';
import { SerialWriter } from './serial-writer.ts';

/** Writes an archive into memory. Its summary says the same as its directory. */
export async function writeArchive(
  add: (writer: SerialWriter) => Promise<void>,
): Promise<{ bytes: Buffer; summary: ArchiveSummary; entries: DirectoryEntry[] }> {
  await using writer = new SerialWriter({ level: 6 });
  const output = writer.output.toArray();
  await add(writer);
  const summary = await writer.finish();
  const bytes = Buffer.concat(await output);
  const { directory, entries } = await readDirectory({
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  });
  assert.deepEqual(summary.directory, directory);
  assert.equal(summary.size, bytes.length);
  assert.equal(summary.entries, directory.entries);
  return { bytes, summary, entries: [...entries()] };
}

/** The units follow each other from `start` on, are as long as they should be, and are what is there. */
export function assertUnits(units: readonly Unit[], bytes: Buffer, start: number, unitSize: number): void {
  let offset = start;
  for (const unit of units) {
    const part = bytes.subarray(offset, offset + unit.length);
    const md5 = createHash('md5').update(part).digest('hex');
    assert.deepEqual(unit, { offset, length: part.length, md5, crc32: crc32(part) });
    assert.ok(unit.length === unitSize || unit === units.at(-1));
    offset += unit.length;
  }
}
