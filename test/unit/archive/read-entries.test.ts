import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import type { RangeReader } from '../../../src/archive/ranges.ts';
import { readEntries } from '../../../src/archive/read-entries.ts';
import { archive } from '../../support/odoo.ts';
import { noise, zipOf } from '../../support/written-archive.ts';
import { filesOf, rangesOf } from '../../support/zips.ts';

const MIB = 2 ** 20;

test('neighbours come with one request, a large one as a stream, in the order in which they are asked for', async () => {
  const contents: Record<string, Buffer> = {};
  for (let i = 0; i < 2000; i++) contents[`small/${i}`] = Buffer.from(`content ${i}`);
  contents.large = noise(9 * MIB);
  contents.last = Buffer.from('last');
  const zip = await zipOf(contents, false);
  const reader = rangesOf(zip);
  const seen: string[] = [];
  for await (const { file, content } of readEntries(reader, await filesOf(zip))) {
    const { entry } = file;
    assert.equal(Buffer.isBuffer(content), entry.name !== 'large');
    const read = Buffer.isBuffer(content) ? content : await buffer(content);
    assert.ok(read.equals(contents[entry.name] ?? Buffer.alloc(0)), entry.name);
    seen.push(entry.name);
  }
  assert.deepEqual(seen, Object.keys(contents));
  assert.equal(reader.ranges.length, 5); // 1000 at once, twice; the large one in two pieces; the last
});

test('what is far apart is not read', async () => {
  const zip = await zipOf(
    { first: Buffer.from('1'), between: noise(3 * MIB), last: Buffer.from('2') },
    false,
  );
  const reader = rangesOf(zip);
  const wanted = (await filesOf(zip)).filter(({ entry }) => entry.name !== 'between');
  let read = '';
  for await (const { content } of readEntries(reader, wanted)) read += content;
  assert.equal(read, '12');
  const bytes = reader.ranges.reduce((sum, [, length]) => sum + length, 0);
  assert.ok(bytes < 1000, `${bytes} bytes`);
});

test('several requests are under way, and no more than that', async () => {
  const contents: Record<string, Buffer> = {};
  for (let i = 0; i < 24; i++) contents[`f${i}`] = noise(3 * MIB);
  const zip = await zipOf(contents, false);
  let now = 0;
  let most = 0;
  const reader: RangeReader = {
    size: zip.length,
    async read(offset, length) {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return zip.subarray(offset, offset + length);
    },
  };
  let count = 0;
  for await (const _ of readEntries(reader, await filesOf(zip))) count += 1;
  assert.equal(count, 24);
  assert.equal(most, 4);
});

test('who leaves early, and who meets an error, leaves nothing behind', async () => {
  const zip = await zipOf(
    { a: noise(20 * MIB), b: noise(3 * MIB), c: noise(3 * MIB), d: noise(3 * MIB) },
    false,
  );
  const files = await filesOf(zip);
  const failing: RangeReader = {
    size: zip.length,
    async read(offset, length) {
      if (offset > 21 * MIB) throw new Error('the connection is gone');
      return zip.subarray(offset, offset + length);
    },
  };
  for await (const { content } of readEntries(failing, files)) {
    assert.ok(!Buffer.isBuffer(content));
    for await (const _ of content) break;
    break;
  }
  const all = async () => {
    for await (const { content } of readEntries(failing, files)) {
      if (!Buffer.isBuffer(content)) await buffer(content);
    }
  };
  await assert.rejects(all(), /the connection is gone/);
});

test('an archive by Odoo: every entry is what its name says', async () => {
  const zip = await readFile(archive);
  const reader = rangesOf(zip);
  let files = 0;
  for await (const { file, content } of readEntries(reader, await filesOf(zip))) {
    const [, sha1] = /^filestore\/..\/([0-9a-f]{40})$/.exec(file.entry.name) ?? [];
    const read = Buffer.isBuffer(content) ? content : await buffer(content);
    if (sha1) assert.equal(createHash('sha1').update(read).digest('hex'), sha1);
    if (sha1) files += 1;
  }
  assert.equal(files, 205);
  assert.ok(reader.ranges.length <= 12, `${reader.ranges.length} requests`);
});
