import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, suite, test } from 'node:test';
import { heldHealth } from '../support/held-health.ts';
import { holdRename } from '../support/hold-lock.ts';
import { type DeployedScene, openDeployed } from '../support/rollback-scene.ts';
import { untilSession, waitingWith } from '../support/until-waits.ts';

/** The titles of the steps, as the log says them when they begin. */
const steps = [
  /^Create the database/m,
  /^Load the dump/m,
  /^Build the filestore/m,
  /^Compare the new/m,
  /^Stop Odoo$/m,
  /^Swap the database/m,
  /^Swap the filestore/m,
  /^Start Odoo$/m,
  /^Wait until Odoo is healthy/m,
];

// One Odoo for all: each suite leaves it as the next one takes it.
let scene: DeployedScene;
before(async () => {
  scene = await openDeployed();
});
after(() => scene?.[Symbol.asyncDispose]());

suite('a rollback that is cancelled', () => {
  for (const [i, step] of steps.entries()) {
    test(`in the step ${step.source} takes everything back`, async () => {
      const before = await scene.traces();
      await using health = step.source.includes('healthy') ? await heldHealth() : undefined;
      const run = scene.start('rollback', health ? { 'health-check': health.check } : {});
      await run.says(step);
      const signal = (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)[i % 4] ?? 'SIGTERM';
      run.child.kill(signal);
      const { exitCode, log, stdout } = await run.ended;
      assert.equal(exitCode, 128 + constants.signals[signal], log);
      assert.match(log, /What was begun has been undone/);
      assert.equal(stdout, '');
      assert.deepEqual(await scene.traces(), before, log);
    });
  }

  test('has changed nothing', async () => {
    assert.deepEqual(await scene.snapshot(), scene.deployed);
  });
});

suite('the connection to the host', () => {
  const cut = async (step: RegExp) => {
    await using line = await scene.line();
    const run = scene.start('rollback', { 'ssh-port': String(line.port) });
    await run.says(step);
    line.cut();
    return await run.ended;
  };

  // In the steps before, restore-cut.test.ts cuts it.
  test('when it is lost while Odoo is stopped, is made anew to take everything back', async () => {
    const before = await scene.traces();
    const { exitCode, log } = await cut(/^Stop Odoo$/m);
    assert.equal(exitCode, 1, log);
    assert.match(log, /Connection to .* was lost/);
    assert.match(log, /The connection is gone: logging in once more/);
    assert.deepEqual(await scene.traces(), before, log);
  });

  test('when it is lost while the swap waits for a lock, nothing swaps once Odoo is back', async () => {
    const before = await scene.traces();
    await using line = await scene.line();
    await using held = new AsyncDisposableStack();
    held.use(await holdRename(scene.scene.sandbox.postgres, scene.database));
    const run = scene.start('rollback', { 'ssh-port': String(line.port) });
    const waiting = waitingWith(`ALTER DATABASE "${scene.database}" RENAME TO`);
    await untilSession(scene.scene.sandbox.postgres, run, waiting);
    line.cut();
    await run.says(/^Start Odoo again, as it was/m);
    await held.disposeAsync();
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 1, log);
    assert.deepEqual(await scene.traces(), before, log);
    assert.deepEqual(await scene.snapshot(), scene.deployed);
  });

  test('when it is lost while Odoo comes up, is made anew to see whether it does', async () => {
    const { exitCode, log } = await cut(/^Wait until Odoo is healthy/m);
    assert.equal(exitCode, 0, log);
    assert.deepEqual(await scene.snapshot(), scene.backedUp);
  });
});

suite('a rollback that is killed outright', () => {
  before(() => scene.change());

  // Each of them begins with what the one before has left. Of a run that is killed while it makes the database or the
  // filestore, restore-cut.test.ts has the next one clean up.
  const covered = [/^Create the database/m, /^Build the filestore/m].map(String);
  const others = steps.filter((step) => !covered.includes(String(step)));
  for (const step of [...others, /^Remove what was replaced/m]) {
    test(`in the step ${step.source} leaves what the next run cleans up`, async () => {
      const run = scene.start('rollback');
      await run.says(step);
      run.child.kill('SIGKILL');
      await run.ended;
      await scene.untilQuiet();
    });
  }

  test('is repeated by the next one, to its end', async () => {
    const { log } = await scene.succeeds('rollback');
    assert.deepEqual(await scene.snapshot(), scene.backedUp);
    const { databases, folders } = await scene.traces();
    assert.deepEqual(databases, [`${scene.database}|t|f|`], log);
    assert.deepEqual(folders, [scene.database], log);
    assert.equal((await scene.server.state())?.attachments, scene.attachments);
  });
});

suite('a rollback that is killed between the two renames', () => {
  test('is known to the next backup, which is not made, and to the next rollback', async () => {
    await scene.change();
    // The second rename waits for what the first one's log line has let happen.
    const run = scene.start('rollback', {}, { ODOO_BACKUP_FILESTORE: scene.scene.odoo.filestore });
    await run.says(/^Swap the filestore/m);
    run.child.kill('SIGKILL');
    await run.ended;
    await scene.untilQuiet();
    await scene.pretendHalfSwapped();

    const backup = await scene.run('backup');
    assert.equal(backup.exitCode, 1, backup.log);
    assert.match(backup.log, /A restore of \S+ was killed between its two renames/);

    const { log } = await scene.succeeds('rollback');
    assert.match(log, /Clean up after a run that was killed/);
    assert.match(log, new RegExp(`${scene.database}__old_\\d+ is ${scene.database} again`));
    assert.deepEqual(await scene.snapshot(), scene.backedUp);
  });
});
