import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempDisposable, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readDirectory } from '../../src/archive/reader.ts';
import { type ArchiveSummary, ArchiveWriter } from '../../src/archive/writer.ts';

const run = promisify(execFile);
const modified = new Date('2026-03-04T05:06:08Z');

/** Lists an archive with Python's zipfile, as Odoo's restore opens it: names with the SHA-1 of what is inside. */
const listWithPython = `
import hashlib, json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
def sha1(info):
    digest = hashlib.sha1()
    with archive.open(info) as content:
        while piece := content.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
wanted = sys.argv[2:] or archive.namelist()
print(json.dumps({name: [archive.getinfo(name).file_size, sha1(archive.getinfo(name)), archive.getinfo(name).date_time] for name in wanted}))
`;

/** Writes to a file, leaving holes for zeros: four gigabytes take no space on the disk. */
async function writeTo(path: string, add: (writer: ArchiveWriter) => Promise<void>): Promise<ArchiveSummary> {
  await using file = await open(path, 'w');
  await using writer = new ArchiveWriter({ level: 1 });
  let at = 0;
  const sparse = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const offset = at;
      at += chunk.length;
      if (chunk.indexOf(zeros.subarray(0, chunk.length)) === 0) done();
      else file.write(chunk, 0, chunk.length, offset).then(() => done(), done);
    },
  });
  const written = pipeline(writer.output, sparse);
  const [summary] = await Promise.all([add(writer).then(() => writer.finish()), written]);
  await file.truncate(at);
  return summary;
}

const zeros = Buffer.alloc(4 * 2 ** 20);

function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

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
      await writer.add(`filestore/torn/${i}`, Readable.from([content, 'torn']), {
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
