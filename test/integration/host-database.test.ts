import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { member, sqlOf, withoutRestrict } from '../support/backup-check.ts';
import { Scene } from '../support/backup-run.ts';
import { holdDump } from '../support/hold-dump.ts';
import { createOdoo } from '../support/odoo.ts';
import { createDatabase, dropDatabase, psql, uniqueName } from '../support/postgres.ts';
import { freePorts } from '../support/processes.ts';

suite('the way into the database', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open({ login: 'password' });
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const quick = { format: 'custom', filestore: 'false' } as const;
  /** The other way in of the same server. */
  const overTcp = () => ({
    'db-host': scene.sandbox.postgres.host,
    'db-port': String(scene.sandbox.postgres.port),
    'db-user': 'odoo',
    'db-password': scene.sandbox.postgres.odoo.password,
  });

  test('inputs override odoo.conf', async () => {
    await using other = await createOdoo(scene.sandbox);
    await using wrong = await createOdoo(scene.sandbox, {
      options: {
        db_host: '127.0.0.1',
        db_port: '1',
        db_user: 'nobody',
        db_password: 'wrong',
        db_name: 'none',
      },
    });
    const made = await scene.backup({
      ...quick,
      ...overTcp(),
      'odoo-conf': wrong.conf,
      database: other.database,
    });
    assert.equal(made.receipt.database, other.database);
  });

  test('without an odoo.conf, inputs do', async () => {
    const { odoo } = scene;
    const inputs = { ...overTcp(), 'odoo-conf': '', database: odoo.database, filestore: odoo.filestore };
    const made = await scene.backup({ format: 'odoo', ...inputs });
    assert.equal(made.receipt.filestore?.files, 205);
  });

  test('peer authentication over the socket', async () => {
    await using peer = await createOdoo(scene.sandbox);
    const made = await scene.backup({ ...quick, 'odoo-conf': peer.conf });
    assert.match(made.log, /PostgreSQL 15\.\d+, role odoo/);
  });

  test('a wrong database: those that there are', async () => {
    const words = [
      /error: Database does not exist: none \(on postgres@127\.0\.0\.1/,
      /Databases there: .*\bprod_/,
    ];
    await scene.fails({ database: 'none' }, 1, ...words, /Check the input database/);
  });

  test('a wrong password', async () => {
    const words = [
      /rejected every account and role/,
      /password authentication failed for user "odoo"/,
      /Check db_user and db_password/,
    ];
    await scene.fails({ 'db-password': 'not-the-password' }, 1, ...words);
  });

  test('no password where one is needed', async () => {
    await using odoo = await createOdoo(scene.sandbox, { options: { db_host: '127.0.0.1' } });
    const words = [/no password supplied/, /Set db-user and db-password, or let peer authentication work/];
    await scene.fails({ 'odoo-conf': odoo.conf }, 1, ...words);
  });

  test('a server that is down', async () => {
    const [port = 0] = await freePorts(1);
    const words = [
      new RegExp(`PostgreSQL does not answer at 127\\.0\\.0\\.1:${port}`),
      /inputs db-host and db-port/,
    ];
    await scene.fails({ 'db-port': String(port) }, 1, ...words);
  });

  test('a database that is not Odoo’s', async () => {
    const name = uniqueName('empty');
    await createDatabase(scene.sandbox.postgres, name);
    try {
      await scene.fails(
        { database: name },
        1,
        new RegExp(`${name} is not an Odoo database`),
        /Check the input database/,
      );
    } finally {
      await dropDatabase(scene.sandbox.postgres, name);
    }
  });

  test('an odoo.conf that is not there', async () => {
    await scene.fails({ 'odoo-conf': '/etc/no/odoo.conf' }, 1, /odoo-conf: \/etc\/no\/odoo\.conf is not on/);
  });

  test('an odoo.conf that names several databases', async () => {
    await using odoo = await createOdoo(scene.sandbox, { options: { db_name: 'one,two' } });
    await scene.fails(
      { 'odoo-conf': odoo.conf },
      1,
      /database: is not set.*several: one, two/,
      /Set the input database/,
    );
  });

  for (const database of ['Prod', 'my-odoo.example.com', '17_prod']) {
    test(`a database called ${database}`, async () => {
      await using odoo = await createOdoo(scene.sandbox, { database });
      const made = await scene.backup({ 'odoo-conf': odoo.conf, format: 'odoo' });
      assert.equal(made.receipt.database, database);
      assert.ok(made.receipt.key.startsWith(`acme/backups/${database}_2`));
      assert.equal(made.receipt.filestore?.files, 205);
    });
  }
});

suite('the snapshot', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** Sequences count outside of transactions: https://www.postgresql.org/docs/current/functions-sequence.html */
  const rowsOf = (sql: string) => withoutRestrict(sql).replace(/^SELECT pg_catalog.setval\(.*$/gm, '');

  test('what comes while the backup runs is in no part of it', async () => {
    const { odoo, sandbox } = scene;
    const hold = () => holdDump(sandbox.postgres, odoo.database);
    await (await hold())[Symbol.asyncDispose](); // the table is there, then
    const before = rowsOf(await sqlOf(sandbox.postgres, odoo.database));
    const partners = Number(await psql(sandbox.postgres, odoo.database, 'SELECT count(*) FROM res_partner'));
    const late = 'ff'.padEnd(40, '0');
    const held = await hold();
    const run = scene.start();
    await run.says(/^ *Dump for pg_restore/m); // and waits for the lock
    await psql(
      sandbox.postgres,
      odoo.database,
      `INSERT INTO res_partner (name, active) VALUES ('Too late', true);
       INSERT INTO ir_attachment (name, type, store_fname) VALUES ('late', 'binary', 'ff/${late}');
       DELETE FROM ir_attachment WHERE id = (SELECT max(id) FROM ir_attachment WHERE db_datas IS NULL AND name <> 'late')`,
    );
    await held[Symbol.asyncDispose]();
    const made = await scene.made(await run.ended);

    assert.equal(made.receipt.counts.res_partner, partners);
    assert.equal(made.receipt.filestore?.missing, 0);
    const sql = (await member(made.path, 'dump.sql')).toString();
    assert.ok(!sql.includes('Too late') && !sql.includes(late));
    assert.ok(rowsOf(sql) === before, 'the dump is of another instant');
  });

  test('records what a plain dump leaves out: settings, privileges, extensions, roles', async () => {
    const { odoo, sandbox } = scene;
    const reader = uniqueName('reader');
    const admin = (sql: string) => psql(sandbox.postgres, odoo.database, sql);
    await admin(`CREATE ROLE ${reader}; CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent;
      GRANT CONNECT ON DATABASE "${odoo.database}" TO ${reader}; GRANT SELECT ON res_partner TO ${reader};
      ALTER DATABASE "${odoo.database}" SET statement_timeout = '90s';
      ALTER ROLE odoo IN DATABASE "${odoo.database}" SET work_mem = '64MB';`);
    try {
      const made = await scene.backup({ format: 'odoo' });
      const { postgres, extensions, roles } = JSON.parse((await member(made.path, 'backup.json')).toString());
      assert.deepEqual(
        new Set(postgres.settings.map(JSON.stringify)),
        new Set([
          JSON.stringify({ role: null, setting: 'statement_timeout=90s' }),
          JSON.stringify({ role: 'odoo', setting: 'work_mem=64MB' }),
        ]),
      );
      assert.ok(postgres.privileges.includes(`${reader}=c/odoo`), postgres.privileges);
      assert.deepEqual(extensions, [
        { name: 'pg_trgm', version: '1.6', schema: 'public', owner: 'admin' },
        { name: 'plpgsql', version: '1.0', schema: 'pg_catalog', owner: 'admin' },
        { name: 'unaccent', version: '1.1', schema: 'public', owner: 'admin' },
      ]);
      assert.ok(roles.includes('odoo') && roles.includes(reader), roles);
    } finally {
      await admin(`DROP OWNED BY ${reader}; DROP ROLE ${reader}`);
    }
  });
});
