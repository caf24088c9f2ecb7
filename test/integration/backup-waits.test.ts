import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Scene } from '../support/backup-run.ts';
import { holdDump } from '../support/hold-dump.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

// Each waits for a minute and does nothing: all of them at the same time, and beside other files.
suite('a backup that waits in vain', { concurrency: true }, () => {
  test('for a network that is lost without a word notices it within a minute', async () => {
    await using scene = await Scene.open();
    const held = await holdDump(scene.sandbox.postgres, scene.odoo.database);
    const proxy = await startTcpProxy(scene.ssh);
    const run = scene.start({ format: 'odoo', 'ssh-port': String(proxy.port) });
    await run.says(/^ *Dump for Odoo/m);
    proxy.faults = { silent: true };
    await run.ended;
    await proxy[Symbol.asyncDispose]();
    await held[Symbol.asyncDispose]();
    const { log } = await scene.fails(run, 1, /Connection to .* was lost/);
    // By its own account: what else this machine does meanwhile is no matter.
    const [, silence] = /nothing was heard from it for ([\d.]+) s/.exec(log) ?? [];
    assert.ok(Number(silence) < 60, log);
  });

  test('for a dump is not done within the timeout', async () => {
    await using scene = await Scene.open();
    await using held = await holdDump(scene.sandbox.postgres, scene.odoo.database);
    const run = scene.start({ format: 'odoo', timeout: '1m' });
    await run.says(/^ *Dump for Odoo/m);
    await run.ended;
    await held[Symbol.asyncDispose]();
    await scene.fails(run, 1, /Timed out after 1 min 00 s/);
  });
});
