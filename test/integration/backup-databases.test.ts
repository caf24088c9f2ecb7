import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { outputsOf, Scene } from '../support/backup-run.ts';
import { holdDump } from '../support/hold-dump.ts';
import { dropDatabase, psql } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { getObject, listKeys } from '../support/s3.ts';

suite('several databases of one host', { concurrency: false }, () => {
  let scene: Scene;
  let names: readonly [string, string];
  before(async () => {
    scene = await Scene.open();
    const { odoo, sandbox } = scene;
    names = [odoo.database, `${odoo.database}_two`];
    await psql(sandbox.postgres, 'postgres', `CREATE DATABASE ${names[1]} TEMPLATE ${names[0]} OWNER odoo`);
    await run(['cp', '-a', odoo.filestore, join(dirname(odoo.filestore), names[1])]);
  });
  after(async () => {
    await dropDatabase(scene.sandbox.postgres, names[1]);
    await scene[Symbol.asyncDispose]();
  });

  for (const [how, database] of [
    ['a list', () => names.join(', ')],
    ['a pattern', () => `/^${names[0]}(_two)?$/`],
  ] as const) {
    test(`meant by ${how}: each has an archive and a receipt`, async () => {
      const before = await listKeys(scene.client, scene.bucket);
      const ended = await scene.run({ database: database() });
      assert.equal(ended.exitCode, 0, ended.log);
      assert.match(ended.log, /✅ 2 databases backed up/);
      const { json = '', ...outputs } = outputsOf(ended);
      const receipts = JSON.parse(json) as { database: string; key: string; size: number }[];
      assert.deepEqual(
        receipts.map((each) => each.database),
        names,
      );
      assert.equal(outputs.database, names.join(','));
      const size = receipts.reduce((sum, each) => sum + each.size, 0);
      assert.equal(Number(outputs.size), size);
      assert.deepEqual([outputs.verified, outputs.key], ['upload', undefined]);
      const made = receipts.flatMap(({ key }) => [key, key.replace(/zip$/, 'json')]);
      assert.deepEqual(await listKeys(scene.client, scene.bucket), [...before, ...made].sort());
      for (const { key } of receipts) assert.ok(ended.log.includes(key), 'the table names it');
    });
  }

  test('of which one fails: the others are backed up, and the run fails', async () => {
    const before = await listKeys(scene.client, scene.bucket);
    const ended = await scene.run({ database: `${names[0]}, nowhere, ${names[1]}` });
    assert.equal(ended.exitCode, 1, ended.log);
    assert.match(ended.log, /1 of 3 databases could not be backed up:\n {2}nowhere: Database does not exist/);
    assert.match(ended.log, /❌ 2 databases backed up, 1 could not be/);
    const { json = '' } = outputsOf(ended);
    const receipts = JSON.parse(json) as { database: string; key: string }[];
    assert.deepEqual(
      receipts.map((each) => each.database),
      names,
    );
    const keys = await listKeys(scene.client, scene.bucket);
    assert.equal(keys.length, before.length + 4);
    for (const { key } of receipts) {
      const receipt = await getObject(scene.client, scene.bucket, key.replace(/zip$/, 'json'));
      assert.equal(JSON.parse(Buffer.from(receipt).toString()).key, key);
    }
  });

  test('of which none is meant: what there is is named', async () => {
    const ended = await scene.run({ database: '/^nothing like it$/' });
    assert.equal(ended.exitCode, 1, ended.log);
    assert.match(ended.log, new RegExp(`no database of Odoo on .* matches: .*${names[1]}`));
  });

  test('cancelled in between: what is made stays, and no more is begun', async () => {
    const before = await listKeys(scene.client, scene.bucket);
    await using _held = await holdDump(scene.sandbox.postgres, names[1]);
    const run = scene.start({ database: `${names.join(',')}, third` });
    await run.says(/Database 2 of 3/);
    run.child.kill('SIGTERM');
    const ended = await run.ended;
    assert.equal(ended.exitCode, 143, ended.log);
    assert.equal((await listKeys(scene.client, scene.bucket)).length, before.length + 2);
  });

  const skip = availableParallelism() === 1 && 'with one core, one database at a time is backed up';
  test('at once: the second is made while the first one waits, and the log has them in order', {
    skip,
  }, async () => {
    const before = await listKeys(scene.client, scene.bucket);
    const held = await holdDump(scene.sandbox.postgres, names[0]);
    const run = scene.start({ database: names.join(',') });
    const isReceipt = (key: string) => key.includes(`${names[1]}_20`) && key.endsWith('.json');
    while (
      !(await listKeys(scene.client, scene.bucket)).some((key) => !before.includes(key) && isReceipt(key))
    )
      assert.equal(run.child.exitCode, null, run.log);
    assert.match(run.log, /Database 1 of 2/);
    assert.doesNotMatch(run.log, /Database 2 of 2/);
    await held[Symbol.asyncDispose]();
    const ended = await run.ended;
    assert.equal(ended.exitCode, 0, ended.log);
    const [first = '', second = ''] = ended.log.split(/^Database 2 of 2.*$/m);
    for (const log of [first, second]) {
      for (const part of ['Connect to', 'Snapshot of the database', 'dump: '])
        assert.equal(log.split(part).length, 2, `${part}, once: ${log}`);
    }
  });

  test('as a dry run', async () => {
    const before = await listKeys(scene.client, scene.bucket);
    const ended = await scene.run({ database: names.join(' '), 'dry-run': 'true' });
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /Dry run: 2 databases can be backed up/);
    assert.deepEqual(await listKeys(scene.client, scene.bucket), before);
  });
});
