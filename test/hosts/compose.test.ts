import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Receipt } from '../../src/storage/receipt.ts';
import { type Ended, outputsOf } from '../support/backup-run.ts';
import { ComposeScene } from '../support/compose-scene.ts';

const receiptOf = (ended: Ended): Receipt => JSON.parse(outputsOf(ended).json ?? '');

for (const [release, version] of [
  ['trixie', /docker compose 2\.26\./],
  ['bookworm', /docker-compose 1\.29\./],
] as const) {
  suite(`Odoo in Docker Compose, on Debian ${release}`, { concurrency: false }, () => {
    let scene: ComposeScene;
    let then: Awaited<ReturnType<ComposeScene['content']>>;
    before(async () => {
      scene = await ComposeScene.open(release);
      then = await scene.content();
    });
    after(() => scene?.[Symbol.asyncDispose]());

    const rollback = { services: 'queue-worker' };

    test('is backed up while it runs, and nothing is left', async () => {
      const traces = await scene.traces();
      const ended = await scene.succeeds('backup');
      assert.match(ended.log, version);
      const receipt = receiptOf(ended);
      assert.equal(receipt.filestore?.files, 205);
      assert.equal(receipt.filestore?.missing, 0);
      assert.doesNotMatch(ended.log, /s3cret/);
      await scene.assertTraces(traces);
    });

    test('a name that is none is told with those that there are, and nothing is touched', async () => {
      const traces = await scene.traces();
      const there = /the Compose project has no service web\. It has: db, odoo, queue-worker/;
      await scene.fails('backup', { 'compose-odoo-service': 'web' }, there);
      await scene.fails('rollback', { services: 'web' }, /^error: services: /m, there);
      await scene.fails('backup', { 'compose-project-directory': '/srv' }, /failed on .*: .*(config|file)/i);
      await scene.assertTraces(traces);
    });

    test('only the database in Compose, and Odoo outside: it is backed up', async () => {
      await scene.shell(`volume=$(docker volume inspect --format '{{.Mountpoint}}' odoo_odoo-data)
        sed "s|^data_dir.*|data_dir = $volume/.local/share/Odoo|" /srv/odoo/config/odoo.conf >/srv/outside.conf
        echo 'deploy ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/odoo-backup`);
      const inputs = { 'compose-odoo-service': '', 'odoo-conf': '/srv/outside.conf' };
      const receipt = receiptOf(await scene.succeeds('backup', inputs));
      assert.equal(receipt.filestore?.files, 205);
      await scene.shell('rm /srv/outside.conf /etc/sudoers.d/odoo-backup');
    });

    test('a dry run changes nothing; the run puts everything back, and Odoo runs', async () => {
      await scene.misdeploy();
      const [damaged, traces] = [await scene.content(), await scene.traces()];
      const dry = await scene.succeeds('rollback', { ...rollback, 'dry-run': 'true' });
      assert.match(dry.log, /compose stop odoo queue-worker$/m);
      await scene.assertTraces(traces);
      assert.deepEqual(await scene.content(), damaged);

      const ended = await scene.succeeds('rollback', rollback);
      assert.match(ended.log, /\/web\/login answers 200/);
      assert.deepEqual(await scene.content(), then);
      assert.equal((await scene.untilUp()).files, 203);
      await scene.assertTraces(traces);
    });

    test('a start that fails brings back what was there, which runs', async () => {
      await scene.onlyBroken();
      await scene.misdeploy();
      const [damaged, traces] = [await scene.content(), await scene.traces()];
      const ended = await scene.fails('rollback', rollback, /Wait until Odoo is healthy failed/);
      assert.match(ended.log, /As before the restore: .*\/web\/login answers 200/);
      assert.deepEqual(await scene.content(), damaged);
      await scene.untilUp();
      await scene.assertTraces(traces);
      await scene.mended();
    });

    test('so does a connection that breaks when Odoo is stopped', async () => {
      const [damaged, traces] = [await scene.content(), await scene.traces()];
      const run = scene.start('rollback', rollback);
      await run.says(/^Stop Odoo$/m);
      await scene.shell('pkill -u deploy sshd');
      const ended = await run.ended;
      assert.equal(ended.exitCode, 1, ended.log);
      assert.deepEqual(await scene.content(), damaged);
      await scene.untilUp();
      await scene.assertTraces(traces);
    });

    test('stopped, it is backed up and rolled back', async () => {
      await scene.succeeds('rollback', rollback);
      await scene.host.compose('stop', 'odoo', 'queue-worker');
      const traces = await scene.traces();
      const ended = await scene.succeeds('backup');
      const receipt = receiptOf(ended);
      assert.equal(receipt.filestore?.files, 205);
      await scene.misdeploy();
      await scene.succeeds('rollback', rollback);
      assert.deepEqual(await scene.content(), then);
      await scene.untilUp();
      await scene.assertTraces(traces);
    });
  });
}
