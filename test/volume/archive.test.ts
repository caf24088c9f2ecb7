import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readDirectory } from '../../src/archive/reader.ts';
import { listWithPython, sha1, writeTo, zeros } from '../support/written-archive.ts';

const run = promisify(execFile);
const modified = new Date('2026-03-04T05:06:08Z');

test('70,000 entries, an entry of more than 4 GiB, and entries behind it', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'archive-tools-'));
  const path = join(folder.path, 'large.zip');
  const large = 2 ** 32 + 12_345;
  const behind = Buffer.from('beyond four gigabytes');
  const summary = await writeTo(path, async (writer) => {
    const options = { deflate: false, modified };
    await writer.begin('filestore');
    for (let i = 0; i < 70_000; i++) await writer.add(`filestore/${i}`, behind, options);
    await writer.begin('database');
    const chunks = function* () {
      for (let left = large; left > 0; left -= zeros.length)
        yield zeros.subarray(0, Math.min(left, zeros.length));
    };
    const entry = await writer.add('dump', Readable.from(chunks()), options);
    assert.deepEqual([entry.size, entry.compressedSize], [large, large]);
    await writer.begin('description');
    await writer.add('stored', behind, options);
    await writer.add('deflated', Readable.from([behind]), { deflate: true, modified });
  });
  assert.ok(summary.size > 2 ** 32);
  assert.equal(summary.entries, 70_003);

  await using file = await open(path);
  const { directory } = await readDirectory({
    size: summary.size,
    read: async (offset, length) => (await file.read(Buffer.alloc(length), 0, length, offset)).buffer,
  });
  assert.deepEqual(directory, summary.directory);

  // 7-Zip reads all four gigabytes; unzip would take half a minute for them.
  const some = ['filestore/69999', 'stored', 'deflated'];
  const [python, unzip, seven] = await Promise.all([
    run('python3', ['-c', listWithPython, path, ...some]),
    run('unzip', ['-tq', path, ...some]),
    run('7z', ['t', path]),
  ]);
  const found = [behind.length, sha1(behind), [2026, 3, 4, 5, 6, 8]];
  assert.deepEqual(JSON.parse(python.stdout), { 'filestore/69999': found, stored: found, deflated: found });
  assert.match(unzip.stdout, /No errors detected/);
  assert.match(seven.stdout, /Everything is Ok/);
});
