import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openEntry } from '../../../src/archive/entry.ts';
import { ArchiveWriter } from '../../../src/archive/writer.ts';
import { writeDual } from '../../../src/backup/dual-dump.ts';
import { MemberWriter } from '../../../src/backup/member-writer.ts';
import type { ArchiveOptions } from '../../../src/backup/source.ts';
import { readIdentities } from '../../../src/sealing/identities.ts';
import { readRecipients } from '../../../src/sealing/recipients.ts';
import { openWhole } from '../../../src/sealing/stream.ts';
import { AgeKeys } from '../../support/age-keys.ts';
import { customDump, ENCODING, type MadeEntry, SEARCH_PATH, STRINGS } from '../../support/custom-dump.ts';
import { inChunks, takenApart, withoutKey } from '../../support/dump-pieces.ts';
import { entriesOf, rangesOf } from '../../support/zips.ts';

const real = gunzipSync(readFileSync(new URL('../../fixtures/custom-format/15.dump.gz', import.meta.url)));

const rows = (id: number, length: number): MadeEntry => ({
  ...{ id, kind: 'TABLE DATA', name: `t${id}`, schema: 'public', section: 3, definition: '' },
  ...{
    copy: `COPY public.t${id} (a) FROM stdin;\n`,
    data: [Buffer.alloc(length, `${id}\tsome text\t\\N\n`)],
  },
});
const large = customDump({
  entries: [ENCODING, STRINGS, SEARCH_PATH, rows(10, 3_000_000), rows(11, 7), rows(12, 700_000)],
});

/** Writes a dump as two, and reads what came of it: the content of both entries, and their sizes in the archive. */
async function written(
  dump: Readable,
  compression: ArchiveOptions['compression'],
): Promise<{ dump: Buffer; sql: Buffer; stored: number; why: string | undefined }> {
  await using writer = new ArchiveWriter({ level: 1 });
  const [first, second] = [writer.segment('database'), writer.segment('database')];
  const target = { compression, startedAt: new Date('2026-03-04T05:06:08Z') } as ArchiveOptions;
  const members = new MemberWriter({ level: 1 });
  let why: string | undefined;
  const writeSql = async (reason: string) => {
    why = reason;
    const how = { deflate: false, modified: target.startedAt };
    await members.add(second, 'dump.sql', Buffer.from('by another pg_dump'), how);
  };
  const names = { dumpName: 'shop.dump', sqlName: 'dump.sql' };
  const entries = { dump: first, sql: second, ...names, target, members, signal: writer.failed, writeSql };
  const outputs = Promise.all([first.output, second.output, writer.directory].map(buffer));
  outputs.catch(() => {}); // the writer tells
  try {
    await writeDual(dump, entries);
  } catch (error) {
    throw writer.fail(error);
  }
  await writer.finish();
  const zip = Buffer.concat(await outputs);
  const found = await entriesOf(zip);
  const content = async (name: string) => {
    const entry = found.get(name);
    assert.ok(entry, name);
    return buffer(openEntry(rangesOf(zip), entry));
  };
  const [dumped, asSql] = [await content('shop.dump'), await content('dump.sql')];
  const sums = { 'shop.dump': hash('sha256', dumped), 'dump.sql': hash('sha256', asSql) };
  assert.deepEqual(members.sums, sums);
  return { dump: dumped, sql: asSql, stored: zip.length, why };
}

const streamOf = (dump: Buffer): Readable => Readable.from(inChunks(dump, 50_000), { objectMode: false });

suite('one dump as two entries', () => {
  for (const [what, dump] of [
    ['every kind of object', real],
    ['large tables', large],
  ] as const) {
    test(`${what}: deflated and stored, they hold what the dump holds`, async () => {
      const expected = await takenApart(dump);
      for (const compression of ['auto', 6, 0] as const) {
        const found = await written(streamOf(dump), compression);
        assert.ok(found.dump.equals(expected.dump), `${compression}`);
        assert.ok(withoutKey(found.sql) === withoutKey(expected.sql), `${compression}`);
        assert.equal(found.stored > expected.dump.length + expected.sql.length, compression === 0);
        assert.equal(found.why, undefined);
      }
    });
  }

  test('a dump in an unknown version is written as it is, and its SQL by another pg_dump', async () => {
    const unknown = Buffer.from(large);
    unknown[6] = 17;
    const found = await written(streamOf(unknown), 'auto');
    assert.ok(found.dump.equals(unknown));
    assert.equal(found.sql.toString(), 'by another pg_dump');
    assert.equal(found.why, 'is in version 1.17 of the format');
  });

  test('what breaks the dump, breaks both: at its start, within its rows, at its end', async () => {
    const failure = new Error('pg_dump has failed');
    for (const at of [0, 3, 2_000_000, large.length]) {
      const failing = async function* () {
        yield* inChunks(large.subarray(0, at), 50_000);
        throw failure;
      };
      await assert.rejects(written(Readable.from(failing(), { objectMode: false }), 'auto'), failure);
    }
  });

  test('a dump that ends within its rows is not whole', () =>
    assert.rejects(
      written(streamOf(large.subarray(0, 2_000_000)), 'auto'),
      /is not a whole dump: it ends within/,
    ));
});

test('sealed: both are packed and sealed, the SHA-256 are those of the zip, and the sizes those of what comes out', async () => {
  using keys = new AgeKeys();
  const key = keys.newKey();
  for (const compression of ['auto', 0] as const) {
    await using writer = new ArchiveWriter({ level: 1 });
    const [dump, sql] = [writer.segment('database'), writer.segment('database')];
    const target = { compression, startedAt: new Date('2026-03-04T05:06:08Z') } as ArchiveOptions;
    const members = new MemberWriter({ level: 1, recipients: await readRecipients([key.recipient]) });
    const names = { dumpName: 'shop.dump', sqlName: 'dump.sql' };
    const writeSql = () => assert.fail('it is known');
    const outputs = Promise.all([dump.output, sql.output, writer.directory].map(buffer));
    await writeDual(streamOf(large), {
      dump,
      sql,
      ...names,
      target,
      members,
      signal: writer.failed,
      writeSql,
    });
    await writer.finish();
    const zip = Buffer.concat(await outputs);
    const entries = await entriesOf(zip);
    const expected = await takenApart(large);
    for (const [name, content] of [
      ['shop.dump', expected.dump],
      ['dump.sql', expected.sql],
    ] as const) {
      const stored = `${name}${compression === 0 ? '' : '.gz'}.age`;
      const entry = entries.get(stored);
      assert.ok(entry, stored);
      const bytes = await buffer(openEntry(rangesOf(zip), entry));
      assert.equal(members.sums[stored], hash('sha256', bytes));
      const opened = await openWhole(bytes, readIdentities(key.text), stored);
      const found = compression === 0 ? opened : gunzipSync(opened);
      assert.equal(members.sizes[name], found.length);
      assert.ok(withoutKey(found) === withoutKey(content), stored);
    }
  }
});
