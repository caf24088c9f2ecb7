import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { plainDumpFilter } from '../../src/backup-reader/plain-dump.ts';
import { Accounts } from '../../src/host/accounts.ts';
import type { Host } from '../../src/host/host.ts';
import { LocalHost } from '../../src/host/local-host.ts';
import { findTools } from '../../src/host/tools.ts';
import type { Dump } from '../../src/postgres/loadable-dump.ts';
import { Postgres } from '../../src/postgres/server.ts';
import { ContentError, UnrestorableError, UserError } from '../../src/util/errors.ts';
import { loadScratch } from '../../src/verify/restore/load.ts';
import type { TestServer } from '../../src/verify/restore/servers/server.ts';
import { type FrenchServer, startFrenchServer } from '../support/french-server.ts';

/** What a database holds, and what a restore test has to say of it. */
interface Case {
  readonly title: string;
  readonly make: string;
  /** undefined: nothing is proven. */
  readonly why: RegExp | undefined;
}

const CASES: readonly Case[] = [
  {
    title: 'a connection that is ended while it loads',
    make: `CREATE FUNCTION ends() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             RETURN current_database() ~ '^scratch_' AND pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()); END $$;
           CREATE MATERIALIZED VIEW ended AS SELECT public.ends()`,
    why: undefined,
  },
  {
    title: 'a right that is missing',
    make: `CREATE FUNCTION reads() RETURNS text LANGUAGE sql AS $$ SELECT pg_catalog.pg_read_file('/etc/hostname') $$;
           CREATE MATERIALIZED VIEW read AS SELECT public.reads()`,
    why: undefined,
  },
  {
    title: 'a function without a schema, in an index',
    make: `CREATE FUNCTION inner_f(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
           CREATE FUNCTION outer_f(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN inner_f(t); END $$;
           CREATE INDEX unqualified ON mine (outer_f(x))`,
    why: /uses a name without its schema.*inner_f/,
  },
  {
    title: 'a table without a schema, in a materialized view',
    make: `CREATE FUNCTION counts() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM mine';
           CREATE MATERIALIZED VIEW counted AS SELECT public.counts()`,
    why: /uses a name without its schema.*mine/,
  },
  {
    title: 'a function without a schema, in a generated column',
    make: `CREATE FUNCTION inner_f(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
           CREATE FUNCTION outer_f(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN inner_f(t); END $$;
           CREATE TABLE generated (a text, b text GENERATED ALWAYS AS (outer_f(a)) STORED); INSERT INTO generated VALUES ('x');
           ALTER TABLE generated OWNER TO odoo`,
    why: /uses a name without its schema.*inner_f/,
  },
  {
    title: 'an event trigger',
    make: `CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
           CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION on_ddl()`,
    why: /it contains objects that only a superuser can create: EVENT TRIGGER watcher/,
  },
  {
    title: 'rows that break its own rules',
    make: `CREATE TABLE twice (a int); INSERT INTO twice VALUES (1), (1); ALTER TABLE twice OWNER TO odoo;
           CREATE FUNCTION once() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
             IF current_database() ~ '^scratch_' THEN RAISE EXCEPTION 'not here'; END IF; RETURN true; END $$;
           ALTER TABLE twice ADD CHECK (once())`,
    why: /PostgreSQL refuses what it holds: not here/,
  },
];

/** By a server that speaks French, whose words nothing may be decided by. */
suite('what a load says of a good archive', () => {
  let french: FrenchServer;
  let host: Host;
  let folder: string;
  let server: TestServer;
  before(async () => {
    french = await startFrenchServer();
    host = new LocalHost();
    folder = await mkdtemp(join(tmpdir(), 'verdicts-'));
    const { odoo, host: address, port } = french.server;
    const settings = { host: address, port, user: odoo.name, password: odoo.password };
    const tools = await findTools(host);
    const app = await Postgres.connect(
      { host, accounts: new Accounts(host, 'never'), tools },
      settings,
      'postgres',
    );
    const nothing = async () => {};
    server = {
      label: 'the server',
      admin: app,
      app,
      owner: 'odoo',
      also: new Set(),
      tools,
      jobs: 2,
      [Symbol.asyncDispose]: nothing,
    };
  });
  after(async () => {
    await host?.[Symbol.asyncDispose]();
    await french?.[Symbol.asyncDispose]();
    if (folder) await rm(folder, { recursive: true });
  });

  let number = 0;
  /** A database that holds this, dumped. @returns the paths of its dumps */
  async function dumped(make: string): Promise<Readonly<Record<'custom' | 'plain', string>>> {
    number += 1;
    const database = `made_${number}`;
    await french.sql(`CREATE DATABASE ${database} OWNER odoo`);
    const table =
      "CREATE TABLE mine (x text); INSERT INTO mine VALUES ('a'); ALTER TABLE mine OWNER TO odoo;";
    await french.sql(`${table} ${make}`, database);
    const dump = (format: 'custom' | 'plain') => {
      const path = join(folder, `${database}.${format}`);
      const { bin, socket, port } = french.server;
      const way = ['-h', socket, '-p', String(port), '-U', 'admin', '--no-owner'];
      const { status, stderr } = spawnSync(join(bin, 'pg_dump'), [
        ...way,
        `--format=${format}`,
        `--file=${path}`,
        database,
      ]);
      assert.equal(status, 0, String(stderr));
      return path;
    };
    return { custom: dump('custom'), plain: dump('plain') };
  }

  async function dumpAt(path: string): Promise<Dump> {
    const { size } = await stat(path);
    const open = () => createReadStream(path);
    if (path.endsWith('.custom')) return { kind: 'custom', size, open };
    return {
      kind: 'plain',
      size,
      open: (passage) => pipeline(open(), plainDumpFilter(path, passage), () => {}),
    };
  }

  async function load(dump: Dump, jobs = server.jobs): Promise<number> {
    number += 1;
    const database = `scratch_${number}`;
    await french.sql(`CREATE DATABASE ${database} OWNER odoo TEMPLATE template0`);
    return loadScratch(
      { ...server, jobs },
      { database, loader: server.app },
      { dump, extensions: [] },
      new AbortController().signal,
    );
  }

  const isUnrestorable = (why: RegExp, where: string) => (error: unknown) => {
    assert.ok(error instanceof UnrestorableError, `${where}: ${error}`);
    assert.match(error.message, /^This database cannot be restored as it is, because/, where);
    assert.match(error.message, why, where);
    return true;
  };
  const provesNothing = (where: string) => (error: unknown) => {
    assert.ok(error instanceof UserError && !(error instanceof ContentError), `${where}: ${error}`);
    assert.match(error.message, /says nothing about the archive/, where);
    return true;
  };

  for (const { title, make, why } of CASES) {
    test(title, async () => {
      const { custom, plain } = await dumped(make);
      for (const [how, dump, jobs] of [
        ['as it arrives', await dumpAt(custom), 2],
        ['from a file', await dumpAt(custom), 3],
        ['by psql', await dumpAt(plain), 1],
      ] as const) {
        await assert.rejects(load(dump, jobs), why ? isUnrestorable(why, how) : provesNothing(how));
      }
    });
  }

  test('and of one that is cut short: it is damaged', async () => {
    const { custom } = await dumped('INSERT INTO mine SELECT md5(i::text) FROM generate_series(1, 20000) i');
    await truncate(custom, Math.floor((await stat(custom)).size * 0.6));
    for (const jobs of [2, 3]) {
      await assert.rejects(load(await dumpAt(custom), jobs), (error) => {
        assert.ok(error instanceof ContentError && !(error instanceof UnrestorableError), String(error));
        assert.match(error.message, /^The dump cannot be restored\. /);
        return true;
      });
    }
  });

  test('and of one that loads: nothing', async () => {
    const { custom, plain } = await dumped('CREATE INDEX ON mine (x)');
    for (const path of [custom, plain]) {
      for (const jobs of [2, 3]) assert.ok((await load(await dumpAt(path), jobs)) > 0);
    }
  });
});
