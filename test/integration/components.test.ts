import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { cleanEnvironment, Scene } from '../support/backup-run.ts';
import { component, Pipeline, project } from '../support/gitlab-pipeline.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { listKeys } from '../support/s3.ts';
import { useSandbox } from '../support/sandbox.ts';

interface Configuration {
  readonly stages?: readonly string[];
  readonly include: readonly {
    readonly component: string;
    readonly inputs: Readonly<Record<string, unknown>>;
  }[];
  readonly [job: string]: unknown;
}

suite('the GitLab components, as pipelines run them', { concurrency: 3 }, () => {
  let scene: RollbackScene;
  before(async () => {
    scene = await RollbackScene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const s3 = () => useSandbox().s3;
  /** Variables of the project: secrets, and a file. */
  const variables = () => {
    const { PATH: _, HOME: __, ...credentials } = cleanEnvironment(s3());
    return { ...credentials, ODOO_BACKUP_SSH_KEY: useSandbox().keys.plain };
  };
  /** Inputs of every component. */
  const bucket = (name = scene.scene.bucket) => ({
    project,
    's3-bucket': name,
    's3-endpoint': s3().endpoint,
    customer: 'acme',
  });
  /** Inputs of the components that connect to the host. */
  const host = () => ({
    'ssh-host': `${scene.scene.ssh.user}@${scene.scene.ssh.host}`,
    'ssh-port': String(scene.scene.ssh.port),
    'ssh-fingerprint': scene.scene.ssh.hostKeys.fingerprints.join(' '),
    'odoo-conf': scene.scene.odoo.conf,
  });

  /** A pipeline to copy, with what a reader fills in: where the components, the host and the bucket are. */
  function filledIn(name: string): Configuration {
    const example = new URL(`../../templates/gitlab/${name}.gitlab-ci.yml`, import.meta.url);
    const configuration = parse(readFileSync(example, 'utf8')) as Configuration;
    const include = configuration.include.map((each) => {
      const called = /\/(\w+)@/.exec(each.component)?.[1] ?? '';
      const { services, ...given } = each.inputs;
      const service = services !== undefined && {
        'stop-command': scene.server.stopCommand,
        'start-command': scene.server.startCommand,
      };
      const where = 'ssh-host' in given && host();
      const which = 'database' in given && { database: scene.database };
      return {
        component: component(called),
        inputs: { ...given, 'aws-role-arn': '', ...service, ...bucket(), ...where, ...which },
      };
    });
    return { ...configuration, include };
  }

  suite('with a host', { concurrency: false }, () => {
    /** The key of a backup of it. */
    const inFolder = (extension = '[a-z]+') => new RegExp(`^acme/backups/${scene.database}_.*.${extension}$`);

    test('backup, then the deploy, and later, by hand, the rollback to exactly that backup', async () => {
      const configuration = filledIn('deploy');
      await using pipeline = await Pipeline.open(configuration, variables());
      const then = await scene.snapshot();
      const { exitCode, log } = await pipeline.run();
      assert.equal(exitCode, 0, log);

      const { outputs } = await read(pipeline, 'backup');
      assert.match(outputs.KEY ?? '', inFolder());
      assert.ok(log.includes(`Deploying; the way back is ${outputs.URI}`), log);
      assert.match(
        await pipeline.artifact('backup', 'odoo-backup.html'),
        new RegExp(`<h2>✅ ${scene.database} is backed up</h2>`),
      );
      assert.doesNotMatch(log, /rollback starting/);

      await scene.damage();
      await scene.succeeds('backup'); // a newer one, which is not meant
      const back = await pipeline.run('rollback');
      assert.equal(back.exitCode, 0, back.log);
      const now = await scene.snapshot();
      assert.equal(now.sql, then.sql);
      assert.deepEqual(now.files, then.files);
      assert.equal((await read(pipeline, 'rollback')).outputs.KEY, outputs.KEY);
    });

    test('every night: a backup, then old ones are read back, and the gate', async () => {
      const schedule = { ...variables(), CI_PIPELINE_SOURCE: 'schedule' };
      await using pipeline = await Pipeline.open(filledIn('nightly'), schedule);
      const { exitCode, log } = await pipeline.run();
      assert.equal(exitCode, 0, log);
      const made = (await read(pipeline, 'nightly-backup')).outputs;
      assert.equal(made.VERIFIED, 'contents');
      assert.equal((await read(pipeline, 'gate')).outputs.KEY, made.KEY);
      await pipeline.artifact('verify', 'odoo-backup.json');
    });

    test('verify restores beside Odoo on its host, once it has a way there', async () => {
      await scene.succeeds('backup');
      const inputs = { database: scene.database, ...bucket(), verify: 'restore', 'restore-test': 'host' };
      const open = (more: object) =>
        Pipeline.open(
          { include: [{ component: component('verify'), inputs: { ...inputs, ...more } }] },
          variables(),
        );
      await using without = await open({});
      const refused = await without.run();
      assert.equal(refused.exitCode, 1, refused.log);
      assert.match(refused.log, /FAIL 2/);
      assert.match(refused.log, /ssh-host: is required: the machine that runs Odoo/);

      await using pipeline = await open(host());
      const { exitCode, log } = await pipeline.run();
      assert.equal(exitCode, 0, log);
      assert.match(log, new RegExp(`PostgreSQL .* on ${scene.scene.ssh.user}@`));
      assert.equal((await read(pipeline, 'verify')).outputs.VERIFIED, 'restore');
    });

    test('of the repository, a job fetches an inventory and profiles, and what stands beside them', async () => {
      const { ssh, odoo } = scene.scene;
      const shops = {
        ansible_host: ssh.host,
        ansible_port: ssh.port,
        ansible_user: ssh.user,
        odoo_conf: odoo.conf,
      };
      const files = {
        'ansible/hosts.yml': JSON.stringify({ shops: { hosts: { one: { dbname: scene.database } } } }),
        'ansible/group_vars/shops.yml': JSON.stringify(shops),
        'profiles.yml': JSON.stringify({ nightly: { format: 'odoo' } }),
      };
      const { 'ssh-fingerprint': fingerprint } = host();
      const given = {
        inventory: 'ansible/hosts.yml',
        environment: 'nightly',
        'ssh-fingerprint': fingerprint,
      };
      const include = ['./profiles.yml', 'nightly:\n  format: custom\n  filestore: false'].map(
        (profiles, index) => ({
          component: component('backup'),
          inputs: { ...bucket(), ...given, profiles, 'job-name': `backup-${index}` },
        }),
      );
      await using pipeline = await Pipeline.open({ include }, variables(), files);
      for (const job of ['backup-0', 'backup-1']) {
        const { exitCode, log } = await pipeline.run(job);
        assert.equal(exitCode, 0, log);
      }
      assert.match((await read(pipeline, 'backup-0')).outputs.KEY ?? '', inFolder('zip'));
      assert.match((await read(pipeline, 'backup-1')).outputs.KEY ?? '', inFolder('dump'));
      const receipt = JSON.parse(await pipeline.artifact('backup-0', 'odoo-backup.json'));
      assert.equal(receipt.format, 'odoo');
    });

    test('a rollback to the backup of a job that has made none does nothing', async () => {
      await scene.succeeds('backup');
      const before = await scene.traces();
      const { stopCommand, startCommand } = scene.server;
      const services = { 'stop-command': stopCommand, 'start-command': startCommand };
      const inputs = { ...bucket(), ...host(), ...services, backup: '$ODOO_BACKUP_RESULT_KEY' };
      const include = [{ component: component('rollback'), inputs }];
      await using pipeline = await Pipeline.open({ include }, variables());
      const { log } = await pipeline.run('rollback');
      assert.match(log, /WARN 2/); // its exit code: it may fail, for else no pipeline would end before it was started
      assert.match(log, /backup: is empty: the earlier job did not pass its key on/);
      assert.deepEqual(await scene.traces(), before);
    });
  });

  suite('with a bucket alone', { concurrency: false }, () => {
    let scene: Scene;
    const backUp = async () => {
      const { exitCode, log } = await scene.run();
      assert.equal(exitCode, 0, log);
    };
    before(async () => {
      scene = await Scene.open();
      await backUp();
      await backUp();
    });
    after(() => scene?.[Symbol.asyncDispose]());

    test('gate, verify and prune look at the bucket alone', async () => {
      const jobs = {
        gate: { require: 'contents' },
        verify: { backup: 'oldest 2' },
        prune: {
          'keep-last': '1',
          'keep-daily': '0',
          'keep-weekly': '0',
          'keep-monthly': '0',
          'minimum-keep': '1',
        },
      };
      const include = Object.entries(jobs).map(([name, inputs]) => ({
        component: component(name),
        inputs: { database: scene.odoo.database, ...bucket(scene.bucket), ...inputs },
      }));
      await using pipeline = await Pipeline.open({ include }, variables());

      const shut = await pipeline.run('gate');
      assert.equal(shut.exitCode, 1, shut.log);
      assert.match(shut.log, /FAIL 3/); // the exit code of the job
      const page = await pipeline.artifact('gate', 'odoo-backup.html');
      assert.ok(page.includes(`<h2>❌ The gate is shut for ${scene.odoo.database}</h2>`), page);
      assert.match(page, /contents is required.*What to do<\/th><td>Make a backup/s);

      for (const job of ['verify', 'gate']) {
        const ended = await pipeline.run(job);
        assert.equal(ended.exitCode, 0, ended.log);
      }
      assert.equal((await read(pipeline, 'gate')).outputs.VERIFIED, 'contents');

      const { bucket: name, client } = scene;
      assert.equal((await listKeys(client, name)).length, 4);
      const pruned = await pipeline.run('prune');
      assert.equal(pruned.exitCode, 0, pruned.log);
      assert.equal((await listKeys(client, name)).length, 2);
    });

    test('DRY_RUN counts, though the component has an input of its own', async () => {
      await backUp();
      const inputs = {
        database: scene.odoo.database,
        ...bucket(scene.bucket),
        'keep-last': '1',
        'keep-daily': '0',
        'minimum-keep': '1',
      };
      const include = [{ component: component('prune'), inputs }];
      await using pipeline = await Pipeline.open({ include }, { ...variables(), DRY_RUN: 'true' });
      const before = await listKeys(scene.client, scene.bucket);
      const { exitCode, log } = await pipeline.run();
      assert.equal(exitCode, 0, log);
      assert.deepEqual(await listKeys(scene.client, scene.bucket), before);
    });

    test('the role at AWS is assumed with the token of the job', async (t) => {
      const asked: URLSearchParams[] = [];
      const { accessKeyId, secretAccessKey } = s3();
      // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
      const sts = createServer(async (request, response) => {
        asked.push(new URLSearchParams(await text(request)));
        response.setHeader('content-type', 'text/xml');
        response.end(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId>
          <SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken></SessionToken>
          <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
          </AssumeRoleWithWebIdentityResponse>`);
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => sts.once('listening', resolve));
      t.after(() => sts.close());
      const address = sts.address();
      assert.ok(address !== null && typeof address === 'object');
      const role = 'arn:aws:iam::123456789012:role/odoo-backup';
      const inputs = {
        database: scene.odoo.database,
        ...bucket(scene.bucket),
        'aws-region': 'us-east-1',
        'aws-role-arn': role,
      };
      await using pipeline = await Pipeline.open(
        { include: [{ component: component('gate'), inputs }] },
        {
          AWS_ID_TOKEN: 'the.job.token', // GitLab makes it, gitlab-ci-local does not
          AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${address.port}`,
          AWS_EC2_METADATA_DISABLED: 'true',
        },
      );
      const { exitCode, log } = await pipeline.run();
      assert.equal(exitCode, 0, log);
      assert.deepEqual(
        asked.map((each) => [each.get('Action'), each.get('RoleArn'), each.get('WebIdentityToken')]),
        [['AssumeRoleWithWebIdentity', role, 'the.job.token']],
      );
    });

    test('a program in the image is run, and nothing fetched', async () => {
      const program = new URL('../../src/main.ts', import.meta.url).pathname;
      const inputs = { database: scene.odoo.database, ...bucket(scene.bucket), project: 'no/where', program };
      await using pipeline = await Pipeline.open(
        { include: [{ component: component('gate'), inputs }] },
        variables(),
      );
      const { exitCode, log } = await pipeline.run();
      assert.equal(exitCode, 0, log);
    });
  });

  test('scheduled pipelines do not deploy, nothing else is nightly, and merge requests have none of it', async () => {
    /** The jobs of its pipeline for each of these reasons. */
    const jobs = async (configuration: object, ...sources: readonly string[]): Promise<string[][]> => {
      await using pipeline = await Pipeline.open(configuration, {});
      const found: string[][] = [];
      for (const source of sources) {
        const { exitCode, log } = await pipeline.run('--list-csv', `--variable=CI_PIPELINE_SOURCE=${source}`);
        assert.equal(exitCode, 0, log);
        const names = [...log.matchAll(/^([\w-]+);/gm)].map(([, name = '']) => name);
        found.push(names.filter((name) => name !== 'name').sort());
      }
      return found;
    };
    const include = ['backup', 'rehearse', 'rollback', 'gate', 'verify', 'prune'].map((name) => ({
      component: component(name),
      inputs: { ...bucket() },
    }));
    assert.deepEqual(await jobs(filledIn('deploy'), 'push', 'schedule'), [
      ['backup', 'deploy', 'rollback'],
      [],
    ]);
    assert.deepEqual(await jobs(filledIn('nightly'), 'schedule', 'push'), [
      ['gate', 'nightly-backup', 'verify'],
      [],
    ]);
    const [pushed = [], requested] = await jobs({ include }, 'push', 'merge_request_event');
    assert.equal(pushed.length, 6);
    assert.deepEqual(requested, []);
  });
});

/** The results of a job for those after it. */
async function read(
  pipeline: Pipeline,
  job: string,
): Promise<{ readonly outputs: Readonly<Record<string, string>> }> {
  const file = await pipeline.artifact(job, '.gitlab-ci-reports/dotenv/odoo-backup.env');
  const lines = file.trim().split('\n');
  const outputs = lines.map((line) => /^ODOO_BACKUP_RESULT_(\w+)=(.*)$/.exec(line)?.slice(1) ?? []);
  return { outputs: Object.fromEntries(outputs) };
}
