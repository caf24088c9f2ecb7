import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, suite, test } from 'node:test';
import { heldStop } from '../support/held-stop.ts';
import { holdLock, holdRename } from '../support/hold-lock.ts';
import type { RawInputs } from '../support/inputs.ts';
import { type DeployedScene, openDeployed } from '../support/rollback-scene.ts';
import { untilSession, waitingWith } from '../support/until-waits.ts';

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

const COMMENTS = 'LOCK TABLE pg_shdescription IN ACCESS EXCLUSIVE MODE';

/** A host that does not answer: each wait for it ends with the first signal, until Odoo is about to be stopped. */
suite('a run that waits for the host', () => {
  let scene: DeployedScene;
  before(async () => {
    scene = await openDeployed();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const cases: [command: string, inputs: RawInputs, lock: string, of: 'postgres' | 'odoo', signal: Signal][] =
    [
      ['rollback', {}, COMMENTS, 'postgres', 'SIGTERM'],
      ['rollback', { 'dry-run': 'true' }, COMMENTS, 'postgres', 'SIGINT'],
      ['restore', { 'target-database': 'waits_copy' }, COMMENTS, 'postgres', 'SIGHUP'],
      ['verify', { verify: 'restore', 'restore-test': 'host' }, COMMENTS, 'postgres', 'SIGQUIT'],
      ['backup', {}, 'LOCK TABLE ir_attachment IN ACCESS EXCLUSIVE MODE', 'odoo', 'SIGTERM'],
    ];
  for (const [command, inputs, lock, of, signal] of cases) {
    test(`ends with ${signal}: ${command} ${JSON.stringify(inputs)}`, async () => {
      const { postgres } = scene.scene.sandbox;
      const before = await scene.traces();
      await using _held = await holdLock(postgres, of === 'odoo' ? scene.database : 'postgres', lock);
      const word = of === 'odoo' ? 'ir_attachment' : 'shobj_description';
      const run = scene.start(command, inputs);
      await untilSession(postgres, run, waitingWith(word));
      run.child.kill(signal);
      const { exitCode, log, stdout } = await run.ended;
      assert.equal(exitCode, 128 + constants.signals[signal], log);
      assert.match(log, new RegExp(`^error: Cancelled \\(${signal}\\)$`, 'm'));
      assert.equal(stdout, '');
      const { databases, folders, state } = await scene.traces();
      assert.deepEqual(
        { databases, folders, state },
        { databases: before.databases, folders: before.folders, state: before.state },
      );
    });
  }
});

suite('an undo that waits for the host', () => {
  let scene: DeployedScene;
  before(async () => {
    scene = await openDeployed();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('is not cut by a second signal; a third leaves the rest to a person, and says how', async () => {
    const { postgres } = scene.scene.sandbox;
    await using stop = await heldStop(scene.scene.folder, scene.server.stopCommand);
    const run = scene.start('rollback', { 'stop-command': stop.command });
    await stop.reached(run);
    const { databases } = await scene.traces();
    const built =
      databases.map((line) => line.split('|')[0] ?? '').find((name) => name.includes('__new_')) ?? '';
    await using _held = await holdRename(postgres, built); // and from being dropped
    run.child.kill('SIGINT');
    await run.says(/First it is waited for: stop Odoo\. Odoo is away meanwhile/);
    await stop.letGo();
    await untilSession(postgres, run, waitingWith(`DROP DATABASE IF EXISTS "${built}"`));
    assert.match(run.log, /Now it is taken back: start Odoo again, as it was; .*; drop \S+__new_\d+\./);
    assert.equal((await scene.server.state())?.attachments !== undefined, true, 'Odoo runs again');
    run.child.kill('SIGINT');
    await run.says(/One more signal ends the run at once, and leaves to you: drop \S+__new_\d+/);
    await untilSession(postgres, run, waitingWith(`DROP DATABASE IF EXISTS "${built}"`));
    run.child.kill('SIGINT');
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 130, log);
    assert.match(
      log,
      new RegExp(`Run these commands on the host, in this order:\n.*DROP DATABASE.*${built}`),
    );
  });

  for (const signal of ['SIGHUP', 'SIGTERM'] as const) {
    test(`goes on when nobody reads its log any more: ${signal}`, async () => {
      await scene.dropDerived();
      const before = await scene.traces();
      await using stop = await heldStop(scene.scene.folder, scene.server.stopCommand);
      const run = scene.start('rollback', { 'stop-command': stop.command });
      await stop.reached(run);
      run.child.stderr?.destroy();
      run.child.stdout?.destroy();
      run.child.kill(signal);
      await stop.letGo();
      assert.equal((await run.ended).exitCode, 128 + constants.signals[signal]);
      assert.deepEqual(await scene.traces(), before);
    });
  }
});
