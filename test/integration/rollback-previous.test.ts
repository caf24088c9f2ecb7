import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { heldStop } from '../support/held-stop.ts';
import { dropDatabase } from '../support/postgres.ts';
import { type DeployedScene, openDeployed } from '../support/rollback-scene.ts';

const DAY_MS = 24 * 3_600_000;

suite('a dry run', () => {
  let scene: DeployedScene;
  before(async () => {
    scene = await openDeployed();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  for (const [how, inputs, env] of [
    ['the input', { 'dry-run': 'true' }, {}],
    ['DRY_RUN', {}, { DRY_RUN: 'true' }],
  ] as const) {
    test(`asked for by ${how} prints the plan and changes nothing`, async () => {
      const before = [await scene.traces(), await scene.snapshot(), await scene.everything()];
      const { exitCode, log } = await scene.start('rollback', inputs, env).ended;
      assert.equal(exitCode, 0, log);
      assert.match(log, /^ {2}1\. Create the database /m);
      assert.match(log, /none to be fetched/);
      assert.match(log, /Added since +1 file \(0 B\), not in the backup/);
      assert.match(log, /Nothing was changed/);
      assert.deepEqual([await scene.traces(), await scene.snapshot(), await scene.everything()], before);
    });
  }

  test('gives the key that a real run is to take', async () => {
    const { outputs } = await scene.succeeds('rollback', { 'dry-run': 'true' });
    assert.equal(outputs.downtime, undefined);
    assert.equal(outputs.database, scene.database);
    const done = await scene.succeeds('rollback', { backup: outputs.key ?? '' });
    assert.equal(done.outputs.key, outputs.key);
    assert.deepEqual(await scene.snapshot(), scene.backedUp);
  });

  test('says who holds the lock', async () => {
    await using stop = await heldStop(scene.scene.folder, scene.server.stopCommand);
    const run = scene.start('rollback', { 'stop-command': stop.command });
    await stop.reached(run);
    for (const [command, inputs] of [
      ['rollback', { 'dry-run': 'true' }],
      ['rollback', {}],
      ['backup', {}],
    ] as const) {
      const { exitCode, log } = await scene.start(command, inputs).ended;
      assert.equal(exitCode, 1, log);
      assert.match(
        log,
        /Another backup or restore of \S+ is running since \d{4}-\d\d-\d\d \d\d:\d\d UTC: rollback/,
      );
    }
    await stop.letGo();
    assert.equal((await run.ended).exitCode, 0);
  });
});

suite('what a rollback replaces', () => {
  let scene: DeployedScene;
  before(async () => {
    scene = await openDeployed();
    await scene.sql(`COMMENT ON DATABASE ${scene.database} IS 'Odoo of Acme'`);
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const kept = async () => {
    const { databases, folders } = await scene.traces();
    return {
      databases: databases.map((line) => line.split('|')[0]).filter((name) => name !== scene.database),
      folders: folders.filter((name) => name !== scene.database),
    };
  };

  test('is kept for good', async () => {
    const { log } = await scene.succeeds('rollback', { 'keep-previous': 'always' });
    const { databases, folders } = await kept();
    assert.equal(databases.length, 1, log);
    assert.deepEqual(folders, databases);
    const [name = ''] = databases;
    assert.ok(log.includes(`Kept`) && log.includes(name), log);
    const comment = await scene.sql(
      `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${name}'`,
      'postgres',
    );
    assert.match(comment, /^odoo-backup: replaced \S+; keep always\nOdoo of Acme$/);
  });

  test('is kept for days, and removed by the first backup after that', async () => {
    const before = await kept();
    await scene.succeeds('rollback', { 'keep-previous': '7' });
    const [name = ''] = (await kept()).databases.filter((each) => !before.databases.includes(each));
    await scene.succeeds('backup');
    assert.ok((await kept()).databases.includes(name), 'the days are not over');
    const past = new Date(Date.now() - DAY_MS).toISOString();
    await scene.sql(
      `COMMENT ON DATABASE "${name}" IS 'odoo-backup: replaced ${past}; keep until ${past}'`,
      'postgres',
    );
    const { log } = await scene.succeeds('backup');
    assert.match(log, new RegExp(`^Remove what was kept long enough: ${name}`, 'm'));
    assert.deepEqual(await kept(), before);
  });

  test('is gone once Odoo is healthy', async () => {
    const before = await kept();
    await scene.succeeds('rollback');
    assert.deepEqual(await kept(), before);
  });
});

suite('what is gone altogether', () => {
  let scene: DeployedScene;
  before(async () => {
    scene = await openDeployed();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const gone = {
    'the database': () => dropDatabase(scene.scene.sandbox.postgres, scene.database),
    'the filestore': () => rm(scene.scene.odoo.filestore, { recursive: true }),
    both: async () => {
      await gone['the database']();
      await gone['the filestore']();
    },
  };
  for (const [what, remove] of Object.entries(gone)) {
    test(`${what}: comes back, and Odoo with it`, async () => {
      await remove();
      const { log, outputs } = await scene.succeeds('rollback');
      assert.deepEqual(await scene.snapshot(), scene.backedUp);
      assert.ok(Number(outputs.downtime) > 0, 'Odoo was started again');
      assert.match(log, /answers/);
      assert.equal((await scene.server.state())?.attachments, scene.attachments);
      const { databases, folders } = await scene.traces();
      assert.deepEqual([databases.length, folders], [1, [scene.database]]);
    });
  }
});
