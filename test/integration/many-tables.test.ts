import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { cleanEnvironment, Scene, startProgram } from '../support/backup-run.ts';
import { holdDump } from '../support/hold-dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { psql } from '../support/postgres.ts';
import { startOwnSandbox } from '../support/sandbox.ts';
import { untilSession, waitingWith } from '../support/until-waits.ts';

/** As a server is delivered: 64 locks for each of about 120 sessions, some 7,800. */
const DELIVERED = 'max_connections = 100';

/** 3,000 tables with 10,000 indexes, as a large Odoo with many modules has them. */
const MANY_TABLES = `DO $$ BEGIN
  FOR i IN 1..3000 LOOP
    EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, a int, b int UNIQUE, c int)', i);
    EXECUTE format('CREATE INDEX ON many_%s (a)', i);
    IF i % 3 = 0 THEN EXECUTE format('CREATE INDEX ON many_%s (c)', i); END IF;
    IF i % 50 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$`;

/** What a session of Odoo holds in the middle of its work: the locks of some hundred tables and their indexes. */
const WORK = (from: number) => `DO $$ DECLARE n bigint; BEGIN
  FOR i IN ${from}..${from + 199} LOOP EXECUTE format('SELECT count(*) FROM many_%s WHERE id > 0', i) INTO n; END LOOP;
END $$`;

suite('a database of 3,000 tables on a server as it is delivered', () => {
  let own: AsyncDisposable;
  let scene: Scene;
  before(async () => {
    own = await startOwnSandbox(DELIVERED);
    scene = await Scene.open();
    await psql(scene.sandbox.postgres, scene.odoo.database, MANY_TABLES, 'odoo');
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    await own?.[Symbol.asyncDispose]();
  });

  const locks = (of: string) =>
    psql(
      scene.sandbox.postgres,
      'postgres',
      `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'relation' AND ${of}`,
    ).then(Number);

  const sessions = (of: string) =>
    psql(scene.sandbox.postgres, 'postgres', `SELECT count(*) FROM pg_stat_activity WHERE ${of}`).then(
      Number,
    );

  test('has as many indexes', async () => {
    const indexes = "SELECT count(*) FROM pg_indexes WHERE tablename LIKE 'many%'";
    assert.equal(await psql(scene.sandbox.postgres, scene.odoo.database, indexes), '10000');
  });

  test('is backed up, every table counted, while Odoo works: no lock is left of what was counted', async () => {
    const { postgres } = scene.sandbox;
    await using _odoo = await holdLock(postgres, scene.odoo.database, WORK(1));
    const run = await (async () => {
      await using _held = await holdDump(postgres, scene.odoo.database);
      const started = startProgram(
        'backup',
        { ...scene.inputs, 'count-tables': 'all' },
        cleanEnvironment(scene.sandbox.s3),
      );
      await untilSession(postgres, started, waitingWith('LOCK TABLE'));
      await started.says(/^What S3 has already/m); // everything was counted by then
      // The sessions of pg_dump ask other things last.
      const counting = "query ~ '^SELECT \\S*[0-9a-f]{8}-[0-9a-f-]{27}' AND state = 'idle in transaction'";
      assert.equal(await sessions(counting), 1);
      assert.ok((await locks(counting)) < 50);
      await using _more = await holdLock(postgres, scene.odoo.database, WORK(1001));
      return started;
    })();
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 0, log);
  });

  test('is restored, and compared, while Odoo works', async () => {
    const { postgres } = scene.sandbox;
    await using _odoo = await holdLock(postgres, scene.odoo.database, WORK(1));
    const copy = `${scene.odoo.database}_copy`;
    const inputs = { ...scene.inputs, 'target-database': copy, backup: 'latest' };
    const { exitCode, log } = await startProgram('restore', inputs, cleanEnvironment(scene.sandbox.s3)).ended;
    assert.equal(exitCode, 0, log);
    assert.match(log, /3,\d{3} tables have as many rows as when the backup was made/);
  });
});

suite('a server with fewer locks than a dump takes', () => {
  let own: AsyncDisposable;
  let scene: Scene;
  before(async () => {
    own = await startOwnSandbox('max_connections = 20\nmax_locks_per_transaction = 10');
    scene = await Scene.open();
    const tables = Array.from({ length: 500 }, (_, number) => `CREATE TABLE public.more_${number} ();`);
    await psql(scene.sandbox.postgres, scene.odoo.database, tables.join('\n'));
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    await own?.[Symbol.asyncDispose]();
  });

  test('is told before anything moves, with the number to set', async () => {
    await scene.fails(
      {},
      1,
      /pg_dump locks \d+ tables, sequences and views at once, and the server has about \d+ locks for everybody \(max_locks_per_transaction = 10\)/,
      /Set max_locks_per_transaction = \d+ in postgresql\.conf, and restart PostgreSQL/,
    );
  });
});
