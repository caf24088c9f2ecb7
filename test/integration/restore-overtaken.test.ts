import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import type { Run } from '../support/backup-run.ts';
import { heldHealth } from '../support/held-health.ts';
import { heldStop } from '../support/held-stop.ts';
import { holdLock } from '../support/hold-lock.ts';
import { dropDatabase } from '../support/postgres.ts';
import { type DeployedScene, openDeployed } from '../support/rollback-scene.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { holdsLockOf, untilNoSession, untilSession, waitingWith } from '../support/until-waits.ts';

// Each of them has lost its connection, and with that its lock, and does not know it yet.
suite('a rollback that another run has overtaken', () => {
  let scene: DeployedScene;
  let line: TcpProxy;
  before(async () => {
    scene = await openDeployed();
    line = await scene.line();
  });
  after(async () => {
    await line?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  const unlocked = () => untilNoSession(scene.scene.sandbox.postgres, holdsLockOf(scene.database));
  const start = (inputs: Readonly<Record<string, string>>) =>
    scene.start('rollback', { 'ssh-port': String(line.port), ...inputs });

  /** What changes the data. */
  const deploy = () => scene.sql("UPDATE res_partner SET name = 'broken ' || id");

  async function assertOvertaken(run: Run, because: RegExp): Promise<void> {
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 143, log);
    assert.match(log, because);
    assert.match(log, /Nothing was undone/);
    assert.doesNotMatch(log, /What was begun has been undone|Start Odoo again|Run these commands/);
  }

  test('while Odoo came up, and that has done its work, leaves what that has made', async () => {
    await using health = await heldHealth();
    const run = start({ 'health-check': health.check });
    await health.reached(run);
    line.cut();
    await unlocked();
    await scene.succeeds('rollback', { 'keep-previous': '' });
    const made = [await scene.traces(), await scene.snapshot()];
    run.child.kill('SIGTERM');
    await assertOvertaken(run, /has replaced \S+ meanwhile/);
    assert.deepEqual([await scene.traces(), await scene.snapshot()], made);
    assert.deepEqual(await scene.snapshot(), scene.backedUp);
    await scene.dropDerived();
    await scene.removeBeside(/__old_/);
  });

  test('while Odoo came up, and that is at work, leaves it to that', async () => {
    await deploy();
    await using health = await heldHealth();
    await using stop = await heldStop(scene.scene.folder, scene.server.stopCommand);
    const run = start({ 'health-check': health.check });
    await health.reached(run);
    line.cut();
    await unlocked();
    const other = scene.start('rollback', { 'stop-command': stop.command });
    await stop.reached(other);
    run.child.kill('SIGTERM');
    await assertOvertaken(run, /Another backup or restore of \S+ is running since .* UTC: rollback/);
    await stop.letGo();
    const { exitCode, log } = await other.ended;
    assert.equal(exitCode, 0, log);
    assert.deepEqual(await scene.snapshot(), scene.backedUp);
  });

  test('while Odoo came up, and that it then finds healthy, does not say that this is its own work', async () => {
    await deploy();
    await using health = await heldHealth();
    const run = start({ 'health-check': health.check });
    await health.reached(run);
    line.cut();
    await unlocked();
    await scene.succeeds('rollback', { 'keep-previous': '' });
    const made = [await scene.traces(), await scene.snapshot()];
    health.letGo();
    const { exitCode, log, stdout } = await run.ended;
    assert.equal(exitCode, 1, log);
    assert.match(log, /was put in its place, and another run has replaced \S+ meanwhile/);
    assert.equal(stdout, '');
    assert.deepEqual([await scene.traces(), await scene.snapshot()], made, log);
    await scene.dropDerived();
    await scene.removeBeside(/__old_/);
  });

  test('while it put a filestore where none was, leaves what has come back', async () => {
    const { postgres, folder } = { ...scene.scene.sandbox, folder: scene.scene.folder };
    await dropDatabase(postgres, scene.database);
    await rm(scene.scene.odoo.filestore, { recursive: true });
    await using stop = await heldStop(folder, scene.server.stopCommand);
    const run = start({ 'stop-command': stop.command });
    await stop.reached(run);
    const { databases } = await scene.traces();
    const [built = ''] = databases.map((each) => each.split('|')[0] ?? '');
    const held = await holdLock(postgres, 'postgres', `COMMENT ON DATABASE "${built}" IS 'held'`);
    await stop.letGo();
    const waiting = waitingWith(`COMMENT ON DATABASE "${built}"`);
    await untilSession(postgres, run, waiting);
    run.child.kill('SIGSTOP');
    line.cut();
    await held[Symbol.asyncDispose]();
    await unlocked();
    await untilNoSession(postgres, `strpos(query, 'COMMENT ON DATABASE "${built}"') > 0`);
    await scene.succeeds('rollback');
    const made = [await scene.traces(), await scene.snapshot()];
    run.child.kill('SIGCONT');
    const { exitCode, log } = await run.ended;
    assert.deepEqual([await scene.traces(), await scene.snapshot()], made, log);
    assert.deepEqual(await scene.snapshot(), scene.backedUp);
    assert.equal(exitCode, 1, log);
    assert.match(log, /has replaced \S+ meanwhile/);
    assert.match(log, /Nothing was undone/);
  });

  test('by none takes its lock once more, and everything back', async () => {
    await deploy();
    const deployed = await scene.snapshot();
    await using health = await heldHealth();
    const run = start({ 'health-check': health.check });
    await health.reached(run);
    line.cut();
    await unlocked();
    run.child.kill('SIGTERM');
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 143, log);
    assert.match(log, /What was begun has been undone/);
    assert.deepEqual(await scene.snapshot(), deployed);
  });
});
