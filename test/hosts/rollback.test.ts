import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { outputsOf } from '../support/backup-run.ts';
import { documentedSudoers } from '../support/documents.ts';
import { listKeys } from '../support/s3.ts';
import { assertOneOdoo, assertSameHost, SystemdScene, tracesOf } from '../support/systemd-scene.ts';

suite('rollback of a systemd host', { concurrency: false }, () => {
  let scene: SystemdScene;
  let then: Awaited<ReturnType<SystemdScene['content']>>;
  let stateThen: Awaited<ReturnType<SystemdScene['state']>>;
  before(async () => {
    scene = await SystemdScene.open({ sudoers: documentedSudoers() });
    then = await scene.content();
    stateThen = await scene.state();
    await scene.succeeds('backup');
    await scene.keep();
  });
  afterEach(async (context) => {
    await scene.shell('rm -rf /etc/systemd/system/odoo.service.d; systemctl daemon-reload');
    // Each test damages what is there by itself; what one that failed has left may be beyond that.
    if ('passed' in context && !context.passed) await scene.putBack();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const rollback = { services: 'odoo' };

  test('a dry run prints the plan and changes nothing; the run puts everything back, and Odoo runs', async () => {
    await scene.ruin();
    const damaged = await scene.content();
    const objects = await listKeys(scene.client, scene.bucket);
    const traces = await tracesOf(scene);
    const dry = await scene.succeeds('rollback', { ...rollback, 'dry-run': 'true' });
    assert.match(dry.log, /^ +\d+\. Swap the databases, by rename$/m);
    await assertSameHost(scene, traces);
    assert.deepEqual(await scene.content(), damaged);
    assert.deepEqual(await listKeys(scene.client, scene.bucket), objects);

    const ended = await scene.succeeds('rollback', rollback);
    assert.deepEqual(await scene.content(), then);
    assert.deepEqual(await scene.state(), stateThen);
    assert.ok(Number(outputsOf(ended).downtime) > 0);
    await assertOneOdoo(scene);
  });

  test('a start that fails brings back what was there, which runs', async () => {
    await onlyBroken('ExecStartPre=/usr/local/bin/only-broken');
    await fails(/Start Odoo failed: sudo systemctl start odoo failed/);
  });

  test('so does an Odoo that systemd starts over and over, in vain', async () => {
    await onlyBroken(
      "Restart=always\\nExecStart=\\nExecStart=/bin/sh -ec '/usr/local/bin/only-broken; exec /usr/local/bin/odoo /etc/odoo/odoo.conf'",
    );
    await fails(/Wait until Odoo is healthy failed: Odoo is not healthy after .*: odoo is failed/);
  });

  test('so does a connection that breaks when Odoo is stopped', async () => {
    await scene.misdeploy();
    const [damaged, state, traces] = [await scene.content(), await scene.state(), await tracesOf(scene)];
    const run = scene.start('rollback', rollback);
    await run.says(/^Stop Odoo$/m);
    await scene.shell('pkill -u deploy sshd');
    const ended = await run.ended;
    assert.equal(ended.exitCode, 1, ended.log);
    await assertSameHost(scene, traces, { restarted: true });
    assert.deepEqual([await scene.content(), await scene.state()], [damaged, state]);
  });

  /** From now on, Odoo starts on what a bad deploy has left, and not on what a rollback puts back. */
  async function onlyBroken(lines: string): Promise<void> {
    const query = "SELECT 1 FROM res_partner WHERE name LIKE 'broken %' LIMIT 1";
    await scene.shell(`cat >/usr/local/bin/only-broken <<'END'
#!/bin/sh
/usr/lib/postgresql/15/bin/psql -XAtd shop -c "${query}" | grep -q 1
END
      chmod 755 /usr/local/bin/only-broken
      mkdir -p /etc/systemd/system/odoo.service.d
      printf '%s' "$(printf "[Service]\\n${lines}\\n")" >/etc/systemd/system/odoo.service.d/test.conf`);
    await scene.sql("UPDATE res_partner SET name = 'broken ' || id");
    await scene.shell('systemctl daemon-reload; systemctl restart odoo');
    await scene.misdeploy();
  }

  /** A rollback, after which everything is as before it, and as a bad deploy has left it. */
  async function fails(...words: readonly RegExp[]): Promise<void> {
    const [damaged, state, traces] = [await scene.content(), await scene.state(), await tracesOf(scene)];
    const ended = await scene.fails('rollback', rollback, ...words);
    assert.match(ended.log, /As before the restore: .*\/web\/login answers 200/);
    assert.deepEqual(await scene.content(), damaged);
    assert.deepEqual(await scene.state(), state);
    await assertSameHost(scene, traces, { restarted: true });
  }
});
