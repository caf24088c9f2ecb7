import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Accounts } from '../../src/host/accounts.ts';
import type { Host } from '../../src/host/host.ts';
import { type HealthCheck, odooUrl, waitHealthy } from '../../src/odoo/health.ts';
import { systemdServices, unitStates } from '../../src/odoo/systemd.ts';
import { UserError } from '../../src/util/errors.ts';
import { documentedSudoers } from '../support/documents.ts';
import { SystemdScene } from '../support/systemd-scene.ts';

const check: HealthCheck = { kind: 'odoo', baseUrl: odooUrl('', 8070) };
const patienceMs = 180_000;

suite('services of a systemd host', { concurrency: false }, () => {
  let scene: SystemdScene;
  let host: Host;
  before(async () => {
    scene = await SystemdScene.open({ sudoers: documentedSudoers() });
    host = await scene.login();
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
    await scene[Symbol.asyncDispose]();
  });
  // Each test finds a running Odoo, set up as its package does it.
  beforeEach(async () => {
    await scene.shell(`rm -rf /etc/systemd/system/odoo.service.d; systemctl daemon-reload
      systemctl reset-failed; systemctl start odoo`);
    await waitHealthy({ host, services: services(), check }, patienceMs);
  });

  const services = (units: readonly string[] = ['odoo']) =>
    systemdServices(host, new Accounts(host, 'auto'), units);
  const stateOf = async (unit: string) => (await unitStates(host, [unit]))[0]?.state;
  /** Lines of odoo.service that differ from those of the package. */
  const setUp = (lines: string) =>
    scene.shell(`mkdir -p /etc/systemd/system/odoo.service.d
      printf '[Service]\\n${lines}\\n' >/etc/systemd/system/odoo.service.d/test.conf; systemctl daemon-reload
      systemctl restart odoo`);
  /** Odoo does not start without one of its tables. */
  const breakDatabase = () => scene.sql('ALTER TABLE ir_cron RENAME TO gone');
  const mendDatabase = () => scene.sql('ALTER TABLE gone RENAME TO ir_cron');
  const sessions = () =>
    scene.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'odoo-%'");

  test('stop ends Odoo and its sessions; start brings it back', async () => {
    assert.deepEqual(await services().problems(), []);
    await waitHealthy({ host, services: services(), check }, patienceMs);
    await services().stop();
    assert.equal(await stateOf('odoo'), 'inactive');
    // PostgreSQL takes a moment to see that they have ended.
    while ((await sessions()) !== '0') await sleep(50);
    await assert.rejects(waitHealthy({ host, services: services(), check }, 500), /odoo is inactive/);
    await services().start();
    const { answer } = await waitHealthy({ host, services: services(), check }, patienceMs);
    assert.equal(answer, 'http://127.0.0.1:8070/web/login answers 200');
  });

  test('the sudoers line that a problem asks for solves it', async () => {
    const [unknown, refused, ...more] = await services(['odoo', 'odoo-queue']).problems();
    assert.equal(unknown?.message, 'systemd knows no unit odoo-queue');
    assert.match(refused?.message ?? '', /run systemctl stop odoo-queue and systemctl start odoo-queue$/);
    assert.deepEqual(more, []);
    await scene.shell(
      'sed s/8070/8071/ /etc/odoo/odoo.conf >/etc/odoo/queue.conf; chown odoo: /etc/odoo/queue.conf',
    );
    await scene.shell(`sed s/odoo.conf/queue.conf/ /etc/systemd/system/odoo.service >/etc/systemd/system/odoo-queue.service
      systemctl daemon-reload`);
    const line = refused?.hint.split('on the host: ')[1];
    await host[Symbol.asyncDispose]();
    await scene.host.exec(['sh', '-c', 'cat >>/etc/sudoers.d/odoo-backup && visudo -cq'], `${line}\n`);
    host = await scene.login();
    const both = services(['odoo', 'odoo-queue']);
    assert.deepEqual(await both.problems(), []);
    await both.start();
    await waitHealthy({ host, services: services(['odoo', 'odoo-queue']), check }, patienceMs);
    await both.stop();
    assert.deepEqual([await stateOf('odoo'), await stateOf('odoo-queue')], ['inactive', 'inactive']);
  });

  test('a service that does not heed SIGTERM is stopped all the same', async () => {
    await setUp(
      'ExecStart=\\nExecStart=/bin/sh -c "trap true TERM; while :; do sleep 1; done"\\nTimeoutStopSec=1',
    );
    await services().stop();
    assert.equal(await stateOf('odoo'), 'failed');
  });

  test('a service that ends right after its start has failed, and nobody waits for it', async () => {
    await services().stop();
    await breakDatabase();
    await services().start();
    const waiting = waitHealthy({ host, services: services(), check }, 600_000);
    await assert.rejects(waiting, /Odoo is not healthy after [\d.]+ s: odoo is failed/);
    await services().stop();
    await mendDatabase();
    await services().start();
    await waitHealthy({ host, services: services(), check }, patienceMs);
  });

  test('a start that systemd sees fail says what systemd says', async () => {
    await setUp('ExecStartPre=/bin/sh -c "[ ! -e /run/broken ]"');
    await services().stop();
    await scene.shell('touch /run/broken');
    await assert.rejects(services().start(), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(
        error.message,
        /^sudo systemctl start odoo failed on .* \(exit code 1\): Job for odoo\.service failed/,
      );
      return true;
    });
    await scene.shell('rm /run/broken');
  });

  test('what systemd starts over and over is not healthy, and starts again once it can', async () => {
    // It fails at once: however busy the machine is, five starts take less than ten seconds.
    await setUp(
      'Restart=always\\nExecStart=\\nExecStart=/bin/sh -ec "[ ! -e /run/broken ]; exec /usr/local/bin/odoo /etc/odoo/odoo.conf"',
    );
    await services().stop();
    await scene.shell('touch /run/broken');
    await services().start();
    await assert.rejects(waitHealthy({ host, services: services(), check }, 600_000), /odoo is failed/);
    await services().stop();
    await scene.shell('rm /run/broken');
    await services().start(); // systemd refuses for a while
    await waitHealthy({ host, services: services(), check }, patienceMs);
  });

  test('a service that something starts again is not stopped', async () => {
    await scene.shell(`printf '[Unit]\\nUpholds=odoo.service\\n[Service]\\nExecStart=/bin/sleep infinity\\n' \
      >/run/systemd/system/watch.service; systemctl daemon-reload; systemctl start watch`);
    try {
      await assert.rejects(
        services().stop(),
        /Still running after the stop command: odoo is (active|activating)/,
      );
    } finally {
      await scene.shell('systemctl stop watch');
    }
  });

  test('a page with an error, and one that never comes, are not healthy', async () => {
    await scene.sql('ALTER TABLE res_users RENAME TO gone');
    try {
      const seen = new AbortController();
      const onWait = (line: string) => {
        if (/web\/login answers 500/.test(line)) seen.abort();
      };
      const waiting = waitHealthy({ host, services: services(), check }, patienceMs, seen.signal, onWait);
      await assert.rejects(waiting, { name: 'AbortError' });
    } finally {
      await scene.sql('ALTER TABLE gone RENAME TO res_users');
    }
    await scene.shell('systemctl kill --signal=STOP odoo');
    try {
      await assert.rejects(
        waitHealthy({ host, services: services(), check }, 2_000),
        /web\/login does not answer: .*timed out/,
      );
    } finally {
      await scene.shell('systemctl kill --signal=CONT odoo');
    }
  });
});
