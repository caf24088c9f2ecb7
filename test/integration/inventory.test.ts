import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { sqlOf } from '../support/backup-check.ts';
import {
  cleanEnvironment,
  type Ended,
  jsonOf,
  outputsOf,
  runCommand,
  Scene,
  startProgram,
} from '../support/backup-run.ts';
import { component, Pipeline, project } from '../support/gitlab-pipeline.ts';
import type { RawInputs } from '../support/inputs.ts';
import { createOdoo, type Odoo } from '../support/odoo.ts';
import { createDatabase, dropDatabase, uniqueName } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { getObject, listKeys } from '../support/s3.ts';

/** What an inventory says of every host: how to reach it, through the jump host, and where backups go. */
const common = ({ ssh, sandbox, bucket }: Scene) => ({
  ansible_user: ssh.user,
  ansible_port: ssh.port,
  ansible_ssh_private_key_file: sandbox.keys.plain,
  ansible_ssh_common_args: `-o ProxyJump=${sandbox.jump.user}@${sandbox.jump.host}:${sandbox.jump.port}`,
  odoo_backup_ssh_known_hosts: ssh.knownHosts + sandbox.jump.knownHosts,
  odoo_backup_s3_bucket: bucket,
  odoo_backup_s3_endpoint: sandbox.s3.endpoint,
  odoo_backup_customer: 'fleet',
});

suite('a fleet in an inventory', () => {
  let scene: Scene;
  let other: Odoo;
  let hosts: string;
  before(async () => {
    scene = await Scene.open();
    other = await createOdoo(scene.sandbox);
    hosts = join(scene.folder, 'hosts.yml');
    const host = ({ database, conf }: Odoo) => ({
      ansible_host: scene.ssh.host,
      dbname: database,
      odoo_conf: conf,
    });
    const inventory = {
      all: {
        vars: common(scene),
        children: {
          production: {
            vars: { odoo_backup_environment: 'production', odoo_backup_format: 'odoo' },
            hosts: { shop: host(scene.odoo), blog: { ...host(other), odoo_backup_format: 'custom' } },
          },
          others: { hosts: { proxy: null } },
        },
      },
    };
    await writeFile(hosts, stringify(inventory));
  });
  after(async () => {
    await other?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  const env = () => cleanEnvironment(scene.sandbox.s3);
  const ask = (command: string, inputs: RawInputs = {}): Promise<Ended> =>
    runCommand(command, { inventory: hosts, ...inputs }, env());

  /** The archives of each database. */
  async function archives(): Promise<Record<string, string[]>> {
    const keys = await listKeys(scene.client, scene.bucket);
    const of = ({ database }: Odoo) =>
      keys.filter((key) => key.startsWith(`fleet/backups/${database}_`) && /\.(zip|dump)$/.test(key));
    return { shop: of(scene.odoo), blog: of(other) };
  }

  test('a host is backed up as the inventory says, and an input that is given counts more', async () => {
    const ended = await ask('backup', { host: 'shop', filestore: 'false' });
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, new RegExp(`^Connect to ${scene.ssh.user}@${scene.ssh.host}$`, 'm'));
    const receipt = JSON.parse(outputsOf(ended).json ?? '');
    assert.deepEqual(
      [receipt.database, receipt.format, receipt.filestore],
      [scene.odoo.database, 'odoo', null],
    );
    const { shop = [], blog = [] } = await archives();
    assert.deepEqual([shop, blog], [[receipt.key], []]);
  });

  test('the matrix of hosts backs up every host, as GitHub’s jobs would', async () => {
    const found = await ask('hosts', {});
    assert.equal(found.exitCode, 0, found.log);
    assert.match(found.log, /1 host left out, without an Odoo: proxy/);
    const { include } = JSON.parse(outputsOf(found).matrix ?? '') as { include: Record<string, string>[] };
    assert.deepEqual(
      include.map(({ host, environment }) => [host, environment]),
      [
        ['shop', 'production'],
        ['blog', 'production'],
      ],
    );
    const before = await archives();
    for (const { host, database, environment } of include) {
      const ended = await ask('backup', { host, database, environment });
      assert.equal(ended.exitCode, 0, ended.log);
      assert.equal(JSON.parse(outputsOf(ended).json ?? '').format, host === 'shop' ? 'odoo' : 'custom');
    }
    for (const [host, keys] of Object.entries(await archives())) {
      assert.equal(keys.length, (before[host]?.length ?? 0) + 1, host);
    }
  });

  test('the child pipeline of hosts does, as GitLab’s jobs would', async () => {
    const folder = scene.folder;
    const launcher = ['env', '-C', folder, 'GITLAB_CI=true'];
    const found = await startProgram('hosts', { inventory: hosts }, env(), launcher).ended;
    assert.equal(found.exitCode, 0, found.log);
    const child = parse(await readFile(join(folder, 'odoo-backup-hosts.yml'), 'utf8')) as object;
    const jobs = Object.keys(child);
    assert.deepEqual(jobs, [`odoo shop ${scene.odoo.database}`, `odoo blog ${other.database}`]);

    const before = await archives();
    const inputs = { project, 'job-name': '.odoo-backup', inventory: hosts };
    const include = [{ component: component('backup'), inputs }];
    const { PATH: _, HOME: __, ...credentials } = env();
    await using pipeline = await Pipeline.open({ include, ...child }, credentials);
    for (const job of jobs) {
      const ended = await pipeline.run(job);
      assert.equal(ended.exitCode, 0, ended.log);
    }
    for (const [host, keys] of Object.entries(await archives())) {
      assert.equal(keys.length, (before[host]?.length ?? 0) + 1, host);
    }
  });

  test('gate, list and prune find what is the host’s', async () => {
    const made = await ask('backup', { host: 'blog', filestore: 'false' });
    assert.equal(made.exitCode, 0, made.log);
    const gate = await ask('gate', { host: 'blog' });
    assert.equal(outputsOf(gate).key, outputsOf(made).key);
    const list = await ask('list', { host: 'blog' });
    const databases = jsonOf(list).map(({ database }: { database: string }) => database);
    assert.deepEqual([...new Set(databases)], [other.database]);
    const keep = {
      'keep-last': '1',
      'keep-daily': '0',
      'keep-weekly': '0',
      'keep-monthly': '0',
      'minimum-keep': '1',
    };
    const pruned = await ask('prune', { host: 'blog', ...keep });
    assert.equal(pruned.exitCode, 0, pruned.log);
    assert.deepEqual((await archives()).blog, [outputsOf(made).key]);
  });

  test('a backup of the profile of development is one of PGBackup’s: gunzip and psql restore it', async () => {
    const profiles = stringify({
      development: {
        every: '12h',
        format: 'plain',
        filestore: false,
        prune: true,
        'keep-last': 0,
        'keep-daily': 0,
        'keep-weekly': 0,
        'keep-monthly': 0,
        'keep-within': '3d',
      },
    });
    const ended = await scene.run({ environment: 'development', profiles, customer: 'pgbackup' });
    assert.equal(ended.exitCode, 0, ended.log);
    const { key = '' } = outputsOf(ended);
    assert.match(key, /\.sql\.gz$/);
    assert.match(ended.log, /^Retention +1 backup kept/m);

    // backup-YYYYMMDD-HHMM.sql.gz, as the guide names it, and the guide's own line.
    const [, y, m, d, h, min] = /_(\d+)-(\d+)-(\d+)_(\d+)-(\d+)-/.exec(key) ?? [];
    const file = join(scene.folder, `backup-${y}${m}${d}-${h}${min}.sql.gz`);
    await writeFile(file, await getObject(scene.client, scene.bucket, key));
    const { postgres } = scene.sandbox;
    const database = uniqueName();
    await createDatabase(postgres, database);
    try {
      const line = `gunzip -c ${file} | psql -h "$PGHOST" -U "$PGUSER" "$PGDATABASE"`;
      const { odoo, host, port } = postgres;
      const guide = {
        PATH: `${postgres.bin}:${process.env.PATH}`,
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: odoo.name,
        PGPASSWORD: odoo.password,
        PGDATABASE: database,
      };
      await run(['bash', '-o', 'pipefail', '-c', line], { env: guide });
      const [restored, source] = await Promise.all([
        sqlOf(postgres, database),
        sqlOf(postgres, scene.odoo.database),
      ]);
      assert.ok(restored === source, 'other rows');
    } finally {
      await dropDatabase(postgres, database);
    }
  });
});

test('a rollback through an inventory puts back what its backup took', async () => {
  await using rolled = await RollbackScene.open();
  const { scene } = rolled;
  const hosts = join(scene.folder, 'hosts.yml');
  const { 'stop-command': stop, 'start-command': begin } = rolled.inputs;
  const shop = {
    ansible_host: scene.ssh.host,
    dbname: scene.odoo.database,
    odoo_conf: '{{ deploy_folder }}/odoo.conf',
    deploy_folder: scene.odoo.conf.replace(/\/odoo\.conf$/, ''),
    odoo_backup_stop_command: stop,
    odoo_backup_start_command: begin,
  };
  await writeFile(hosts, stringify({ all: { vars: common(scene), hosts: { shop } } }));
  const succeeds = async (command: string) => {
    const ended = await runCommand(
      command,
      { inventory: hosts, host: 'shop' },
      cleanEnvironment(scene.sandbox.s3),
    );
    assert.equal(ended.exitCode, 0, ended.log);
    return ended;
  };
  const then = await rolled.snapshot();
  await succeeds('backup');
  await rolled.damage();
  await succeeds('rollback');
  const now = await rolled.snapshot();
  assert.ok(now.sql === then.sql, 'other rows');
  assert.deepEqual(now.files, then.files);
});
