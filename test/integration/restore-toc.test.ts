import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { DumpSource } from '../../src/backup-reader/dump.ts';
import { readToc } from '../../src/backup-reader/dump-toc.ts';
import { entryAsPlain } from '../../src/backup-reader/plain-dump.ts';
import { Accounts } from '../../src/host/accounts.ts';
import type { Host } from '../../src/host/host.ts';
import { LocalHost } from '../../src/host/local-host.ts';
import { isMountPoint } from '../../src/host/mounts.ts';
import { findTools } from '../../src/host/tools.ts';
import { loadDump } from '../../src/postgres/load.ts';
import { LoadError } from '../../src/postgres/load-errors.ts';
import { strangersTo } from '../../src/postgres/role-members.ts';
import { Postgres } from '../../src/postgres/server.ts';
import { assertHoldsRows, tocProblems, unloadable } from '../../src/restore/toc-checks.ts';
import {
  type DumpedTables,
  judgeParts,
  tablesInDatabase,
  tablesInToc,
} from '../../src/restore/whole-dump.ts';
import { type FrenchServer, startFrenchServer } from '../support/french-server.ts';

suite('what a load would fail at is known by the table of contents', () => {
  let french: FrenchServer;
  let host: Host;
  let folder: string;
  let app: Postgres;
  before(async () => {
    french = await startFrenchServer();
    host = new LocalHost();
    folder = await mkdtemp(join(tmpdir(), 'toc-'));
    const { odoo, host: address, port } = french.server;
    const settings = { host: address, port, user: odoo.name, password: odoo.password };
    app = await Postgres.connect(
      { host, accounts: new Accounts(host, 'never'), tools: await findTools(host) },
      settings,
      'postgres',
    );
  });
  after(async () => {
    await host?.[Symbol.asyncDispose]();
    await french?.[Symbol.asyncDispose]();
    if (folder) await rm(folder, { recursive: true });
  });

  async function dumpOf(database: string, make: string, ...options: string[]): Promise<DumpSource> {
    await french.sql(`CREATE DATABASE ${database} OWNER odoo`);
    await french.sql(make, database);
    const path = dumped(database, '-Fc', ...options);
    return {
      kind: 'custom',
      name: database,
      size: (await stat(path)).size,
      open: () => createReadStream(path),
    };
  }

  /** @returns the path of what pg_dump has written */
  function dumped(database: string, ...options: string[]): string {
    const path = join(folder, database);
    const { bin, socket, port } = french.server;
    const args = ['-h', socket, '-p', String(port), '-U', 'admin', ...options, `--file=${path}`];
    const { status, stderr } = spawnSync(join(bin, 'pg_dump'), [...args, database]);
    assert.equal(status, 0, String(stderr));
    return path;
  }

  test('what only a superuser may make, and what belongs to other roles; a copy loads without the former', async () => {
    const dump = await dumpOf(
      'special',
      `CREATE ROLE stranger; GRANT CREATE, USAGE ON SCHEMA public TO stranger;
       CREATE TABLE mine (x int); ALTER TABLE mine OWNER TO odoo; INSERT INTO mine VALUES (1);
       CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
       CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION on_ddl();
       COMMENT ON EVENT TRIGGER watcher IS 'watches';
       CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION of_mine FOR TABLE mine;
       ALTER PUBLICATION of_mine OWNER TO odoo;
       CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER far FOREIGN DATA WRAPPER wrapper;
       GRANT USAGE ON FOREIGN SERVER far TO odoo; CREATE USER MAPPING FOR odoo SERVER far;
       CREATE FOREIGN TABLE remote (x int) SERVER far;
       CREATE FUNCTION in_c() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
       CREATE FUNCTION in_sql() RETURNS int LANGUAGE sql AS 'SELECT 1';
       CREATE VIEW theirs AS SELECT 1 AS one; ALTER VIEW theirs OWNER TO stranger;
       ALTER DEFAULT PRIVILEGES FOR ROLE stranger IN SCHEMA public GRANT SELECT ON TABLES TO odoo`,
    );
    const toc = await readToc(dump, app);
    assert.ok(toc);
    const strangers = await strangersTo(app);
    assert.deepEqual(strangers, ['admin', 'stranger']);
    const rights = { login: 'odoo', superuser: false, strangers };
    const found = unloadable(toc, rights, true, []);
    assert.deepEqual([...found.superusers].sort(), [
      'EVENT TRIGGER watcher',
      'FOREIGN DATA WRAPPER wrapper',
      'FUNCTION public.in_c()',
      'PUBLICATION everything',
      'SERVER far',
      'USER MAPPING odoo SERVER far',
    ]);
    assert.deepEqual([...found.owners.keys()].sort(), ['admin', 'stranger']);
    assert.match(
      tocProblems(found, rights)[0]?.message ?? '',
      /objects that only a superuser can create.*EVENT TRIGGER/,
    );

    const tools = await findTools(host);
    const options = { tools, jobs: 1, schemas: [], keepOwnership: false, asPlain: entryAsPlain };
    await french.sql('CREATE DATABASE whole OWNER odoo TEMPLATE template0');
    await assert.rejects(loadDump(app, 'whole', dump as never, options), (error) => {
      assert.ok(error instanceof LoadError, String(error));
      assert.equal(error.problem.sqlState, '42501');
      return true;
    });
    await french.sql('CREATE DATABASE copied OWNER odoo TEMPLATE template0');
    await loadDump(app, 'copied', dump as never, { ...options, without: found.lines });
    assert.equal(await french.sql('SELECT x FROM mine', 'copied'), '1');
    assert.equal(await french.sql('SELECT pubname FROM pg_publication', 'copied'), 'of_mine');
  });

  test('a dump without rows', async () => {
    const dump = await dumpOf('rowless', 'CREATE TABLE ir_module_module (x int)', '--schema-only');
    const toc = await readToc(dump, app);
    assert.ok(toc);
    assert.throws(() => assertHoldsRows(toc, 'it'), /not one row, as pg_dump --schema-only writes it/);
  });

  test('what a part of a database holds is the same by a table of contents and by what plain SQL has made', async () => {
    const base = ['ir_module_module', 'ir_attachment', 'ir_model', 'res_users', 'res_partner', 'res_company'];
    const hostile = [
      'x TABLE DATA y',
      'TABLE DATA',
      'a b',
      'a\u2028b',
      'two\nlines',
      `"q" it's`,
      'DATA',
      'x odoo',
    ];
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
    await french.sql('CREATE DATABASE parts OWNER odoo');
    await french.sql(
      `SET ROLE odoo;
       ${[...base, 'mail_message', 'bus_bus', ...hostile].map((name) => `CREATE TABLE ${quoted(name)} (id serial PRIMARY KEY, x int); INSERT INTO ${quoted(name)} (x) VALUES (1);`).join('\n')}
       CREATE TABLE empty (id serial PRIMARY KEY);
       CREATE TABLE by_day (id int, day date) PARTITION BY RANGE (day);
       CREATE TABLE by_day_1 PARTITION OF by_day FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
       CREATE TABLE before (id serial PRIMARY KEY); ALTER TABLE before RENAME TO after;
       CREATE SEQUENCE alone_id_seq; CREATE SEQUENCE "odd name_id_seq"; CREATE SEQUENCE ir_sequence_001;
       CREATE SCHEMA "DATA"; CREATE TABLE "DATA".x (id serial PRIMARY KEY); CREATE TABLE "DATA".res_users (x int);`,
      'parts',
    );
    const inOneLine = (names: Iterable<string>) =>
      [...names].map((name) => name.replaceAll('\n', ' ')).sort();
    const said = (found: DumpedTables) => ({
      tables: inOneLine([...found.tables].filter((name) => !name.includes('.'))), // others are in a schema
      lost: inOneLine(found.lost),
      withoutRows: inOneLine(found.withoutRows),
      withKeys: inOneLine(found.withKeys),
      verdicts: [false, true].map((inPlace) => judgeParts(found, 'it', inPlace)),
    });
    const tools = await findTools(host);
    const options = { tools, jobs: 1, schemas: [], keepOwnership: false, asPlain: entryAsPlain };
    const parts = [
      [],
      ['--exclude-table=mail_message'],
      ['--exclude-table=bus_bus', '--exclude-table="x TABLE DATA y"'],
      ['--exclude-table-data=mail_message', '--exclude-table-data=res_users'],
      ...hostile.map((name) => [`--exclude-table-data=${quoted(name)}`]),
      ['--exclude-table-data="DATA".*', '--exclude-table=ir_model'],
      ['--section=pre-data', '--section=data'],
      ['--schema=public'],
      ['--table=ir_*', '--table="a b"'],
      ['--quote-all-identifiers', '--exclude-table=bus_bus', '--exclude-table-data=ir_attachment'],
    ];
    for (const part of parts) {
      const path = dumped('parts', '-Fc', ...part);
      const { size } = await stat(path);
      const toc = await readToc(
        { kind: 'custom', name: 'parts', size, open: () => createReadStream(path) },
        app,
      );
      assert.ok(toc);
      const custom = tablesInToc(toc);
      const sql = dumped('parts', '-Fp', '--no-owner', ...part);
      await french.sql('DROP DATABASE IF EXISTS of_parts');
      await french.sql('CREATE DATABASE of_parts OWNER odoo TEMPLATE template0');
      const plain = { kind: 'plain', size: (await stat(sql)).size } as const;
      const open = (passage: Parameters<typeof entryAsPlain>[1]) =>
        entryAsPlain(createReadStream(sql), passage);
      const { withoutRows = [] } = await loadDump(app, 'of_parts', { ...plain, open }, options);
      const made = await tablesInDatabase(app, 'of_parts', withoutRows);
      assert.deepEqual(said(made), said(custom), part.join(' '));
    }
  });

  test('a mount, also of a folder on the same disk', async (t) => {
    const path = join(folder, 'filestore of shop');
    await mkdir(path);
    const place = { host, path, command: (argv: readonly string[]) => ({ argv }) };
    assert.equal(await isMountPoint(place), false);
    if (spawnSync('mount', ['--bind', path, path]).status !== 0) return t.skip('nothing can be mounted here');
    try {
      assert.equal(await isMountPoint(place), true);
    } finally {
      spawnSync('umount', [path]);
    }
  });
});
