import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { outputsOf, takeBackup } from '../support/backup-run.ts';
import { sudoersOfReadme } from '../support/readme.ts';
import { assertSameHost, SystemdScene, tracesOf } from '../support/systemd-scene.ts';

suite('backup of a systemd host', () => {
  test('sudo as in README.md and peer authentication do, and nothing is left', async () => {
    const sudoers = sudoersOfReadme();
    assert.match(sudoers, /^deploy ALL=\(odoo\) NOPASSWD: ALL$/m);
    await using scene = await SystemdScene.open({ sudoers });
    const before = await tracesOf(scene);

    const ended = await scene.succeeds('backup');
    assert.match(ended.log, /odoo\.conf: \/etc\/odoo\/odoo\.conf/);
    assert.match(ended.log, /role odoo, as account odoo by sudo/);
    const { receipt } = await takeBackup(scene.client, scene.bucket, outputsOf(ended));
    assert.equal(receipt.filestore?.missing, 0);
    assert.equal(receipt.filestore?.files, 205);
    await assertSameHost(scene, before);
  });
});
