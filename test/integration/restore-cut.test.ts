import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ended } from '../support/backup-run.ts';
import { type Content, CopyScene } from '../support/copy-scene.ts';
import { holdRename } from '../support/hold-lock.ts';

suite('a restore to a new name, between the renames of its filestore and its database', () => {
  let scene: CopyScene;
  let content: Content;
  before(async () => {
    scene = await CopyScene.open();
    content = await scene.content();
    await scene.odoo.succeeds('backup');
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** Begins one whose database waits to be renamed, and ends it there. */
  async function cut(signal: NodeJS.Signals): Promise<Ended> {
    const inputs = { 'stop-command': '', 'start-command': '', 'target-database': scene.named('cut') };
    const run = scene.odoo.start('restore', inputs);
    await run.says(/^Load the dump/m);
    run.child.kill('SIGSTOP');
    const made = (await scene.odoo.traces()).databases.map((line) => line.split('|')[0] ?? '');
    const built = made.findLast((name) => name.startsWith(`${scene.named('cut')}__new_`)) ?? assert.fail();
    await using _held = await holdRename(scene.odoo.scene.sandbox.postgres, built);
    run.child.kill('SIGCONT');
    await run.says(/^Put the database in its place/m);
    const waiting = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, 'ALTER DATABASE "${built}" RENAME') > 0
      AND pid <> pg_backend_pid()`;
    while ((await scene.sql(`SELECT count(*) ${waiting}`, 'postgres')) === '0') {
      assert.equal(run.child.exitCode, null, 'it has ended');
      await sleep(20);
    }
    run.child.kill(signal);
    if (signal === 'SIGKILL') await run.ended;
    await scene.sql(`SELECT pg_terminate_backend(pid) ${waiting}`, 'postgres');
    return run.ended;
  }

  test('is cancelled: everything is taken back', async () => {
    const before = await scene.odoo.traces();
    const { exitCode, log } = await cut('SIGTERM');
    assert.equal(exitCode, 143, log);
    assert.match(log, /What was begun has been taken back/);
    assert.deepEqual(await scene.odoo.traces(), before);
  });

  test('is killed outright: the next one takes it back, and nobody has to allow it', async () => {
    await cut('SIGKILL');
    await scene.odoo.untilQuiet();
    const { folders } = await scene.odoo.traces();
    assert.deepEqual(folders, [scene.odoo.database, scene.named('cut')], 'the filestore is in place');
    const { log } = await scene.restoreUnchanged('cut');
    assert.match(log, /^ +take \S+_cut back: its database never had its name$/m);
    await scene.assertContent('cut', content);
    const { databases } = await scene.odoo.traces();
    assert.deepEqual(databases, [`${scene.odoo.database}|t|f|`, `${scene.named('cut')}|t|f|`]);
  });
});
