import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Start } from '../support/github-runner.ts';
import { createOdoo, type Odoo } from '../support/odoo.ts';
import { type OdooServer, startOdooServer } from '../support/odoo-server.ts';
import { dropDatabase } from '../support/postgres.ts';
import { freePorts } from '../support/processes.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { listKeys } from '../support/s3.ts';
import { results, WorkflowRuns } from '../support/workflow-runs.ts';

suite('workflows, called with an inventory', () => {
  let scene: RollbackScene;
  let other: Odoo;
  let otherServer: OdooServer;
  let workflows: WorkflowRuns;
  let repository: Pick<Start, 'files'>;
  before(async () => {
    scene = await RollbackScene.open({}, 'fleet');
    const { sandbox, ssh, bucket, odoo } = scene.scene;
    const [port = 0] = await freePorts(1);
    other = await createOdoo(sandbox, { options: { http_interface: '127.0.0.1', http_port: String(port) } });
    otherServer = await startOdooServer(sandbox, other, port);
    workflows = await WorkflowRuns.of(scene.scene);
    const host = ({ database, conf }: Odoo, { stopCommand, startCommand }: OdooServer) => ({
      dbname: database,
      odoo_conf: conf,
      odoo_backup_stop_command: stopCommand,
      odoo_backup_start_command: startCommand,
    });
    const hosts = { one: host(odoo, scene.server), two: host(other, otherServer) };
    const canary = { hosts: { one: null } };
    const shops = {
      ansible_host: ssh.host,
      ansible_port: ssh.port,
      ansible_user: ssh.user,
      odoo_backup_s3_bucket: bucket,
      odoo_backup_s3_endpoint: sandbox.s3.endpoint,
      odoo_backup_customer: '{{ inventory_hostname }}',
    };
    const files = {
      'ansible/hosts.yml': { all: { children: { shops: { hosts }, canary }, hosts: { proxy: null } } },
      'ansible/group_vars/shops.yml': shops,
      'profiles.yml': {
        production: { format: 'odoo', 'keep-last': '1', 'keep-daily': '0', 'minimum-keep': '1' },
      },
    };
    const texts = Object.entries(files).map(([path, content]) => [path, JSON.stringify(content)]);
    repository = { files: { ...Object.fromEntries(texts), 'bin/deploy': deploy } };
  });
  after(async () => {
    await otherServer?.[Symbol.asyncDispose]();
    await other?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  /** Fails on one host, as a deploy does whose last word is whether Odoo is well. */
  const deploy = `#!/bin/sh
echo "deploying $2 to $1"
test "$1" != two`;

  const of = (host: string) => ({ inventory: 'ansible/hosts.yml', host });
  const call = (
    name: string,
    inputs: Readonly<Record<string, string | boolean>>,
    more: Partial<Start> = {},
  ) => workflows.call(name, inputs, { ...repository, ...more });
  const archives = async (host: string) => {
    const keys = await listKeys(scene.scene.client, scene.scene.bucket);
    return keys.filter((key) => key.startsWith(`${host}/`) && key.endsWith('.zip'));
  };

  test('odoo-backup takes host and bucket from it, and format and retention from a profile', async () => {
    const profile = { environment: 'production', profiles: 'profiles.yml' };
    const [first, second] = [
      await call('odoo-backup', of('one')),
      await call('odoo-backup', { ...of('one'), ...profile }),
    ];
    assert.deepEqual(results(first), { backup: 'success' }, first.log);
    assert.deepEqual(results(second), { backup: 'success' }, second.log);
    assert.match(first.outputs.key ?? '', /^one\/backups\/fleet_/);
    assert.deepEqual(await archives('one'), [second.outputs.key]);
    assert.equal((await scene.receipt((second.outputs.key ?? '').replace(/zip$/, 'json'))).format, 'odoo');
  });

  test('what is given counts more, and profiles may be the YAML itself', async () => {
    const profiles = 'staging:\n  format: custom\n  filestore: false\n';
    const given = { environment: 'staging', profiles, customer: 'given', prune: false };
    const ended = await call('odoo-backup', { ...of('one'), ...given });
    assert.deepEqual(results(ended), { backup: 'success' }, ended.log);
    assert.match(ended.outputs.key ?? '', /^given\/backups\/fleet_.*\.dump$/);
  });

  test('odoo-verify restores beside Odoo, on the host of the inventory', async () => {
    const made = await call('odoo-backup', { ...of('one'), verify: 'upload' });
    const inputs = {
      ...of('one'),
      backup: made.outputs.key ?? '',
      verify: 'restore',
      'restore-test': 'host',
    };
    const ended = await call('odoo-verify', inputs);
    assert.deepEqual(results(ended), { verify: 'success' }, ended.log);
    const { user, host, port } = scene.scene.ssh;
    assert.match(ended.log, new RegExp(`^PostgreSQL .* on ${user}@${host}:${port}`, 'm'));
  });

  test('odoo-rollback knows the database, and asks for its name', async () => {
    const then = await scene.snapshot();
    await call('odoo-backup', { ...of('one'), verify: 'upload' });
    await scene.damage();
    const mistaken = await call('odoo-rollback', { ...of('one'), confirm: 'shpo' });
    assert.deepEqual(results(mistaken), { plan: 'failure', apply: 'skipped' }, mistaken.log);
    assert.match(mistaken.log, /::error::confirm is not fleet: leave it empty for a dry run/);
    const applied = await call('odoo-rollback', { ...of('one'), confirm: 'fleet' });
    assert.deepEqual(results(applied), { plan: 'success', apply: 'success' }, applied.log);
    assert.deepEqual(await scene.snapshot(), then);
  });

  test('odoo-restore makes a copy beside it', async (t) => {
    const copy = `${scene.database}_copy`;
    t.after(() => dropDatabase(scene.scene.sandbox.postgres, copy));
    await call('odoo-backup', { ...of('one'), verify: 'upload' });
    const ended = await call('odoo-restore', { ...of('one'), 'target-database': copy });
    assert.deepEqual(results(ended), { restore: 'success' }, ended.log);
    assert.equal(await scene.sql('SELECT count(*) > 0 FROM res_users', copy), 't');
  });

  test('a workflow without a host or an inventory says what is missing', async () => {
    const ended = await call('odoo-backup', { 's3-bucket': scene.scene.bucket });
    assert.deepEqual(results(ended), { backup: 'failure' }, ended.log);
    assert.match(ended.log, /ssh-host: is required/);
  });

  test('fleet-deploy deploys to the canary, then to each other, and takes back the one that fails', async () => {
    const started = {
      ...repository,
      inputs: { limit: 'all' },
      secrets: workflows.secrets(),
      calledWith: { inventory: 'ansible/hosts.yml', 'aws-role-arn': '', 's3-bucket': '' },
      with: (command = ''): Record<string, string> =>
        command === 'hosts' ? { inventory: 'ansible/hosts.yml' } : {},
    };
    const ended = await workflows.run('fleet-deploy', started);
    const expected = { hosts: 'success', canary: 'success', others: 'failure' };
    assert.deepEqual(results(ended), expected, ended.log);
    assert.match(
      ended.jobs.canary?.log ?? '',
      /── deploy: success\ndeploying fleet to one\n[\s\S]*── rollback: skipped/,
    );
    const rolledBack = `── deploy: failure\ndeploying ${other.database} to two\n\n── rollback: success\n[\\s\\S]*>Downtime<`;
    assert.match(ended.jobs.others?.log ?? '', new RegExp(rolledBack));
    assert.equal((await archives('two')).length, 1);
  });
});
