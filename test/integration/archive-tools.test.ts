import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { listWithPython, sha1, writeTo } from '../support/written-archive.ts';

const run = promisify(execFile);
const modified = new Date('2026-03-04T05:06:08Z');

test("Python's zipfile, unzip and 7-Zip read an archive whole", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'archive-tools-'));
  const path = join(folder.path, 'archive.zip');
  const contents = new Map<string, Buffer>([
    ['dump.sql', Buffer.from('SELECT 1;\n'.repeat(100_000))],
    ['filestore/été 日本.txt', Buffer.from('names beyond ASCII')],
  ]);
  for (const content of [
    Buffer.alloc(0),
    randomBytes(1),
    randomBytes(3 * 2 ** 20),
    Buffer.from('text '.repeat(999)),
  ]) {
    const hash = sha1(content);
    contents.set(`filestore/${hash.slice(0, 2)}/${hash}`, content);
  }
  const summary = await writeTo(path, async (writer) => {
    await writer.begin('filestore');
    for (const [i, [name, content]] of [...contents].entries()) {
      await writer.add(`filestore/torn/${i}`, Readable.from([content, Buffer.from('torn')]), {
        deflate: i % 2 === 0,
        modified,
      });
      writer.drop(`filestore/torn/${i}`);
      const source = i % 3 === 0 ? Readable.from([content]) : content;
      await writer.add(name, source, { deflate: i % 2 === 0, modified });
    }
    await writer.begin('description');
  });
  assert.equal(summary.entries, contents.size);

  const { stdout } = await run('python3', ['-c', listWithPython, path]);
  const expected = Array.from(contents, ([name, content]) => [
    name,
    [content.length, sha1(content), [2026, 3, 4, 5, 6, 8]],
  ]);
  assert.deepEqual(Object.entries(JSON.parse(stdout)), expected);
  await run('unzip', ['-tq', path]);
  const { stdout: seven } = await run('7z', ['t', path]);
  assert.match(seven, /Everything is Ok/);
  assert.doesNotMatch(seven, /Warning/);
});
