import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Accounts } from '../../src/host/accounts.ts';
import { LostConnectionError } from '../../src/host/ssh/errors.ts';
import { TempFolder } from '../../src/host/temp-folder.ts';
import { type HealthCheck, healthNow, odooUrl, waitHealthy } from '../../src/odoo/health.ts';
import { neutralize, renewIdentity } from '../../src/odoo/neutralize.ts';
import { findOdooProgram, programOfUnit } from '../../src/odoo/program.ts';
import { commandServices } from '../../src/odoo/services.ts';
import { systemdServices } from '../../src/odoo/systemd.ts';
import { UserError } from '../../src/util/errors.ts';
import { assertNothingRuns } from '../support/leftovers.ts';
import { login } from '../support/login.ts';
import { openRestoreHost } from '../support/restore-host.ts';
import { startRootedHost } from '../support/rooted-host.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const noUnits = { states: async () => [] };

/** A folder of the account that logs in. */
async function openScripts() {
  await using resources = new AsyncDisposableStack();
  const scene = resources.use(await openRestoreHost());
  const folder = await mkdtemp(join(scene.sandbox.folder, 'scripts-'));
  await chmod(folder, 0o777);
  resources.defer(() => rm(folder, { recursive: true }));
  const kept = resources.move();
  return { ...scene, folder, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

suite('services by command', () => {
  test('what a start command leaves running does not hold it up', async () => {
    await using scene = await openScripts();
    const { host, folder } = scene;
    const start = `sleep 300 & echo $! >${folder}/pid; echo started`;
    const services = commandServices(host, `kill $(cat ${folder}/pid) && rm ${folder}/pid`, start);
    await services.start();
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    process.kill(pid, 0);
    await services.stop();
    await assert.rejects(readFile(join(folder, 'pid')), /ENOENT/);
  });

  test('is run where there is no place for what it says', async () => {
    await using scene = await openScripts();
    const { host, folder } = scene;
    const start: typeof host.start = (command) =>
      host.start({ ...command, env: { ...command.env, TMPDIR: '/nonexistent' } });
    const full = { label: host.label, user: host.user, start, [Symbol.asyncDispose]: async () => {} };
    const services = commandServices(full, 'echo stopping; exit 7', `echo started; echo up >${folder}/state`);
    await services.start();
    assert.equal(await readFile(join(folder, 'state'), 'utf8'), 'up\n');
    await assert.rejects(services.stop(), /\(exit code 7\): .*mktemp/);
  });

  test('that fails says what it said', async () => {
    await using scene = await openScripts();
    const services = commandServices(scene.host, 'echo on stdout; echo on stderr >&2; exit 7', 'false');
    await assert.rejects(services.stop(), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /\(exit code 7\): on stdout\non stderr$/);
      return true;
    });
  });
});

suite('services of systemd', { skip: process.getuid?.() === 0 ? false : 'needs root' }, () => {
  test('are stopped and started by commands that sudoers can name', async () => {
    const sandbox = useSandbox();
    const sudoers = 'deploy ALL=(root) NOPASSWD: /usr/bin/systemctl stop odoo, /usr/bin/systemctl start odoo';
    await using rooted = await startRootedHost(sandbox, { sudoers });
    // No systemd runs in here: this one keeps its units in a file.
    await rooted.exec(
      [
        'sh',
        '-c',
        'echo "odoo active" >/run/units; chmod 666 /run/units; cat >/run/systemctl; chmod 755 /run/systemctl; mount --bind /run/systemctl /usr/bin/systemctl',
      ],
      systemctl,
    );
    await using host = await login(sandbox, rooted);
    const services = systemdServices(host, new Accounts(host, 'auto'), ['odoo']);
    assert.deepEqual(services.stopCommands, ['sudo systemctl stop odoo']);
    assert.deepEqual(await services.problems(), []);
    await services.stop();
    assert.equal(await rooted.exec(['cat', '/run/units']), 'odoo inactive\n');
    await services.start();
    assert.equal(await rooted.exec(['cat', '/run/units']), 'odoo active\n');

    const unknown = systemdServices(host, new Accounts(host, 'auto'), ['odoo', 'odoo-queue']);
    assert.deepEqual(unknown.startCommands, ['sudo systemctl start odoo-queue', 'sudo systemctl start odoo']);
    const problems = await unknown.problems();
    assert.deepEqual(
      problems.map(({ message }) => message),
      [
        'systemd knows no unit odoo-queue',
        'sudo does not let deploy run systemctl stop odoo-queue and systemctl start odoo-queue',
      ],
    );
    await assert.rejects(unknown.start(), /sudo systemctl start odoo-queue failed/);

    await rooted.exec(['sh', '-c', 'echo "odoo-queue inactive" >>/run/units']);
    const running = await unknown.running();
    assert.deepEqual(running, ['odoo']);
    assert.deepEqual(unknown.only(['odoo']).startCommands, ['sudo systemctl start odoo']);
    await unknown.only(['odoo']).start();
    assert.equal(await rooted.exec(['cat', '/run/units']), 'odoo active\nodoo-queue inactive\n');

    await rooted.exec(['sh', '-c', 'echo "odoo failed" >/run/units']);
    const check: HealthCheck = { kind: 'odoo', baseUrl: odooUrl(undefined, 1) };
    await assert.rejects(
      waitHealthy(
        { host, services: systemdServices(host, new Accounts(host, 'auto'), ['odoo']), check },
        60_000,
      ),
      /not healthy after 0\.\d s: odoo is failed/,
    );
  });
});

const systemctl = `#!/bin/sh
verb=$1; shift
case $verb in
  stop) sed -i "s/^$1 .*/$1 inactive/" /run/units ;;
  start) sed -i "s/^$1 .*/$1 active/" /run/units ;;
  show) for unit do case $unit in --*) continue ;; esac
      state=$(sed -n "s/^$unit //p" /run/units)
      printf 'Id=%s.service\\nLoadState=%s\\nActiveState=%s\\n\\n' "$unit" "\${state:+loaded}" "\${state:-inactive}"
    done ;;
esac
`;

suite('health', () => {
  /** An Odoo that answers by this table; what is not in it is 404. */
  async function serve(pages: Record<string, number>) {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['content-type']}`);
      response.writeHead(pages[request.url ?? ''] ?? 404, { location: '/elsewhere' }).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = odooUrl('0.0.0.0', (server.address() as AddressInfo).port);
    return {
      url,
      asked,
      pages,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  for (const [pages, answer] of [
    [{ '/web/login': 200 }, /\/web\/login answers 200$/],
    [{ '/web/login': 303 }, /\/web\/login answers 303$/],
    [{ '/web/health': 200 }, /\/web\/health answers 200$/],
  ] as const) {
    test(`${JSON.stringify(pages)} is well`, async () => {
      await using scene = await openRestoreHost();
      await using odoo = await serve(pages);
      const healthy = await waitHealthy(
        { host: scene.host, services: noUnits, check: { kind: 'odoo', baseUrl: odoo.url } },
        5_000,
      );
      assert.match(healthy.answer, answer);
    });
  }

  test('is asked before a rollback without a page, which Odoo might write attachments for', async () => {
    await using scene = await openRestoreHost();
    await using odoo = await serve({ '/web/webclient/version_info': 200 });
    const answer = await healthNow({
      host: scene.host,
      services: noUnits,
      check: { kind: 'odoo', baseUrl: odoo.url },
    });
    assert.match(answer, /\/web\/webclient\/version_info answers 200$/);
    assert.deepEqual(odoo.asked, ['POST /web/webclient/version_info application/json']);
  });

  const unwell: Record<string, number>[] = [{ '/web/login': 500, '/web/health': 200 }, {}];
  for (const pages of unwell) {
    test(`${JSON.stringify(pages)} is not`, async () => {
      await using scene = await openRestoreHost();
      await using odoo = await serve(pages);
      const waiting = waitHealthy(
        { host: scene.host, services: noUnits, check: { kind: 'odoo', baseUrl: odoo.url } },
        1_000,
      );
      await assert.rejects(waiting, /Odoo is not healthy after .* answers (500|404)$/);
    });
  }

  test('is asked for once more by who comes back to it when the time is over', async () => {
    await using scene = await openRestoreHost();
    await using odoo = await serve({ '/web/login': 200 });
    const { host } = scene;
    let asked = 0;
    // As after a suspension: what was under way has failed, and a new connection is there at once.
    const start: typeof host.start = async (command) => {
      asked += 1;
      if (asked === 1) throw new LostConnectionError('Connection to the host was lost', '');
      return host.start(command);
    };
    const woken = { label: host.label, user: host.user, start, [Symbol.asyncDispose]: async () => {} };
    const check: HealthCheck = { kind: 'odoo', baseUrl: odoo.url };
    const { answer } = await waitHealthy({ host: woken, services: noUnits, check }, 0);
    assert.match(answer, /answers 200$/);
  });

  test('is waited for, from the host and from the runner', async () => {
    await using scene = await openRestoreHost();
    for (const from of ['host', 'runner'] as const) {
      await using odoo = await serve({ '/': 503 });
      const waiting = waitHealthy(
        { host: scene.host, services: noUnits, check: { kind: 'url', url: `${odoo.url}/`, from } },
        30_000,
      );
      void sleep(600).then(() => Object.assign(odoo.pages, { '/': 200 }));
      assert.ok((await waiting).seconds >= 0.5);
    }
    const nowhere: HealthCheck = { kind: 'url', url: 'http://127.0.0.1:1/', from: 'host' };
    await assert.rejects(
      waitHealthy({ host: scene.host, services: noUnits, check: nowhere }, 500),
      /does not answer: .*127\.0\.0\.1/,
    );
    await assert.rejects(
      waitHealthy({ host: scene.host, services: noUnits, check: { ...nowhere, from: 'runner' } }, 500),
      /does not answer: .*(bad port|ECONNREFUSED)/,
    );
  });
});

suite('neutralize', () => {
  test('by statements of our own, and a new identity', async () => {
    await using scene = await openRestoreHost();
    const { postgres } = scene.found;
    const { database } = scene.odoo;
    await scene.sql(
      "INSERT INTO ir_mail_server (name, smtp_host, smtp_port, smtp_encryption, active) VALUES ('real', 'mx', 25, 'none', true)",
    );
    const parameter = (key: string) =>
      scene.sql(`SELECT value FROM ir_config_parameter WHERE key = '${key}'`);
    const before = await parameter('database.uuid');
    for (const _ of ['once', 'twice']) await neutralize(postgres, database, undefined);
    assert.equal(await scene.sql('SELECT count(*) FROM ir_cron WHERE active'), '1');
    assert.equal(await scene.sql('SELECT DISTINCT smtp_host FROM ir_mail_server WHERE active'), 'invalid');
    assert.equal(await parameter('database.is_neutralized'), 'true');
    const uuid = await renewIdentity(postgres, database);
    assert.notEqual(uuid, before);
    assert.equal(await parameter('database.uuid'), uuid);
    assert.match(await parameter('database.create_date'), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  test('by the host’s own odoo; what that leaves active is found', async () => {
    await using scene = await openScripts();
    const { found, odoo, folder, host } = scene;
    const program = join(folder, 'odoo-bin');
    const sql = `BEGIN; UPDATE ir_cron SET active = false; INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'true'); COMMIT;`;
    await writeFile(
      program,
      `#!/bin/sh\n[ "$1 $4 $5" = "neutralize --database ${odoo.database}" ] && echo "${sql}"\n`,
    );
    await chmod(program, 0o755);
    const able = { host, argv: [program], as: undefined, conf: odoo.conf };
    await neutralize(found.postgres, odoo.database, able);
    await scene.sql('UPDATE ir_cron SET active = true');
    await scene.sql("DELETE FROM ir_config_parameter WHERE key = 'database.is_neutralized'");
    await writeFile(program, `#!/bin/sh\necho "${sql.replace('= false', '= true')}"\n`);
    await assert.rejects(
      neutralize(found.postgres, odoo.database, able),
      /not neutral: \d+ scheduled actions are active/,
    );
    await writeFile(program, '#!/bin/sh\necho "no such database" >&2; exit 1\n');
    await assert.rejects(
      neutralize(found.postgres, odoo.database, able),
      /odoo neutralize failed .*: no such database/,
    );
    assert.equal(await findOdooProgram(host, scene.accounts, [], found.conf), undefined);
  });

  for (const [execStart, argv] of [
    [
      '{ path=/opt/venv/bin/python ; argv[]=/opt/venv/bin/python /opt/odoo/odoo-bin -c /etc/odoo.conf ; ignore_errors=no ; }',
      ['/opt/venv/bin/python', '/opt/odoo/odoo-bin'],
    ],
    ['{ path=/usr/bin/odoo ; argv[]=/usr/bin/odoo --config /etc/odoo/odoo.conf ; }', ['/usr/bin/odoo']],
    ['{ path=/bin/sh ; argv[]=/bin/sh -c start-odoo-now ; }', undefined],
    ['', undefined],
  ] as const) {
    test(`is found in ${execStart}`, () => assert.deepEqual(programOfUnit(execStart), argv));
  }
});

suite('a temporary folder', () => {
  test('goes with the connection', async () => {
    let proxy: TcpProxy | undefined;
    await using scene = await openRestoreHost({}, async (ssh) => {
      proxy = await startTcpProxy(ssh);
      return proxy.port;
    });
    assert.ok(proxy);
    await using _folder = await TempFolder.make(scene.host, undefined, 1);
    assert.ok(_folder?.path.startsWith(scene.ssh.tmp));
    assert.equal(await TempFolder.make(scene.host, undefined, 2 ** 50), undefined);
    await proxy[Symbol.asyncDispose]();
    await assertNothingRuns(scene.ssh, scene.sandbox.postgres, scene.odoo.database);
  });
});
