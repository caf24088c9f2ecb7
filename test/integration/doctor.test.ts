import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Item } from '../../src/commands/doctor-summary.ts';
import { outputsOf } from '../support/backup-run.ts';
import { createRole } from '../support/roles.ts';
import { RollbackScene } from '../support/rollback-scene.ts';

suite('doctor', () => {
  let scene: RollbackScene;
  before(async () => {
    scene = await RollbackScene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** Its checklist, by names. It must not have changed anything. */
  async function checklist(inputs: Readonly<Record<string, string>> = {}) {
    const before = await scene.traces();
    const ended = await scene.run('doctor', inputs);
    assert.deepEqual(await scene.traces(), before);
    const items = JSON.parse(outputsOf(ended).json ?? '[]') as readonly Item[];
    return { ...ended, items, states: Object.fromEntries(items.map(({ name, state }) => [name, state])) };
  }

  const ready = {
    'Reach the bucket': 'ready',
    'Log in to the host': 'ready',
    'Find and read Odoo, PostgreSQL and the filestore': 'ready',
    'Read the whole database': 'ready',
    'Make a backup': 'ready',
    'Stop and start Odoo': 'ready',
    'Create and rename databases': 'ready',
  };

  const rollbackItems = ['Create and rename databases', 'Have a backup to go back to', 'Make a rollback'];

  test('before the first backup: everything else is ready', async () => {
    const { exitCode, states, log } = await checklist();
    assert.equal(exitCode, 0, log);
    const later = { 'Have a backup to go back to': 'later', 'Make a rollback': 'unchecked' };
    assert.deepEqual(states, { ...ready, ...later });
    assert.match(log, /is ready for its first backup/);
    assert.match(log, /… Have a backup to go back to +No backup found/);
  });

  test('after it: a rollback is ready as well', async () => {
    await scene.succeeds('backup');
    const { exitCode, states, log } = await checklist();
    assert.equal(exitCode, 0, log);
    assert.deepEqual(states, {
      ...ready,
      'Have a backup to go back to': 'ready',
      'Make a rollback': 'ready',
    });
    assert.match(log, /✓ Reach the bucket +s3:/);
  });

  test('a backup that nobody has verified is no first backup to come', async () => {
    const { client, bucket } = scene.scene;
    const stray = {
      Bucket: bucket,
      Key: `stray/backups/${scene.database}_2026-11-21_03-22-59.zip`,
      Body: 'PK',
    };
    await client.send(new PutObjectCommand(stray));
    const { exitCode, states, log } = await checklist({ customer: 'stray' });
    assert.equal(exitCode, 1, log);
    assert.equal(states['Have a backup to go back to'], 'missing');
    assert.match(log, /✗ Have a backup to go back to +\S+ has no receipt/);
  });

  test('what is missing, with the lines to add', async () => {
    await using strict = await createRole(scene.scene.sandbox, 'strict');
    const { exitCode, states, items, log } = await checklist({ 'db-admin-user': strict.name });
    assert.equal(exitCode, 1, log);
    assert.equal(states['Create and rename databases'], 'missing');
    assert.match(log, new RegExp(`✗ Create and rename databases +${strict.name} may not create databases`));
    assert.match(log, new RegExp(`ALTER ROLE "${strict.name}" CREATEDB`));
    const told = items.map(({ found }) => found);
    assert.deepEqual(told, [...new Set(told)]);
  });

  test('without a way to stop Odoo, only rollbacks are missing', async () => {
    const { exitCode, states, log } = await checklist({ 'stop-command': '', 'start-command': '' });
    assert.equal(exitCode, 1, log);
    assert.deepEqual(states, {
      ...ready,
      'Stop and start Odoo': 'missing',
      ...Object.fromEntries(rollbackItems.map((name) => [name, 'unchecked'])),
    });
  });

  test('a host that cannot be reached: what depends on it is not checked', async () => {
    const { exitCode, states, log } = await checklist({ 'ssh-port': '1' });
    assert.equal(exitCode, 1, log);
    assert.equal(states['Reach the bucket'], 'ready');
    assert.equal(states['Log in to the host'], 'missing');
    assert.equal(states['Make a rollback'], 'unchecked');
    assert.match(log, /✗ Log in to the host +Could not connect to /);
  });

  test('a bucket that does not exist: the host is checked all the same', async () => {
    const { exitCode, states, log } = await checklist({ 's3-bucket': 'no-such-bucket-here' });
    assert.equal(exitCode, 1, log);
    assert.equal(states['Reach the bucket'], 'missing');
    assert.equal(states['Make a backup'], 'ready');
    assert.match(log, /✗ Reach the bucket +There is no bucket no-such-bucket-here\. Check/);
  });
});
