import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { RangeReader } from '../../../src/archive/ranges.ts';
import { readDirectory } from '../../../src/archive/reader.ts';
import { UserError } from '../../../src/util/errors.ts';
import { SerialWriter } from '../../support/serial-writer.ts';
import { rangesOf } from '../../support/zips.ts';

const fixture = readFileSync(new URL('../../fixtures/odoo14_standard.zip', import.meta.url));

async function archiveOf(entries: number): Promise<{ bytes: Buffer; directory: object }> {
  const writer = new SerialWriter({ level: 1 });
  const output = writer.output.toArray();
  await writer.begin('filestore');
  const content = Buffer.from('content');
  for (let i = 0; i < entries; i++)
    await writer.add(`filestore/${i}`, content, { deflate: false, modified: new Date() });
  const { directory } = await writer.finish();
  return { bytes: Buffer.concat(await output), directory };
}

test('a small directory takes one read, a large one two, and both are what was written', async () => {
  for (const [entries, reads] of [
    [0, 1],
    [1, 1],
    [3000, 2],
  ] as const) {
    const { bytes, directory } = await archiveOf(entries);
    const reader = rangesOf(bytes);
    const read = await readDirectory(reader);
    assert.deepEqual(read.directory, directory);
    assert.equal(reader.ranges.length, reads);
    const names = Array.from(read.entries(), ({ name }) => name);
    assert.deepEqual(
      names,
      Array.from({ length: entries }, (_, i) => `filestore/${i}`),
    );
  }
});

test('an archive that Odoo wrote is read', async () => {
  const reader = rangesOf(fixture);
  const { directory, entries } = await readDirectory(reader);
  assert.equal(directory.md5, createHash('md5').update(fixture.subarray(directory.offset)).digest('hex'));
  assert.equal([...entries()].length, directory.entries);
  const dump = [...entries()].find(({ name }) => name === 'dump.sql');
  assert.ok(dump && dump.size > 9_000_000);
});

test('one changed byte of the directory changes its MD5', async () => {
  const before = await readDirectory(rangesOf(fixture));
  const changed = Buffer.from(fixture);
  changed[before.directory.offset + 20] = 0xab;
  const after = await readDirectory(rangesOf(changed));
  assert.notEqual(after.directory.md5, before.directory.md5);
});

test('what is no whole zip archive is refused', async () => {
  const cases: [what: string, reader: RangeReader][] = [
    ['nothing', rangesOf(Buffer.alloc(0))],
    ['a tar', rangesOf(Buffer.alloc(100_000))],
    ['one byte less', rangesOf(fixture.subarray(0, -1))],
    ['cut in its directory', rangesOf(fixture.subarray(0, -1000))],
    ['half', rangesOf(fixture.subarray(0, fixture.length / 2))],
    ['without its start', rangesOf(fixture.subarray(1))],
    ['one byte more', rangesOf(Buffer.concat([fixture, Buffer.alloc(1)]))],
  ];
  for (const [what, reader] of cases) {
    await assert.rejects(
      readDirectory(reader),
      (error) =>
        error instanceof UserError && /not a zip archive, or one that was cut short/.test(error.message),
      what,
    );
  }
  const shorter = { ...rangesOf(fixture), size: fixture.length + 10 };
  await assert.rejects(readDirectory(shorter), /Only \d+ of \d+ bytes came/);
});

test('an entry that points beyond the directory is refused when it is taken', async () => {
  const changed = Buffer.from(fixture);
  const { directory } = await readDirectory(rangesOf(fixture));
  changed.writeUInt32LE(directory.offset, directory.offset + 42);
  const { entries } = await readDirectory(rangesOf(changed));
  assert.throws(() => [...entries()], UserError);
});
