import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { documentedSudoers } from '../support/documents.ts';
import { assertSameHost, SystemdScene, tracesOf } from '../support/systemd-scene.ts';

suite('rights on a systemd host', { concurrency: false }, () => {
  const [asOdoo = '', asRoot = ''] = documentedSudoers().split('\n');
  let scene: SystemdScene;
  before(async () => {
    scene = await SystemdScene.open({ sudoers: asOdoo });
    await scene.succeeds('backup');
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const setSudoers = (...lines: readonly string[]) =>
    scene.host.exec(['sh', '-c', 'cat >/etc/sudoers.d/odoo-backup && visudo -cq'], `${lines.join('\n')}\n`);

  test('a missing sudoers line is named before anything is touched, and is the one that is needed', async () => {
    const traces = await tracesOf(scene);
    for (const inputs of [{ 'dry-run': 'true' }, {}]) {
      const { log } = await scene.fails('rollback', { ...inputs, services: 'odoo' }, /Nothing was changed/);
      await assertSameHost(scene, traces);
      assert.match(
        log,
        /^error: sudo does not let deploy run systemctl stop odoo and systemctl start odoo$/m,
      );
      const named = /\/etc\/sudoers\.d\/odoo-backup on the host: (deploy ALL=\(root\) .*)$/m.exec(log);
      assert.equal(named?.[1], asRoot, log);
    }
    await setSudoers(asOdoo, asRoot);
    await scene.succeeds('rollback', { services: 'odoo', 'dry-run': 'true' });
  });

  test('a role that may not create databases is named, and an admin role takes its place', async () => {
    await scene.shell(`runuser -u postgres -- psql -Xqc 'ALTER ROLE odoo NOCREATEDB'`);
    await setSudoers(asOdoo, asRoot);
    const traces = await tracesOf(scene);
    await scene.fails('rollback', { services: 'odoo' }, /CREATEDB/, /db-admin-user/, /Nothing was changed/);
    await assertSameHost(scene, traces);

    const admin = { services: 'odoo', 'db-admin-user': 'postgres' };
    await scene.fails('rollback', admin, /deploy ALL=\(postgres\) NOPASSWD: ALL/);
    await assertSameHost(scene, traces);
    await setSudoers(asOdoo, asRoot, 'deploy ALL=(postgres) NOPASSWD: ALL');
    const content = await scene.content();
    await scene.misdeploy();
    await scene.succeeds('rollback', admin);
    assert.deepEqual(await scene.content(), content);
    assert.match((await tracesOf(scene)).databases.join('\n'), /^shop\|t\|f\|odoo$/m);
  });

  test('a copy is made, neutral and with a UUID of its own, while Odoo runs on', async () => {
    await scene.shell(`runuser -u postgres -- psql -Xqc 'ALTER ROLE odoo CREATEDB'`);
    const [content, traces] = [await scene.content(), await tracesOf(scene)];
    await scene.succeeds('restore', { 'target-database': 'shop_copy' });
    assert.deepEqual(await scene.content(), content);
    assert.deepEqual((await tracesOf(scene)).services, traces.services);
    const parameter = (key: string, database: string) =>
      scene.sql(`SELECT value FROM ir_config_parameter WHERE key = '${key}'`, database);
    assert.notEqual(await parameter('database.uuid', 'shop_copy'), await parameter('database.uuid', 'shop'));
    assert.equal(await parameter('database.is_neutralized', 'shop_copy'), 'true');
    // It is an Odoo: the same program starts on it.
    await scene.shell(`sed 's/= shop$/= shop_copy/; s/8070/8071/' /etc/odoo/odoo.conf >/run/copy.conf
      systemd-run --quiet --uid=odoo --gid=odoo --unit=copy /usr/local/bin/odoo /run/copy.conf`);
    const url = scene.host.url.replace('8070', '8071');
    const deadline = Date.now() + 180_000;
    let answer: Response | undefined;
    while (!answer?.ok && Date.now() < deadline) {
      await sleep(100);
      answer = await fetch(`${url}/web/login`).catch(() => undefined);
    }
    assert.equal(answer?.status, 200, await scene.shell('journalctl -n 20 -u copy'));
    await scene.shell('systemctl stop copy');
  });
});
