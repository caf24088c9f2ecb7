import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TempFolder } from '../../src/host/temp-folder.ts';
import { outputsOf, takeBackup } from '../support/backup-run.ts';
import { documentedSudoers } from '../support/documents.ts';
import { assertSameHost, SystemdScene, tracesOf } from '../support/systemd-scene.ts';

suite('a systemd host with sudo as in docs/hosts.md', { concurrency: false }, () => {
  const sudoers = documentedSudoers();
  let scene: SystemdScene;
  before(async () => {
    scene = await SystemdScene.open({ sudoers });
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('is backed up by peer authentication, and nothing is left on it', async () => {
    assert.match(sudoers, /^deploy ALL=\(odoo\) NOPASSWD: ALL$/m);
    const before = await tracesOf(scene);
    const ended = await scene.succeeds('backup');
    assert.match(ended.log, /odoo\.conf: +\/etc\/odoo\/odoo\.conf/);
    assert.match(ended.log, /role odoo, as account odoo by sudo/);
    const { receipt } = await takeBackup(scene.client, scene.bucket, outputsOf(ended));
    assert.equal(receipt.filestore?.files, 205);
    assert.equal(receipt.filestore?.missing, 0);
    await assertSameHost(scene, before);
  });

  test('is backed up where odoo.conf belongs to root, and odoo may read it; in directory format', async () => {
    await scene.shell('chown root:odoo /etc/odoo/odoo.conf');
    const before = await tracesOf(scene);
    const ended = await scene.succeeds('backup', { format: 'directory' });
    const { receipt } = await takeBackup(scene.client, scene.bucket, outputsOf(ended));
    assert.equal(receipt.filestore?.files, 205);
    await assertSameHost(scene, before);
    await scene.shell('chown odoo:odoo /etc/odoo/odoo.conf');
  });

  test('is backed up with every database of Odoo on it', async () => {
    await scene.shell(`runuser -u odoo -- createdb empty
      runuser -u postgres -- createdb not_odoo`);
    const ended = await scene.succeeds('backup', { database: 'all' });
    assert.match(ended.log, /2 databases of Odoo: empty, shop/);
    assert.match(ended.log, /empty is left out: Odoo was never initialised in it/);
    const receipts = JSON.parse(outputsOf(ended).json ?? '') as { database: string }[];
    assert.deepEqual(
      receipts.map(({ database }) => database),
      ['shop'],
    );
    await scene.shell('runuser -u postgres -- dropdb empty; runuser -u postgres -- dropdb not_odoo');
  });

  test('keeps no temporary folder, whenever it is given up', async () => {
    const before = await tracesOf(scene);
    const host = await scene.login();
    for (let round = 0; round < 10; round++) {
      const folders = Array.from({ length: 8 }, async () => {
        await using folder = await TempFolder.make(host, 'odoo', 1);
        await sleep(Math.random() * 100);
        return folder?.path;
      });
      for (const path of await Promise.all(folders)) assert.match(path ?? '', /^\/tmp\/odoo-backup\./);
    }
    await host[Symbol.asyncDispose]();
    await assertSameHost(scene, before);
  });
});
