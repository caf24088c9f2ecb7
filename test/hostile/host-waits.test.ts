import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:os';
import { after, before, suite, test } from 'node:test';
import { heldStop } from '../support/held-stop.ts';
import { holdLock, holdRename } from '../support/hold-lock.ts';
import type { RawInputs } from '../support/inputs.ts';
import { type DeployedScene, openDeployed } from '../support/rollback-scene.ts';
import { startOwnSandbox } from '../support/sandbox.ts';
import { untilSession, waitingWith } from '../support/until-waits.ts';

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

/** A host that does not answer: each wait for it ends with the first signal, until Odoo is about to be stopped. */
suite('a run that waits for the host', () => {
  let own: AsyncDisposable;
  let scene: DeployedScene;
  before(async () => {
    own = await startOwnSandbox(); // what is locked here, nobody gets past
    scene = await openDeployed();
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    await own?.[Symbol.asyncDispose]();
  });

  const cases: [command: string, inputs: RawInputs, table: string, signal: Signal][] = [
    ['rollback', {}, 'pg_shdescription', 'SIGTERM'],
    ['rollback', { 'dry-run': 'true' }, 'pg_shdescription', 'SIGINT'],
    // With this one, the server lets nobody log in.
    ['rollback', {}, 'pg_tablespace', 'SIGHUP'],
    ['restore', { 'target-database': 'waits_copy' }, 'pg_tablespace', 'SIGHUP'],
    ['verify', { verify: 'restore', 'restore-test': 'host' }, 'pg_tablespace', 'SIGQUIT'],
    ['backup', {}, 'ir_attachment', 'SIGTERM'],
  ];
  for (const [command, inputs, table, signal] of cases) {
    test(`for ${table} ends with ${signal}: ${command} ${JSON.stringify(inputs)}`, async () => {
      const before = await scene.traces();
      const run = await cancelWhileItWaits(command, inputs, table, signal);
      const { exitCode, log, stdout } = await run.ended;
      assert.equal(exitCode, 128 + constants.signals[signal], log);
      assert.match(log, new RegExp(`^error: Cancelled \\(${signal}\\)$`, 'm'));
      assert.equal(stdout, '');
      await scene.untilQuiet();
      assert.deepEqual(await scene.traces(), before);
    });
  }

  async function cancelWhileItWaits(command: string, inputs: RawInputs, table: string, signal: Signal) {
    const { postgres } = scene.scene.sandbox;
    const of = table.startsWith('pg_') ? 'postgres' : scene.database;
    await using held = await holdLock(postgres, of, `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    const run = scene.start(command, inputs);
    const waiting = `SELECT count(*) FROM pg_sleep(0.02), pg_locks WHERE NOT granted AND relation = '${table}'::regclass`;
    await run.says(/./); // it knows what to do about signals by then
    while ((await held.ask(waiting)) === '0') assert.equal(run.child.exitCode, null, run.log);
    run.child.kill(signal);
    await Promise.race([run.ended, once(AbortSignal.timeout(PATIENCE_MS), 'abort')]);
    assert.notEqual(run.child.exitCode ?? run.child.signalCode, null, `it waits on:\n${run.log}`);
    return run;
  }
});

/** So that a run that does not end fails the test. */
const PATIENCE_MS = 120_000;

suite('an undo that waits for the host', () => {
  let scene: DeployedScene;
  before(async () => {
    scene = await openDeployed();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  for (const signal of ['SIGHUP', 'SIGTERM'] as const) {
    test(`goes on when nobody reads its log any more: ${signal}`, async () => {
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
    await run.says(/First this has to end: stop Odoo\. Odoo is down meanwhile/);
    await stop.letGo();
    await untilSession(postgres, run, waitingWith(`DROP DATABASE IF EXISTS "${built}"`));
    assert.match(run.log, /Undoing: start Odoo again, as it was; .*; drop \S+__new_\d+\./);
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
});
