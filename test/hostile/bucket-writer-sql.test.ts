import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { plainDumpFilter } from '../../src/backup-reader/plain-dump.ts';
import { knowsRestrict } from '../../src/postgres/foreign-sql.ts';
import { loadDump } from '../../src/postgres/load.ts';
import type { Dump } from '../../src/postgres/loadable-dump.ts';
import type { Postgres } from '../../src/postgres/server.ts';
import { ContentError, UserError } from '../../src/util/errors.ts';
import { oldPsql } from '../support/old-psql.ts';
import { createDatabase, dropDatabase, psql, uniqueName } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { openRestoreHost, type RestoreHost } from '../support/restore-host.ts';

const END = '\n--\n-- PostgreSQL database dump complete\n--\n\n';
const witness = join(tmpdir(), `bucket-writer-sql-${process.pid}`);
const RUN = `\\! touch ${witness}\n`;

/** No scanner can know of it. */
const FAILS = 'a COPY that fails';

/** Behind a change to such an encoding, psql sees a command where SQL has a text. Bytes are written as Latin 1. */
const hidden: Readonly<Record<string, string>> = {
  'a text': `SELECT '\x81' , '\n${RUN}';\n`,
  'a name': `SELECT "\x81" , "\n${RUN}";\n`,
  'dollar quotes': `SELECT $$\x81$$ , $$\n${RUN}$$;\n`,
  'a comment': `/*\x81*/ SELECT $$ */\n${RUN}$$;\n`,
  'a comment to the end of the line': `--\x81\r SELECT $$\n${RUN}$$;\n`,
  'a space': `SELECT \x81 $$\n${RUN}$$;\n`,
};

/** How a dump changes client_encoding. */
const changes: Readonly<Record<string, string>> = {
  SET: "SET client_encoding = 'SJIS';",
  'SET NAMES': "SET NAMES 'GBK';",
  'SET LOCAL': "BEGIN; SET LOCAL client_encoding TO 'BIG5';",
  'SET of an escaped name': `SET U&"client!005fencoding" UESCAPE '!' = 'UHC';`,
  set_config: "SELECT set_config('client_' || 'encoding', 'SJIS', false);",
  pg_settings: "UPDATE pg_settings SET setting = 'SJIS' WHERE name = 'client_' || 'encoding';",
  DO: `DO $$ BEGIN EXECUTE 'SET client_' || 'encoding = JOHAB'; END $$;`,
  'a query in a text': `SELECT query_to_xml('SELECT set_con' || 'fig(''client_'' || ''encoding'', ''SJIS'', false)', true, true, '');`,
  'the default of a column': `CREATE TABLE encoding_of_rows (a int, b text DEFAULT set_config('client_encoding', 'SJIS', false));
COPY encoding_of_rows (a) FROM stdin;
1
\\.
`,
  'the body of a function': `CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SET client_' || 'encoding = SJIS'; RETURN ''; END $$;
SELECT pg_temp.f();`,
};

const attacks: readonly (readonly [what: string, sql: string])[] = [
  ...Object.entries(changes).map(
    ([how, sql]) => [`${how}, then a text`, `${sql}\n${hidden['a text']}`] as const,
  ),
  ...Object.entries(hidden).map(([what, sql]) => [`SET, then ${what}`, `${changes.SET}\n${sql}`] as const),
  ['GB18030, four bytes', `SET client_encoding = 'GB18030';\nSELECT '\x810' , '\n${RUN}';\n`],
  ['JOHAB, three bytes', `SET client_encoding = 'JOHAB';\nSELECT '\x8fx' , '\n${RUN}';\n`],
  ['a NUL', `SELECT 1\0'${'x'.repeat(1023 - 10)}\n${RUN}';\n`],
  ['a command', RUN],
  ['a restriction of its own, ended', `\\restrict a\n\\unrestrict a\n${RUN}`],
  ['the end of a restriction', `\\unrestrict probe\n${RUN}`],
  [FAILS, `COPY pg_catalog.nothing FROM stdin;\n${RUN}\\.\n`],
];

/** Attacks that psql withstands by itself, whatever its version: what they look for is a wrapper that does not. */
const stopped: ReadonlySet<string> = new Set([
  'a restriction of its own, ended',
  'the end of a restriction',
  FAILS,
]);

suite('who can write to the bucket runs nothing by a plain dump', () => {
  let scene: RestoreHost;
  let old: Awaited<ReturnType<typeof oldPsql>>;
  let database: string;
  before(async () => {
    scene = await openRestoreHost();
    old = await oldPsql(scene.sandbox.postgres);
    database = uniqueName('hostile_sql');
    await createDatabase(scene.sandbox.postgres, database);
  });
  after(async () => {
    await rm(witness, { force: true });
    await dropDatabase(scene.sandbox.postgres, database);
    await old[Symbol.asyncDispose]();
    await scene[Symbol.asyncDispose]();
  });

  const bytes = (sql: string) => Buffer.from(sql + END, 'latin1');
  const load = (postgres: Postgres, open: Extract<Dump, { kind: 'plain' }>['open']) =>
    loadDump(
      postgres,
      database,
      { kind: 'plain', size: 1000, open },
      { tools: scene.found.tools, jobs: 1, schemas: [], keepOwnership: true },
    );
  const filteredOf =
    (sql: string): Extract<Dump, { kind: 'plain' }>['open'] =>
    (passage) =>
      pipeline(Readable.from([bytes(sql)]), plainDumpFilter('dump.sql', passage), () => {});
  const installed = () => scene.found.postgres;
  const unrestricted = () => scene.found.postgres.withClient(old);

  test('psql says itself whether it can be restricted', async () => {
    assert.equal(await knowsRestrict(installed(), database), true);
    assert.equal(await knowsRestrict(unrestricted(), database), false);
  });

  for (const [what, sql] of attacks) {
    test(what, async () => {
      const { postgres } = scene.sandbox;
      const way = ['-h', postgres.socket, '-p', String(postgres.port), '-U', 'odoo', '-d', database];
      const bare = [join(old.folder, 'psql'), '-XAtqw', '-v', 'ON_ERROR_STOP=1', ...way];
      await run(bare, { input: Readable.from([bytes(sql)]) }).catch(() => {});
      const isReal = existsSync(witness);
      await rm(witness, { force: true });
      assert.equal(isReal, !stopped.has(what), 'without any defence it runs: the rest means something');

      const raw = () => Readable.from([bytes(sql)]);
      await load(installed(), raw).catch(assertTold);
      assert.ok(!existsSync(witness), 'it ran in a restricted psql, were there no scanner');
      await load(installed(), filteredOf(sql)).catch(assertTold);
      assert.ok(!existsSync(witness), 'it ran');
      await assert.rejects(load(unrestricted(), filteredOf(sql)), what === FAILS ? UserError : ContentError);
      assert.ok(!existsSync(witness), 'it ran in a psql that knows no restriction');
    });
  }

  test('the encoding that a database sets for its sessions is not the dump’s', async () => {
    await psql(
      scene.sandbox.postgres,
      'postgres',
      `ALTER DATABASE "${database}" SET client_encoding = 'LATIN1'`,
    );
    await load(installed(), () =>
      Readable.from([Buffer.from("CREATE TABLE said AS SELECT 'é'::text AS word;")]),
    );
    assert.equal(
      await psql(scene.sandbox.postgres, database, "SELECT word = U&'\\00e9', length(word) FROM said"),
      't|1',
    );
  });
});

const assertTold = (error: unknown) => assert.ok(error instanceof UserError, String(error));
