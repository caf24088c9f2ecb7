import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { DumpFile, DumpSource } from '../../../src/backup-reader/dump.ts';
import { plainDumpFilter } from '../../../src/backup-reader/plain-dump.ts';
import { tableSql, withTable } from '../../../src/fetch/table.ts';
import type { TableName } from '../../../src/postgres/table-pieces.ts';
import { ContentError, UserError } from '../../../src/util/errors.ts';
import { customDump, ENCODING, SEARCH_PATH, STRINGS } from '../../support/custom-dump.ts';
import { inChunks, withoutKey } from '../../support/dump-pieces.ts';

const fixture = (name: string): Buffer =>
  gunzipSync(readFileSync(new URL(`../../fixtures/custom-format/${name}.gz`, import.meta.url)));

/** The SQL of a fixture, without the one function that no plain dump of Odoo's has, and that is refused. */
const plainFixture = (version: string): Buffer =>
  Buffer.from(
    fixture(`${version}.sql`)
      .toString('latin1')
      .replace(/^CREATE FUNCTION app\.standard.*?^END;\n/ms, ''),
    'latin1',
  );

const fileOf = (name: string, bytes: Buffer): DumpFile => ({
  name,
  size: bytes.length,
  open: () => Readable.from(inChunks(bytes, 1000), { objectMode: false }),
});

const custom = (bytes: Buffer): DumpSource => ({ kind: 'custom', ...fileOf('shop.dump', bytes) });

function plain(bytes: Buffer): DumpSource {
  const file = fileOf('dump.sql', bytes);
  return {
    ...file,
    kind: 'plain',
    packed: false,
    open: (passage) => file.open().compose(plainDumpFilter(file.name, passage)),
  };
}

const table = (name: string, schema = 'public'): TableName => ({ schema, table: name });

/** The SQL of a table, and how many bytes of the dump were read for it. */
async function sqlOf(
  dump: DumpSource,
  wanted: TableName,
  member: (name: string) => DumpFile | undefined = () => undefined,
): Promise<{ sql: string; read: number }> {
  let read = 0;
  const add = (bytes: number): void => {
    read += bytes;
  };
  const sql = await withTable({ dump, member, authorship: undefined }, wanted, { add }, (found) =>
    buffer(tableSql(found, wanted)),
  );
  return { sql: withoutKey(sql), read };
}

/** What pg_restore prints of a table: its definition, and its rows. */
function printed(sql: string, name: string): { definition: string; rows: string } {
  const definition = new RegExp(`^CREATE (?:UNLOGGED )?TABLE ${name} .*?;\\n`, 'ms').exec(sql)?.[0];
  const rows = new RegExp(`^COPY ${name} .*?^\\\\\\.\\n`, 'ms').exec(sql)?.[0];
  assert.ok(definition !== undefined && rows !== undefined, name);
  return { definition, rows };
}

for (const version of ['13', '15', '17', '17-zstd', '18']) {
  test(`a table of the dump by PostgreSQL ${version} is what its pg_restore prints, from either dump`, async () => {
    const sql = withoutKey(fixture(`${version}.sql`));
    const sources: [string, DumpSource][] = [
      ['custom', custom(fixture(`${version}.dump`))],
      ['plain', plain(plainFixture(version))],
    ];
    for (const [kind, dump] of sources) {
      for (const [wanted, name] of [
        [table('other', 'app'), 'app.other'],
        [table('t', 'app'), 'app.t'],
        [table('none', 'app'), 'app."none"'],
        [table('from', 'select'), '"select"."from"'],
      ] as const) {
        const found = (await sqlOf(dump, wanted)).sql;
        const { definition, rows } = printed(sql, name);
        assert.deepEqual(printed(found, name), { definition, rows }, `${kind}: ${name}`);
        assert.match(found, /^SET client_encoding = 'UTF8';$/m);
        assert.equal(found.match(/^(CREATE (UNLOGGED )?TABLE|COPY) /gm)?.length, 2, 'and of no other table');
      }
    }
  });
}

test('no more of a dump is read than goes before the end of the rows', async () => {
  const row = (text: string) => Buffer.from(`${text}\n`.repeat(50_000));
  const entry = (id: number, name: string) => ({
    ...{ id, kind: 'TABLE DATA', name, schema: 'public', section: 3 },
    ...{ copy: `COPY public.${name} (a) FROM stdin;\n`, data: [row(name), Buffer.from('\\.\n\n\n')] },
  });
  const bytes = customDump({
    entries: [ENCODING, STRINGS, SEARCH_PATH, entry(10, 'first'), entry(11, 'second'), entry(12, 'third')],
  });
  const { sql, read } = await sqlOf(custom(bytes), table('second'));
  assert.equal(sql.match(/^second$/gm)?.length, 50_000);
  assert.ok(read > bytes.length / 2 && read < (bytes.length * 3) / 4, `${read} of ${bytes.length}`);
});

test('where a trusted signer vouches for the dump, it is read to its end before anything counts', async () => {
  const bytes = fixture('15.dump');
  const changed: DumpSource = {
    ...{ kind: 'custom', name: 'shop.dump', size: bytes.length },
    open: () =>
      Readable.from(
        (async function* () {
          yield* inChunks(bytes, 1000);
          throw new ContentError('another SHA-256', '');
        })(),
        { objectMode: false },
      ),
  };
  const wanted = table('other', 'app');
  const read = (principals: string | undefined) =>
    withTable(
      {
        dump: changed,
        member: () => undefined,
        authorship: { kind: 'signed', fingerprint: 'SHA256:x', principals },
      },
      wanted,
      { add: () => {} },
      (found) => buffer(tableSql(found, wanted)),
    );
  assert.match((await read(undefined)).toString(), /^COPY app\.other /m);
  await assert.rejects(read('ci@example.com'), /another SHA-256/);
});

test('a table that there is not is told with those that there are', async () => {
  for (const dump of [custom(fixture('15.dump')), plain(plainFixture('15'))]) {
    await assert.rejects(sqlOf(dump, table('part', 'json')), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.message, 'The dump has no table "json.part"');
      assert.match(error.hint, /^It has \d+ tables, such as "json\.parts", "json\.parts_eu"/);
      return true;
    });
  }
});

test('psql would run nothing that stands in a table', async () => {
  const made = (definition: string, data: string) =>
    customDump({
      entries: [
        ...[ENCODING, STRINGS, SEARCH_PATH],
        { id: 9, kind: 'TABLE', name: 't', schema: 'public', definition },
        {
          ...{ id: 10, kind: 'TABLE DATA', name: 't', schema: 'public', section: 3 },
          ...{ copy: 'COPY public.t (a) FROM stdin;\n', data: [Buffer.from(data)] },
        },
      ],
    });
  const create = 'CREATE TABLE public.t (a text);\n';
  for (const dump of [
    made(create, '1\n\\.\n\\! touch /tmp/x\n'),
    made(create, '1\n\\.\n\nCOPY public.t FROM PROGRAM $$id$$;\n'),
    made(`\\! id\n${create}`, '1\n\\.\n'),
    made(create, '1\n'),
  ]) {
    await assert.rejects(sqlOf(custom(dump), table('t')), ContentError);
  }
  assert.match((await sqlOf(custom(made(create, '1\n\\.\n')), table('t'))).sql, /^1$/m);
});

test('a dump of an unknown version gives way to the SQL beside it', async () => {
  const unknown = Buffer.from(fixture('15.dump'));
  unknown[6] = 99;
  const beside = fileOf('dump.sql', plainFixture('15'));
  const { sql } = await sqlOf(custom(unknown), table('other', 'app'), () => beside);
  assert.match(sql, /^COPY app\.other /m);
  await assert.rejects(sqlOf(custom(unknown), table('other', 'app')), /is in version 1\.99 .* does not read/);
});
