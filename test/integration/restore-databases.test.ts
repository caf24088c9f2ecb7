import assert from 'node:assert/strict';
import { mock, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../../src/host/host.ts';
import { describeDatabase } from '../../src/odoo/database.ts';
import { createDatabase } from '../../src/postgres/create-database.ts';
import { applySettings } from '../../src/postgres/database-settings.ts';
import { findDatabase, listDerivedDatabases, listSessions } from '../../src/postgres/databases.ts';
import { derivedName } from '../../src/postgres/derived-names.ts';
import { dropDerivedDatabase } from '../../src/postgres/drop-database.ts';
import { missingRights, missingRoles } from '../../src/postgres/rights.ts';
import { runSql } from '../../src/postgres/run-sql.ts';
import { Snapshot } from '../../src/postgres/snapshot.ts';
import { sql } from '../../src/postgres/sql.ts';
import { commentOn, swapDatabases, swapDatabasesBack } from '../../src/postgres/swap.ts';
import { applyPrivileges } from '../../src/postgres/traits.ts';
import { markText } from '../../src/restore/leftovers/marks.ts';
import { findLeftovers } from '../../src/restore/target.ts';
import { UserError } from '../../src/util/errors.ts';
import { holdRename } from '../support/hold-lock.ts';
import { dropDatabase, psql } from '../support/postgres.ts';
import { dropTemplate, openRestoreHost, type RestoreHost, timestamp } from '../support/restore-host.ts';

const plain = {
  encoding: 'UTF8',
  collate: 'C.UTF-8',
  ctype: 'C.UTF-8',
  localeProvider: 'libc',
  locale: null,
};

/** An Odoo host, and an empty database beside the one of Odoo, ready to be swapped in. */
async function openSwap() {
  await using resources = new AsyncDisposableStack();
  const scene = resources.use(await openRestoreHost());
  const { database } = scene.odoo;
  const swap = {
    current: database,
    old: derivedName(database, 'old', timestamp),
    new: derivedName(database, 'new', timestamp),
  };
  for (const name of [swap.old, swap.new]) resources.defer(() => dropTemplate(scene, name));
  const admin = scene.found.postgres;
  await createDatabase(admin, swap.new, 'odoo', plain);
  await runSql(admin, swap.new, sql`CREATE TABLE public.is_new ()`);
  const kept = resources.move();
  return { ...scene, admin, swap, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const isNew = async ({ sql }: RestoreHost, database: string) =>
  (await sql("SELECT to_regclass('is_new') IS NOT NULL", database)) === 't';

/** What `odoo.service.db.list_dbs` of Odoo asks: which databases it offers, and whose crons it runs. */
const offered = ({ sql }: RestoreHost, prefix: string) =>
  sql(
    `SELECT datname FROM pg_database WHERE datdba = (SELECT usesysid FROM pg_user WHERE usename = 'odoo')
       AND NOT datistemplate AND datallowconn AND datname LIKE '${prefix}%' ORDER BY 1`,
    'postgres',
  );

suite('a new database', () => {
  test('has the traits of the backup, and is hidden from Odoo', async () => {
    await using scene = await openSwap();
    const { swap, admin, odoo } = scene;
    assert.equal(await offered(scene, odoo.database), odoo.database);
    const state = await findDatabase(admin, swap.new);
    assert.deepEqual(
      { ...state, bytes: 0 },
      {
        name: swap.new,
        owner: 'odoo',
        tablespace: 'pg_default',
        allowsConnections: true,
        bytes: 0,
        comment: null,
        isBroken: false,
      },
    );
    const derived = {
      name: swap.new,
      derivation: 'new',
      timestamp,
      comment: null,
      isBroken: false,
      bytes: 0,
    };
    const listed = await listDerivedDatabases(admin, odoo.database);
    assert.deepEqual(
      listed.map((each) => ({ ...each, bytes: 0 })),
      [derived],
    );
    assert.ok(listed.every(({ bytes }) => bytes !== null && bytes > 0));
  });

  test('is dropped although somebody is connected, twice, and no other database is', async () => {
    await using scene = await openSwap();
    const { swap, admin, odoo } = scene;
    await using session = await admin.openSession(swap.new);
    await session.lines(sql`SELECT 1`);
    await dropDerivedDatabase(admin, swap.new, odoo.database);
    await dropDerivedDatabase(admin, swap.new, odoo.database);
    assert.equal(await findDatabase(admin, swap.new), undefined);
    await assert.rejects(dropDerivedDatabase(admin, odoo.database, odoo.database), /Not derived/);
    assert.ok(await findDatabase(admin, odoo.database));
  });
});

suite('autovacuum at work', { concurrency: false }, () => {
  test('holds up neither a drop nor a swap', async () => {
    await using scene = await openSwap();
    const { swap, admin, odoo, sandbox } = scene;
    // A table that takes autovacuum a long time, in either database.
    for (const database of [swap.new, odoo.database]) {
      await psql(
        sandbox.postgres,
        database,
        `CREATE TABLE slow WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
           autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_cost_delay = 100)
           AS SELECT repeat('x', 1000) AS x, n FROM generate_series(1, 20000) n;
         DELETE FROM slow WHERE n % 2 = 0`,
      );
    }
    const workers = `SELECT count(DISTINCT datname) FROM pg_stat_activity
      WHERE backend_type = 'autovacuum worker' AND datname IN ('${swap.new}', '${odoo.database}')`;
    const atWork = async () => {
      while ((await psql(sandbox.postgres, 'postgres', workers)) !== '2') await sleep(100);
    };
    await psql(sandbox.postgres, 'postgres', 'ALTER SYSTEM SET autovacuum_naptime = 1');
    try {
      await psql(sandbox.postgres, 'postgres', 'SELECT pg_reload_conf()');
      await atWork();
      await swapDatabases(admin, swap);
      assert.ok(await findDatabase(admin, swap.old));
      await swapDatabasesBack(admin, swap);
      await atWork();
      await dropDerivedDatabase(admin, swap.new, odoo.database);
      assert.equal(await findDatabase(admin, swap.new), undefined);
    } finally {
      await psql(sandbox.postgres, 'postgres', 'ALTER SYSTEM RESET autovacuum_naptime');
      await psql(sandbox.postgres, 'postgres', 'SELECT pg_reload_conf()');
    }
  });
});

suite('the swap', () => {
  test('takes the name from under open connections, and gives it back, twice', async () => {
    await using scene = await openSwap();
    const { swap, admin, odoo } = scene;
    await using session = await admin.openSession(odoo.database);
    await session.lines(
      sql`SET application_name = 'odoo-17'; BEGIN; UPDATE public.res_users SET active = true`,
    );
    assert.deepEqual(await listSessions(admin, odoo.database), [
      { role: 'odoo', application: 'odoo-17', mayEnd: true, count: 1 },
    ]);

    await swapDatabases(admin, swap);
    assert.ok(await isNew(scene, swap.current));
    assert.equal(await offered(scene, odoo.database), swap.current, 'Odoo sees the new one only');
    await assert.rejects(session.lines(sql`SELECT 1`), CommandError);

    for (const _ of ['back', 'again']) {
      await swapDatabasesBack(admin, swap);
      assert.ok(!(await isNew(scene, swap.current)));
      assert.ok(await isNew(scene, swap.new));
      assert.equal(await offered(scene, odoo.database), swap.current);
    }
  });

  test('succeeds while a client comes again and again', async () => {
    await using scene = await openSwap();
    const { swap, admin } = scene;
    const { bin, socket, port } = scene.sandbox.postgres;
    const loop = `while :; do PGOPTIONS= ${bin}/psql -Xqh ${socket} -p ${port} -U odoo -d ${swap.current} -c 'SELECT pg_sleep(9)'; done`;
    await using _client = await scene.host.start({ argv: ['sh', '-c', loop], guarded: true });
    while ((await listSessions(admin, swap.current)).length === 0) await sleep(20);
    await swapDatabases(admin, swap);
    assert.ok(await isNew(scene, swap.current));
  });

  test('changes nothing when somebody may not be sent away, and says who it is', async () => {
    await using scene = await openSwap();
    const { swap, admin, odoo } = scene;
    const asAdmin = await admin.asRole('admin');
    await using session = await asAdmin.openSession(odoo.database);
    await session.lines(sql`SET application_name = 'bi'`);
    await assert.rejects(swapDatabases(admin, swap), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /being accessed by other users/);
      assert.match(error.hint, /^Still connected: admin \(bi\)\. /);
      return true;
    });
    assert.ok(!(await isNew(scene, swap.current)));
    await swapDatabasesBack(admin, swap);
    assert.ok(!(await isNew(scene, swap.current)));
    await swapDatabases(asAdmin, swap);
    assert.ok(await isNew(scene, swap.current), 'a superuser may send it away');
  });

  test('does not wait for long for who has locked one of them', async () => {
    await using scene = await openSwap();
    const { swap, admin, sandbox } = scene;
    await using _held = await holdRename(sandbox.postgres, swap.new);
    await assert.rejects(swapDatabases(admin, swap), /another session had one of them locked for 10 s/);
    assert.ok(!(await isNew(scene, swap.current)), 'both renames or none');
  });

  test('is all or nothing when the second rename fails', async () => {
    await using scene = await openSwap();
    const { swap, admin } = scene;
    await assert.rejects(swapDatabases(admin, { ...swap, new: 'no_such_database' }), /does not exist/);
    assert.ok(!(await isNew(scene, swap.current)));
    assert.equal(await findDatabase(admin, swap.old), undefined);
  });

  test('gives a name that nothing bears yet, and takes it back', async () => {
    await using scene = await openSwap();
    const { swap, admin } = scene;
    const target = { current: swap.old, old: undefined, new: swap.new };
    await swapDatabasesBack(admin, target);
    await swapDatabases(admin, target);
    assert.ok(await isNew(scene, target.current));
    await swapDatabasesBack(admin, target);
    assert.ok(await isNew(scene, target.new));
    assert.equal(await findDatabase(admin, target.current), undefined);
  });
});

suite('what a dump leaves out', () => {
  test('is put back: settings, privileges; what names a role that is gone is told', async () => {
    await using scene = await openSwap();
    const { swap, admin, odoo, sql: run } = scene;
    await run(`ALTER DATABASE "${odoo.database}" SET search_path TO "$user", public, "a,b"`);
    await run(`ALTER DATABASE "${odoo.database}" SET statement_timeout TO '5min'`);
    await run(`ALTER DATABASE "${odoo.database}" CONNECTION LIMIT 77`);
    await run(`ALTER ROLE odoo IN DATABASE "${odoo.database}" SET work_mem TO '64MB'`);
    await run(
      `REVOKE ALL ON DATABASE "${odoo.database}" FROM PUBLIC; GRANT CONNECT ON DATABASE "${odoo.database}" TO admin`,
    );
    const traitsOf = async (database: string) => {
      await using snapshot = await Snapshot.open(admin, database);
      const [row] = await snapshot.lines(sql`SELECT 1`);
      assert.ok(row);
      const described = await run(
        `SELECT json_build_object('settings', (SELECT json_agg(x ORDER BY x) FROM pg_db_role_setting, unnest(setconfig) x
           WHERE setdatabase = d.oid), 'privileges', (SELECT json_agg(x ORDER BY x) FROM unnest(datacl::text[]) x), 'limit', datconnlimit)
           FROM pg_database d WHERE datname = '${database}'`,
        'postgres',
      );
      return JSON.parse(described);
    };
    await using snapshot = await Snapshot.open(admin, odoo.database);
    const { traits } = await describeDatabase(snapshot);
    const privileges = [...traits.privileges, 'nobody_here=c/odoo'];
    const refusals = await applyPrivileges(
      { app: admin, admin },
      swap.new,
      { ...traits, privileges },
      'odoo',
    );
    assert.deepEqual(
      await applySettings({ app: admin, admin }, swap.new, traits, { owner: 'odoo', given: [] }),
      [],
    );
    assert.deepEqual(
      refusals.map(({ statement }) => statement),
      [`GRANT CONNECT ON DATABASE "${swap.new}" TO "nobody_here"`],
    );
    assert.match(refusals[0]?.reason ?? '', /role "nobody_here" does not exist/);
    assert.deepEqual(await traitsOf(swap.new), await traitsOf(odoo.database));
  });

  test('a collation that the server lacks is named', async () => {
    await using scene = await openSwap();
    const traits = { ...plain, collate: 'xx_XX.UTF-8', ctype: 'xx_XX.UTF-8' };
    const name = derivedName(scene.odoo.database, 'new', '20260101000000');
    await assert.rejects(createDatabase(scene.admin, name, 'odoo', traits), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /cannot create .* \(UTF8, xx_XX\.UTF-8\): .*invalid locale name/);
      assert.match(error.hint, /locale-gen xx_XX\.UTF-8/);
      return true;
    });
  });
});

suite('rights', () => {
  test('of the role of Odoo, of a strict role, and of an admin', async () => {
    await using scene = await openSwap();
    const { admin, odoo, sql } = scene;
    assert.deepEqual(await missingRights(admin, 'odoo', odoo.database), []);
    assert.match(
      (await missingRights(admin, 'admin', odoo.database)).join(),
      /may not create databases that belong to admin/,
    );
    assert.deepEqual(await missingRoles(admin, ['odoo', 'gone', 'admin']), ['gone']);
    await sql('CREATE ROLE strict LOGIN', 'postgres');
    try {
      await sql(`CREATE DATABASE strict_${odoo.database} OWNER strict`, 'postgres');
      const asAdmin = await admin.asRole('admin');
      assert.deepEqual(await missingRights(asAdmin, 'strict', `strict_${odoo.database}`), []);
      assert.match((await missingRights(admin, 'odoo', `strict_${odoo.database}`)).join(), /may not rename/);
    } finally {
      await dropDatabase(scene.sandbox.postgres, `strict_${odoo.database}`);
      await sql('DROP ROLE strict', 'postgres');
    }
  });

  test('a role that is not let in is explained', async () => {
    await using scene = await openRestoreHost();
    await assert.rejects(
      scene.found.postgres.asRole('nobody_here'),
      /db-admin-user: PostgreSQL does not let in the role nobody_here/,
    );
  });
});

suite('what is kept for days', () => {
  const DAY_MS = 24 * 3_600_000;

  test('stays where the runner’s clock alone says that these are over', async () => {
    await using scene = await openRestoreHost();
    const { database } = scene.odoo;
    const admin = scene.found.postgres;
    const old = derivedName(database, 'old', timestamp);
    await using resources = new AsyncDisposableStack();
    resources.defer(() => dropTemplate(scene, old));
    await createDatabase(admin, old, 'odoo', plain);
    const now = Date.now();
    const mark = (until: number) =>
      markText({ at: new Date(now), settled: true, keep: new Date(until), comment: null });
    const found = async (at: number) => {
      mock.timers.enable({ apis: ['Date'], now: at });
      try {
        const { expired, kept } = await findLeftovers(admin, database, undefined);
        return [expired.length, kept.length];
      } finally {
        mock.timers.reset();
      }
    };
    await commentOn(admin, old, mark(now + 3 * DAY_MS));
    assert.deepEqual(await found(now + 30 * DAY_MS), [0, 1]);
    await commentOn(admin, old, mark(now - DAY_MS));
    assert.deepEqual(await found(now), [1, 0]);
    assert.deepEqual(await found(now - 30 * DAY_MS), [0, 1]);
  });
});
