import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { cleanEnvironment, type Ended, Run, Scene, takeBackup } from '../support/backup-run.ts';
import { assertNothingRuns, assertNothingStored } from '../support/leftovers.ts';

/**
 * As the runner starts the action:
 * https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax#inputs
 */
suite('a step of a GitHub workflow', () => {
  let scene: Scene;
  let key: string;
  before(async () => {
    scene = await Scene.open({ login: 'password' });
    key = await readFile(scene.sandbox.keys.plain, 'utf8');
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const file = (name: string) => join(scene.folder, name);
  beforeEach(async () => {
    for (const name of ['output', 'summary']) await writeFile(file(name), '');
  });

  function step(inputs: Record<string, string> = {}): Promise<Ended> {
    const { ssh, sandbox, bucket, odoo } = scene;
    const given = {
      command: 'backup',
      'ssh-host': `${ssh.user}@${ssh.host}`,
      'ssh-port': String(ssh.port),
      'ssh-key': key,
      'ssh-known-hosts': ssh.knownHosts,
      'odoo-conf': odoo.conf,
      's3-bucket': bucket,
      's3-endpoint': sandbox.s3.endpoint,
      filestore: 'true',
      'dry-run': 'false',
      database: '',
      ...inputs,
    };
    const variables = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    return new Run([], {
      ...cleanEnvironment(sandbox.s3),
      ...Object.fromEntries(variables),
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_OUTPUT: file('output'),
      GITHUB_STEP_SUMMARY: file('summary'),
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_RUN_ID: '42',
      GITHUB_RUN_ATTEMPT: '2',
      GITHUB_SHA: 'c0ffee',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_ACTOR: 'octocat',
    }).ended;
  }

  /** `name<<delimiter`, the value, the delimiter. */
  async function outputs(): Promise<Record<string, string>> {
    const text = await readFile(file('output'), 'utf8');
    return Object.fromEntries(
      [...text.matchAll(/^(.+)<<(.+)\n(.*)\n\2$/gm)].map(([, name, , value]) => [name, value]),
    );
  }

  test('makes a backup, and hands it on', async () => {
    const ended = await step();
    assert.equal(ended.exitCode, 0, ended.stdout + ended.log);
    const given = await outputs();
    const { receipt, head } = await takeBackup(scene.client, scene.bucket, given);
    await assertNothingRuns(scene.ssh, scene.sandbox.postgres, scene.odoo.database);

    assert.match(receipt.key, /^shop\/backups\//, 'the customer is the repository');
    const url = 'https://github.com/acme/shop/actions/runs/42/attempts/2';
    const who = { actor: 'octocat', repository: 'acme/shop', commit: 'c0ffee', ref: 'refs/heads/main' };
    assert.deepEqual(receipt.run, { platform: 'github', ...who, url });
    assert.equal(head.Metadata?.commit, 'c0ffee');
    assert.equal(head.Metadata?.run, url);
    assert.equal(given.size, String(receipt.size));
    assert.equal(JSON.parse(given.json ?? '').database, scene.odoo.database);
    const summary = await readFile(file('summary'), 'utf8');
    assert.match(summary, /^### ✅ \S+ is backed up\n\n<table>\n<tr><th .*```mermaid\ngantt\n/s);
    // No group is there for nothing, and the result stands outside of them at the end.
    assert.doesNotMatch(ended.stdout, /^::group::.*\n(.*\n)?::endgroup::/m);
    assert.match(ended.stdout, /^Verify s3:.*: .* \([\d.]+ m?s\)$/m);
    assert.match(ended.stdout.split('::endgroup::').at(-1) ?? '', /^✅ \S+ is backed up\n\nDatabase /m);
  });

  test('masks every secret before anything else is said', async () => {
    const { postgres, s3 } = scene.sandbox;
    const ended = await step({ 'dry-run': 'true' });
    assert.equal(ended.exitCode, 0, ended.stdout + ended.log);
    const lines = ended.stdout.split('\n');
    for (const secret of [s3.secretAccessKey, postgres.odoo.password, key.split('\n')[1] ?? '']) {
      const showing = lines.filter((line) => line.includes(secret));
      assert.ok(showing.includes(`::add-mask::${secret}`));
      // Besides, a key is masked as a whole.
      for (const line of showing) assert.match(line, /^::add-mask::/);
    }
    const first = lines.findIndex((line) => !line.startsWith('::add-mask::'));
    assert.ok(lines.indexOf(`::add-mask::${s3.secretAccessKey}`) < first);
    assert.match(ended.stdout, /^::notice::Dry run/m);
    await assertNothingStored(scene.client, scene.bucket);
  });

  test('fails with one annotation that says what to do', async () => {
    const ended = await step({ database: 'none' });
    assert.equal(ended.exitCode, 1);
    const errors = ended.stdout.match(/^::error::.*$/gm);
    assert.equal(errors?.length, 1);
    assert.match(errors[0], /^::error::Database does not exist: none .*%0ACheck the input database/);
    assert.equal((await readFile(file('output'), 'utf8')).trim(), '');
    const summary = await readFile(file('summary'), 'utf8');
    assert.match(summary, /^\n### ❌ Database does not exist: none/);
    assert.match(summary, />What to do<\/th><td>Check the input database/);
    assert.match(summary, />Left as it was<\/th><td>No backup was made/);
    await assertNothingStored(scene.client, scene.bucket);
    await assertNothingRuns(scene.ssh, scene.sandbox.postgres, scene.odoo.database);
  });
});
