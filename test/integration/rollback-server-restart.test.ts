import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../support/backup-run.ts';
import { heldHealth } from '../support/held-health.ts';
import { heldStop } from '../support/held-stop.ts';
import { dataFolder } from '../support/postgres.ts';
import { Servers } from '../support/processes.ts';
import { type DeployedScene, openDeployed, type Snapshot } from '../support/rollback-scene.ts';
import { startOwnSandbox, useSandbox } from '../support/sandbox.ts';

suite('a rollback during which PostgreSQL crashes', () => {
  let resources: AsyncDisposableStack;
  let servers: Servers;
  let scene: DeployedScene;
  let deployed: Snapshot;
  before(async () => {
    await using opened = new AsyncDisposableStack();
    opened.use(await startOwnSandbox());
    servers = opened.use(new Servers(useSandbox().folder));
    scene = opened.use(await openDeployed());
    deployed = await content();
    resources = opened.move();
  });
  after(() => resources?.disposeAsync());

  /** A crash makes sequences skip up to 32 values: they are logged ahead. */
  async function content(): Promise<Snapshot> {
    const { sql, files } = await scene.snapshot();
    return { sql: sql.replaceAll(/^SELECT pg_catalog\.setval\(.*$/gm, ''), files };
  }

  /** As with a kill of the kernel's, or with `pg_ctl stop -m immediate`. */
  async function crash(): Promise<void> {
    const data = dataFolder(scene.scene.sandbox.postgres.socket);
    const [pid = ''] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    for (;;) {
      try {
        process.kill(Number(pid), 0);
      } catch {
        return;
      }
      await sleep(10);
    }
  }

  async function start(): Promise<void> {
    const { postgres, account } = scene.scene.sandbox;
    const argv = [join(postgres.bin, 'postgres'), '-D', dataFolder(postgres.socket)];
    const child = servers.start('postgres', argv, { as: account, stopSignal: 'SIGINT' });
    await servers.untilReady(
      'postgres',
      child,
      async () => (await scene.sql('SELECT 1', 'postgres')) === '1',
    );
  }

  async function takenBack(run: Run): Promise<void> {
    await run.says(/^ *The undo waits up to 2 min for the host or PostgreSQL to come back: .*psql/m);
    await start();
    const { log } = await run.ended;
    assert.doesNotMatch(log, /Undoing failed|Run these commands/);
    assert.deepEqual(await content(), deployed, log);
    const { databases, folders, state } = await scene.traces();
    assert.deepEqual([databases, folders], [[`${scene.database}|t|f|`], [scene.database]], log);
    assert.ok(state, 'Odoo runs');
  }

  test('while Odoo is stopped, is taken back when that is there again', async () => {
    await using stop = await heldStop(scene.scene.folder, scene.server.stopCommand);
    const run = scene.start('rollback', { 'stop-command': stop.command });
    await stop.reached(run);
    await crash();
    await stop.letGo();
    await takenBack(run);
    assert.equal((await run.ended).exitCode, 1);
  });

  test('after the swap, is taken back when that is there again', async () => {
    await using health = await heldHealth();
    const run = scene.start('rollback', { 'health-check': health.check });
    await health.reached(run);
    await crash();
    run.child.kill('SIGTERM');
    await takenBack(run);
    assert.equal((await run.ended).exitCode, 143);
  });
});
