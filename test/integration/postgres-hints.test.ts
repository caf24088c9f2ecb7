import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Accounts } from '../../src/host/accounts.ts';
import type { Host } from '../../src/host/host.ts';
import { LocalHost } from '../../src/host/local-host.ts';
import { findTools } from '../../src/host/tools.ts';
import { streamDump } from '../../src/postgres/dump.ts';
import { logicalSlots } from '../../src/postgres/replication-slots.ts';
import { restoreObstacles } from '../../src/postgres/restore-obstacles.ts';
import { runSql } from '../../src/postgres/run-sql.ts';
import { Postgres } from '../../src/postgres/server.ts';
import { Snapshot } from '../../src/postgres/snapshot.ts';
import { MAINTENANCE_DATABASE, sql } from '../../src/postgres/sql.ts';
import { UserError } from '../../src/util/errors.ts';
import { type FrenchServer, startFrenchServer } from '../support/french-server.ts';

/** By a server that speaks French: no hint may depend on the words of an error. */
suite('what keeps a role from reading its database', () => {
  let french: FrenchServer;
  let host: Host;
  before(async () => {
    french = await startFrenchServer();
    host = new LocalHost();
  });
  after(async () => {
    await host?.[Symbol.asyncDispose]();
    await french?.[Symbol.asyncDispose]();
  });

  let number = 0;
  /** A database of `odoo` with a table, and that role's way in. */
  async function open(prepare = '') {
    number += 1;
    const database = `hints_${number}`;
    const { server } = french;
    await french.sql(`CREATE DATABASE ${database} OWNER odoo`);
    const make =
      "CREATE TABLE mine (x text); INSERT INTO mine VALUES ('日本'); ALTER TABLE mine OWNER TO odoo;";
    await french.sql(`${make} ${prepare}`, database);
    const settings = { host: server.host, port: server.port, user: 'odoo', password: server.odoo.password };
    const tools = await findTools(host);
    const postgres = await Postgres.connect(
      { host, accounts: new Accounts(host, 'never'), tools },
      settings,
      database,
    );
    return { database, postgres };
  }

  async function dumped(postgres: Postgres, database: string): Promise<string> {
    await using snapshot = await Snapshot.open(postgres, database);
    const chunks: Buffer[] = [];
    for await (const chunk of await streamDump(snapshot, ['--format=plain'], undefined)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  const refused = (run: Promise<unknown>, hint: RegExp): Promise<void> =>
    assert.rejects(run, (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.hint, hint);
      return true;
    });

  for (const [title, prepare, hint] of [
    ['a table of another role', 'CREATE TABLE secret (x int)', /may not read public\.secret: GRANT SELECT/],
    [
      'row-level security',
      'ALTER TABLE mine ENABLE ROW LEVEL SECURITY; ALTER TABLE mine FORCE ROW LEVEL SECURITY',
      /hides rows of public\.mine from odoo.*BYPASSRLS/,
    ],
    [
      'a large object of another role',
      'SELECT lo_create(4711)',
      /Large objects belong to other roles than odoo.*\(4711\): ALTER LARGE OBJECT/,
    ],
  ] as const) {
    test(title, async () => {
      const { postgres, database } = await open(prepare);
      await refused(dumped(postgres, database), hint);
    });
  }

  test('GRANT CONNECT is missing', async () => {
    const { postgres, database } = await open(
      'REVOKE CONNECT ON DATABASE hints_4 FROM PUBLIC, odoo'.replace('4', String(number + 1)),
    );
    await refused(
      Snapshot.open(postgres, database),
      /odoo may not connect to it: GRANT CONNECT ON DATABASE "hints_\d+" TO "odoo"/,
    );
  });

  test('the database takes no more sessions', async () => {
    const { postgres, database } = await open();
    await french.sql(`ALTER DATABASE ${database} CONNECTION LIMIT 0`);
    await refused(Snapshot.open(postgres, database), /takes 0 sessions at once.*CONNECTION LIMIT/);
  });

  test('the role takes no more sessions', async () => {
    const { postgres, database } = await open();
    await french.sql('ALTER ROLE odoo CONNECTION LIMIT 0');
    try {
      await refused(
        Snapshot.open(postgres, database),
        /takes no more connections.*ALTER ROLE … CONNECTION LIMIT/,
      );
    } finally {
      await french.sql('ALTER ROLE odoo CONNECTION LIMIT -1');
    }
  });

  test('an encoding that its role is set to does not', async () => {
    const { postgres, database } = await open();
    await french.sql("ALTER ROLE odoo SET client_encoding = 'LATIN1'");
    try {
      assert.match(await dumped(postgres, database), /日本/);
    } finally {
      await french.sql('ALTER ROLE odoo RESET client_encoding');
    }
  });

  test('a role that is set to read only may still make a database', async () => {
    const { postgres, database } = await open();
    await french.sql('ALTER ROLE odoo SET default_transaction_read_only = on');
    try {
      await runSql(postgres, database, sql`CREATE TABLE public.made (x int)`);
    } finally {
      await french.sql('ALTER ROLE odoo RESET default_transaction_read_only');
    }
  });

  test('what a restore of it will meet is known beforehand, also to a superuser who may only copy', async () => {
    const { postgres, database } = await open(
      `CREATE FUNCTION inner_f(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
       CREATE FUNCTION outer_f(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN inner_f(t); END $$;
       CREATE INDEX unqualified ON mine (outer_f(x));
       CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
       CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION on_ddl(); CREATE PUBLICATION everything FOR ALL TABLES`,
    );
    const expected = [
      'it contains objects that only a superuser can create: EVENT TRIGGER watcher, PUBLICATION everything',
      'a restore does not find names without a schema: inner_f in public.outer_f(text)',
    ];
    const { server } = french;
    const settings = { host: server.host, port: server.port, user: 'admin', password: server.admin.password };
    const admin = await Postgres.connect(
      { host, accounts: new Accounts(host, 'never'), tools: await findTools(host) },
      settings,
      database,
    );
    for (const [by, onlyCopies] of [
      [postgres, false],
      [admin, true],
    ] as const) {
      await using snapshot = await Snapshot.open(by, database);
      assert.equal(snapshot.onlyCopies, onlyCopies);
      assert.deepEqual(await restoreObstacles(snapshot), expected);
    }
  });

  test('slots of logical replication are known', async () => {
    const { postgres, database } = await open();
    await french.sql("SELECT pg_create_logical_replication_slot('to_reports', 'pgoutput')", database);
    assert.deepEqual(await logicalSlots(postgres, database), [{ name: 'to_reports', active: false }]);
    assert.deepEqual(await logicalSlots(postgres, MAINTENANCE_DATABASE), []);
  });

  test('a standby ends a session that conflicts with what its primary has done', async () => {
    const { database } = await open();
    const standby = await french.startStandby();
    await standby.catchUp();
    const { server } = standby;
    const settings = { host: server.host, port: server.port, user: 'odoo', password: server.odoo.password };
    const accounts = new Accounts(host, 'never');
    const postgres = await Postgres.connect(
      { host, accounts, tools: await findTools(host) },
      settings,
      database,
    );
    await using snapshot = await Snapshot.open(postgres, database);
    await french.sql('DELETE FROM mine', database);
    await french.sql('VACUUM mine', database);
    await standby.catchUp();
    await refused(snapshot.lines(sql`SELECT x FROM public.mine`), /hot_standby_feedback = on/);
  });
});
