import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { openEntry } from '../../../src/archive/entry.ts';
import type { RangeReader } from '../../../src/archive/ranges.ts';
import { readEntries } from '../../../src/archive/read-entries.ts';
import { UserError } from '../../../src/util/errors.ts';
import { run } from '../../support/processes.ts';
import { noise, zipOf } from '../../support/written-archive.ts';
import { entriesOf, pythonZip, rangesOf } from '../../support/zips.ts';

const MIB = 2 ** 20;

/** The content of one entry, as a stream gives it and as a neighbour among others. */
async function bothWays(reader: RangeReader, zip: Buffer, name: string): Promise<Buffer> {
  const entry = (await entriesOf(zip)).get(name);
  assert.ok(entry, name);
  const streamed = await buffer(openEntry(reader, entry));
  for await (const { content } of readEntries(reader, [{ entry }])) {
    const read = Buffer.isBuffer(content) ? content : await buffer(content);
    assert.ok(read.equals(streamed), name);
  }
  return streamed;
}

test('what several programs write is read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'archive-entry-'));
  try {
    await writeFile(join(folder, 'a.txt'), 'SELECT 1;'.repeat(1000));
    await run([
      'sh',
      '-c',
      'cd "$1" && zip -q info.zip a.txt && zip -q -fz - - <a.txt >piped.zip',
      'sh',
      folder,
    ]);
    const python = "z.writestr('a.txt', 'SELECT 1;' * 1000)";
    const large = "with z.open('a.txt', 'w', force_zip64=True) as f: f.write(b'SELECT 1;' * 1000)";
    const text = Buffer.from('SELECT 1;'.repeat(1000));
    const zips: [what: string, zip: Buffer, name: string][] = [
      ['zip', await readFile(join(folder, 'info.zip')), 'a.txt'],
      ['zip from a pipe to a pipe', await readFile(join(folder, 'piped.zip')), '-'],
      ['python', await pythonZip(python), 'a.txt'],
      ['python to a pipe', await pythonZip(python, { streamed: true }), 'a.txt'],
      ['python with Zip64', await pythonZip(large), 'a.txt'],
      ['archiver, deflated', await zipOf({ 'a.txt': text }, true), 'a.txt'],
      ['archiver, stored', await zipOf({ 'a.txt': text }, false), 'a.txt'],
    ];
    for (const [what, zip, name] of zips) {
      assert.ok((await bothWays(rangesOf(zip), zip, name)).equals(text), what);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('content of every size, at the bounds of a piece, deflated or not', async () => {
  const all = noise(17 * MIB);
  for (const size of [0, 1, 100, 4 * MIB, 4 * MIB + 1, 8 * MIB - 127, 8 * MIB, 8 * MIB + 1, 17 * MIB]) {
    const content = all.subarray(0, size);
    for (const deflate of [false, true]) {
      const zip = await zipOf({ before: Buffer.from('x'), a: content, behind: Buffer.from('y') }, deflate);
      const read = await bothWays(rangesOf(zip), zip, 'a');
      assert.ok(read.equals(content), `${size} bytes, ${deflate ? 'deflated' : 'stored'}`);
    }
  }
});

test('a local header with a longer extra field than usual', async () => {
  const script = `info = zipfile.ZipInfo('a')
info.extra = bytes([0xfe, 0xca, 0xe8, 0x03]) + bytes(1000)
z.writestr(info, b'content')`;
  const zip = await pythonZip(script);
  assert.equal((await bothWays(rangesOf(zip), zip, 'a')).toString(), 'content');
});

/** Where the parts of the only entry, `name`, of a zip lie. */
const LOCAL = { signature: 0, flags: 6, method: 8, name: 30 };
const DIRECTORY = { method: 10, crc32: 16, compressedSize: 20, size: 24 };

test('an entry that is not what the directory says is refused', async () => {
  const content = Buffer.from('SELECT 1;\n'.repeat(1000));
  const zip = await zipOf({ name: content }, true);
  const at = zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  const cases: [what: string, change: (zip: Buffer) => void, why: RegExp][] = [
    ['no header', (z) => z.writeUInt32LE(0, LOCAL.signature), /no local header/],
    ['another name', (z) => z.write('NAME', LOCAL.name), /a different name/],
    ['an encrypted one', (z) => z.writeUInt16LE(1, LOCAL.flags), /encrypted/],
    ['another method', (z) => z.writeUInt16LE(0, LOCAL.method), /compression methods are 8 and 0/],
    ['a changed byte', (z) => z.writeUInt8((z[60] ?? 0) ^ 0xff, 60), /CRC-32|decompressed|bytes/],
    ['another CRC-32', (z) => z.writeUInt32LE(1, at + DIRECTORY.crc32), /its CRC-32 does not match/],
    ['less than it holds', (z) => z.writeUInt32LE(9_999, at + DIRECTORY.size), /more than 9999 bytes/],
    [
      'more than it holds',
      (z) => z.writeUInt32LE(10_001, at + DIRECTORY.size),
      /10000 bytes instead of 10001/,
    ],
    ['cut short', (z) => z.writeUInt32LE(20, at + DIRECTORY.compressedSize), /cannot be decompressed/],
  ];
  for (const [what, change, why] of cases) {
    const changed = Buffer.from(zip);
    change(changed);
    const entry = (await entriesOf(changed)).get('name');
    assert.ok(entry);
    const reader = rangesOf(changed);
    const named = (error: unknown) =>
      error instanceof UserError && why.test(error.message) && /^"name" is not what/.test(error.message);
    await assert.rejects(buffer(openEntry(reader, entry)), named, `${what}, streamed`);
    await assert.rejects(readEntries(reader, [{ entry }]).next(), named, `${what}, held`);
  }
});
