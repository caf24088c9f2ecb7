import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { readEntries } from '../../src/archive/read-entries.ts';
import { readDirectory } from '../../src/archive/reader.ts';
import { walkArchive } from '../../src/archive/walk.ts';
import { readManifest } from '../../src/backup-reader/description.ts';
import { archivedDump } from '../../src/backup-reader/dump.ts';
import { filestoreOf, readFiles } from '../../src/backup-reader/filestore.ts';
import { MemberContents } from '../../src/backup-reader/member-contents.ts';
import { membersOf } from '../../src/backup-reader/members.ts';
import { isPrintable } from '../../src/util/controls.ts';
import { ContentError } from '../../src/util/errors.ts';
import { pythonZip, rangesOf } from '../support/zips.ts';

const script = `
z.writestr('prod_2026-01-01_00-00-00.dump', b'PGDMP' + b'abc' * 100, zipfile.ZIP_STORED)
z.writestr('dump.sql', b'SELECT 1;' * 1000)
z.writestr('manifest.json', b'{"db_name":"prod","major_version":"17.0"}')
z.writestr('filestore/', b'')
z.writestr('filestore/da/da39a3ee5e6b4b0d3255bfef95601890afd80709', b'')
z.writestr('filestore/a9/a9993e364706816aba3e25717850c26c9cd0d89d', b'abc')
z.writestr('filestore/été', b'x')`;

/** Deflate cannot make more of a byte. */
const BEST_RATIO = 1032;

/** Reads all there is, as rollback and verify do. Returns how many bytes came of it. */
async function readAll(zip: Buffer): Promise<number> {
  const reader = rangesOf(zip);
  let bytes = 0;
  const archive = await readDirectory(reader);
  const { directory } = archive;
  const members = await membersOf(archive);
  const dump = archivedDump(new MemberContents(reader), members);
  if (dump.kind === 'custom') for await (const chunk of dump.open()) bytes += chunk.length;
  const manifest = members.get('manifest.json');
  if (manifest) await readManifest(reader, manifest);
  const filestore = await filestoreOf(members, 'prod', []);
  for (const name of filestore?.files.keys() ?? []) assert.ok(isPrintable(name));
  for await (const { content } of readFiles(new MemberContents(reader), filestore?.files.values() ?? [])) {
    if (Buffer.isBuffer(content)) bytes += content.length;
    else for await (const chunk of content) bytes += chunk.length;
  }
  for await (const { content } of readEntries(reader, members.all())) {
    if (Buffer.isBuffer(content)) bytes += content.length;
    else for await (const chunk of content) bytes += chunk.length;
  }
  for await (const { content } of walkArchive(reader, members.all(), directory.offset, () => {})) {
    if (Buffer.isBuffer(content)) bytes += content.length;
    else for await (const chunk of content) bytes += chunk.length;
  }
  return bytes;
}

async function assertSafe(zip: Buffer): Promise<void> {
  try {
    assert.ok((await readAll(zip)) <= 4 * BEST_RATIO * zip.length);
  } catch (error) {
    assert.ok(error instanceof ContentError, `${error instanceof Error ? error.stack : error}`);
    assert.ok(isPrintable(error.message) && isPrintable(error.hint), JSON.stringify(error.message));
  }
}

/** One change to the bytes; `at` counts from the end, where the directory lies. */
const change = fc.record({
  at: fc.nat(1500),
  kind: fc.constantFrom('byte', 'u16', 'u32', 'u64', 'cut', 'insert', 'repeat', 'move'),
  value: fc.oneof(
    fc.constantFrom(0, 1, 8, 45, 46, 0x7f, 0x85, 0xff, 0xffff, 0x7fffffff, 0xfffffffe, 0xffffffff),
    fc.nat(0xffffffff),
  ),
});

function changed(zip: Buffer, { at, kind, value }: { at: number; kind: string; value: number }): Buffer {
  const place = Math.max(0, zip.length - 8 - at);
  const copy = Buffer.from(zip);
  const rest = zip.subarray(place + (value % 64));
  if (place + 8 > zip.length) return copy;
  if (kind === 'byte') copy.writeUInt8(value & 0xff, place);
  if (kind === 'u16') copy.writeUInt16LE(value & 0xffff, place);
  if (kind === 'u32') copy.writeUInt32LE(value, place);
  if (kind === 'u64') copy.writeBigUInt64LE(BigInt(value) << 24n, place);
  if (kind === 'cut') return Buffer.concat([zip.subarray(0, place), rest]);
  if (kind === 'insert')
    return Buffer.concat([zip.subarray(0, place), Buffer.alloc(value % 100, value), zip.subarray(place)]);
  if (kind === 'repeat') return Buffer.concat([zip.subarray(0, place + 8), zip.subarray(place)]);
  if (kind === 'move') return Buffer.concat([rest, zip.subarray(0, place)]);
  return copy;
}

/** The same archive with Zip64 end records, which it does not need. */
function withZip64End(zip: Buffer): Buffer {
  const end = Buffer.from(zip.subarray(-22));
  const [entries, size, offset] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  for (const [i, value] of [entries, entries, size, offset].entries()) {
    record.writeBigUInt64LE(BigInt(value), 24 + 8 * i);
  }
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  end.fill(0xff, 8, 20);
  return Buffer.concat([zip.subarray(0, -22), record, locator, end]);
}

suite('an archive whose directory is hostile', () => {
  for (const streamed of [false, true]) {
    for (const zip64 of [false, true]) {
      const what = `${streamed ? 'sizes behind the content' : 'sizes before it'}${zip64 ? ', Zip64' : ''}`;
      test(`fails in words, or is read, and costs no more than it holds (${what})`, async () => {
        const python = await pythonZip(script, { streamed });
        const zip = zip64 ? withZip64End(python) : python;
        assert.ok((await readAll(zip)) > 0, 'unchanged it is read');
        await fc.assert(
          fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
            await assertSafe(changes.reduce(changed, zip));
          }),
          { numRuns: 1500 },
        );
      });
    }
  }

  test('of any bytes at all fails in words', async () => {
    const signatures = fc.constantFrom(
      'PK\x05\x06',
      'PK\x06\x06',
      'PK\x06\x07',
      'PK\x01\x02',
      'PK\x03\x04',
      '\xff\xff',
    );
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      signatures.map((text) => Buffer.from(text, 'latin1')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), (pieces) => assertSafe(Buffer.concat(pieces))),
      { numRuns: 1000 },
    );
  });

  test('claims more than it holds: nothing is read or allocated for it', async () => {
    const zip = withZip64End(await pythonZip(script));
    for (const [what, at, value] of [
      ['files', 32, 6_000_000n],
      ['bytes of directory', 40, 1n << 40n],
      ['bytes before it', 48, 1n << 62n],
    ] as const) {
      const lie = Buffer.from(zip);
      lie.writeBigUInt64LE(value, zip.length - 22 - 20 - 56 + at);
      await assert.rejects(readAll(lie), ContentError, what);
    }
  });

  test('has names that are long or deep', async () => {
    const deep = await pythonZip(`${script}\nz.writestr('/'.join(['a'] * 30000), b'')`);
    await assert.rejects(readAll(deep), /"a\/a\/a\/a.*…" in it has a name that is too long/);
    const long = await pythonZip(`${script}\nz.writestr('filestore/' + 'a' * 60000, b'')`);
    await assert.rejects(readAll(long), /"filestore\/aaa.*…" in it has a name that is too long/);
  });

  test('has names with control characters: no message shows them, no file of the host gets them', async () => {
    for (const name of ['a\\nb', 'a\\x85b', 'a\\u202eb', 'a\\u2028b', 'a\\x1b[2Jb']) {
      const zip = await pythonZip(`${script}\nz.writestr('filestore/${name}', b'')`);
      const filestore = await filestoreOf(await membersOf(await readDirectory(rangesOf(zip))), 'prod', []);
      assert.equal(filestore?.leftOut.length, 1, name);
      await assertSafe(await pythonZip(`${script}\nz.writestr('../${name}', b'')`));
    }
  });
});
