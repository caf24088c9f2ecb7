import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { AgeKeys } from '../support/age-keys.ts';
import type { Start, WorkflowRun } from '../support/github-runner.ts';
import { createOdoo, type Odoo } from '../support/odoo.ts';
import { dropDatabase } from '../support/postgres.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { listKeys } from '../support/s3.ts';
import { results, WorkflowRuns } from '../support/workflow-runs.ts';

/** What a reader fills in, for this bucket and, unless it is another command's, this host. */
function filledIn(scene: RollbackScene, command = 'backup'): Record<string, string> {
  const { ssh, odoo, sandbox, bucket } = scene.scene;
  const all = { 's3-bucket': bucket, 's3-endpoint': sandbox.s3.endpoint, customer: 'acme' };
  if (['gate', 'verify'].includes(command)) return all;
  const host = {
    'ssh-host': `${ssh.user}@${ssh.host}`,
    'ssh-port': String(ssh.port),
    'odoo-conf': odoo.conf,
  };
  if (command === 'backup') return { ...all, ...host };
  if (command === 'rehearse') {
    const start = `python3 '${odoo.dataDir}/odoo.py' "$ODOO_RC"`;
    const migration = 'psql -X -q -c "UPDATE res_partner SET ref = id"';
    return {
      ...all,
      ...host,
      'rehearse-command': migration,
      'rehearse-start': start,
      'rehearse-checks': '',
    };
  }
  const { stopCommand, startCommand } = scene.server;
  return { ...all, ...host, services: '', 'stop-command': stopCommand, 'start-command': startCommand };
}

// Three chains side by side, each with an Odoo of its own.
suite('workflows, run as GitHub runs them', { concurrency: true }, () => {
  suite('to copy, around a deploy', { concurrency: false }, () => {
    let scene: RollbackScene;
    let workflows: WorkflowRuns;
    before(async () => {
      scene = await RollbackScene.open();
      workflows = await WorkflowRuns.of(scene.scene);
    });
    after(() => scene?.[Symbol.asyncDispose]());
    const fill = (command?: string) => filledIn(scene, command);
    const run = (name: string, more: Partial<Start> = {}): Promise<WorkflowRun> =>
      workflows.run(name, { with: fill, ...more });
    const healthy = { Deploy: 'true', Health: 'true', 'Put the old code back': 'true' };

    test('backup-before-deploy hands the deploy the archive', async () => {
      const ended = await run('backup-before-deploy');
      assert.deepEqual(results(ended), { backup: 'success', deploy: 'success' }, ended.log);
      const archive = (await listKeys(scene.scene.client, scene.scene.bucket)).find((each) =>
        each.endsWith('.zip'),
      );
      assert.match(ended.jobs.deploy?.log ?? '', new RegExp(`the way back is s3://.*/${archive}\n`));
      const { backup } = ended.jobs;
      assert.ok(backup);
      const rerun = await run('backup-before-deploy', { earlier: { backup } });
      assert.equal(rerun.jobs.deploy?.result, 'failure', rerun.log);
    });

    test('safe-deploy deploys what is backed up, and asks for health', async () => {
      const ended = await run('safe-deploy', { runs: healthy });
      const done = { backup: 'success', gate: 'success', deploy: 'success', rollback: 'skipped' };
      assert.deepEqual(results(ended), done, ended.log);
      assert.match(
        ended.jobs.gate?.log ?? '',
        new RegExp(`✅ The gate is open: ${scene.database} has a backup`),
      );
    });

    test('safe-deploy rolls a deploy that fails back to its own backup, if asked to', async () => {
      const then = await scene.snapshot();
      const damage = { ...healthy, Health: 'curl --fail --silent http://127.0.0.1:1/web/health' };
      const unasked = await run('safe-deploy', { runs: damage });
      const failed = { backup: 'success', gate: 'success', deploy: 'failure', rollback: 'skipped' };
      assert.deepEqual(results(unasked), failed, unasked.log);

      // Its backup lacks what has been entered since: neither a deploy nor a rollback may trust in it.
      const { backup, gate, deploy } = unasked.jobs;
      assert.ok(backup && gate && deploy);
      const trusting = { ...backup, outputs: { ...backup.outputs, rollback: 'true' } };
      const again = { runs: { ...damage, Deploy: 'echo deploying' } };
      const rerun = await run('safe-deploy', { ...again, earlier: { backup: trusting, gate } });
      assert.deepEqual(results(rerun), failed, rerun.log);
      assert.match(
        rerun.jobs.deploy?.log ?? '',
        /^::error::Re-run all jobs: the backup is of an earlier attempt.*\n$/,
      );
      // A rollback that has failed may be tried again.
      const retried = await run('safe-deploy', { ...again, earlier: { backup: trusting, gate, deploy } });
      assert.deepEqual(results(retried), { ...failed, rollback: 'success' }, retried.log);

      const during = {
        workflowEnv: { ROLLBACK_ON_FAILURE: 'true' },
        after: { deploy: () => scene.damage() },
      };
      const asked = await run('safe-deploy', { runs: damage, ...during });
      assert.deepEqual(results(asked), { ...failed, rollback: 'success' }, asked.log);
      const now = await scene.snapshot();
      assert.equal(now.sql, then.sql);
      assert.deepEqual(now.files, then.files);
    });

    test('rehearse-before-deploy deploys only what works on a copy of its own backup', async () => {
      const then = await scene.snapshot();
      const runs = { 'Bring the new code to the host, beside the code in use': 'true', Deploy: 'true' };
      const ended = await run('rehearse-before-deploy', { runs });
      assert.deepEqual(
        results(ended),
        { backup: 'success', rehearse: 'success', deploy: 'success' },
        ended.log,
      );
      assert.match(ended.jobs.rehearse?.log ?? '', new RegExp(`${scene.database}: the rehearsal works: `));
      const broken = (command?: string) =>
        command === 'rehearse' ? { ...fill(command), 'rehearse-command': 'exit 3' } : fill(command);
      const failed = await workflows.run('rehearse-before-deploy', { with: broken, runs });
      assert.deepEqual(
        results(failed),
        { backup: 'success', rehearse: 'failure', deploy: 'skipped' },
        failed.log,
      );
      assert.deepEqual(await scene.snapshot(), then);
    });
  });

  // Some of these name their database.
  suite('to copy', { concurrency: false }, () => {
    let scene: RollbackScene;
    let workflows: WorkflowRuns;
    before(async () => {
      scene = await RollbackScene.open({}, 'shop');
      workflows = await WorkflowRuns.of(scene.scene);
    });
    after(() => scene?.[Symbol.asyncDispose]());
    const fill = (command?: string) => filledIn(scene, command);
    const run = (name: string, more: Partial<Start> = {}): Promise<WorkflowRun> =>
      workflows.run(name, { with: fill, ...more });

    test('nightly-backup restores the backup for a test, and prunes', async () => {
      const ended = await run('nightly-backup');
      assert.deepEqual(results(ended), { backup: 'success' }, ended.log);
      assert.match(ended.log, />Verified<\/th><td>restore: restored in /);
      assert.match(ended.log, />Retention<\/th><td>\d+ backups? kept/);
    });

    test('backup-monitor and verify-backups look at what is there', async () => {
      await scene.succeeds('backup');
      for (const [name, job] of [
        ['backup-monitor', 'gate'],
        ['verify-backups', 'verify'],
      ] as const) {
        const ended = await run(name);
        assert.deepEqual(results(ended), { [job]: 'success' }, ended.log);
      }
    });

    test('restore-proof restores the newest backup, which the gate then lets pass', async () => {
      await scene.succeeds('backup');
      const ended = await run('restore-proof', { secrets: { RESTORE_PING_URL: '' } });
      assert.deepEqual(results(ended), { restore: 'success', gate: 'success' }, ended.log);
      assert.match(ended.jobs.gate?.log ?? '', />Verified<\/th><td>restore/);
    });

    test('rollback shows the plan, and carries it out once it is confirmed', async () => {
      const then = await scene.snapshot();
      await scene.succeeds('backup');
      await scene.damage();
      const inputs = { backup: 'latest', confirm: '' };
      const shown = await run('rollback', { inputs });
      assert.deepEqual(results(shown), { plan: 'success', apply: 'skipped' }, shown.log);
      assert.match(shown.jobs.plan?.log ?? '', /The plan: shop of /);
      const mistaken = await run('rollback', { inputs: { ...inputs, confirm: 'shpo' } });
      assert.deepEqual(results(mistaken), { plan: 'failure', apply: 'skipped' }, mistaken.log);
      const applied = await run('rollback', { inputs: { ...inputs, confirm: 'shop' } });
      assert.deepEqual(results(applied), { plan: 'success', apply: 'success' }, applied.log);
      const now = await scene.snapshot();
      assert.equal(now.sql, then.sql);
      assert.deepEqual(now.files, then.files);
    });

    test('fleet-backup backs up every database of an inventory, in a job of its own', async (t) => {
      const { ssh, odoo, sandbox, bucket, client } = scene.scene;
      const other = await createOdoo(sandbox);
      t.after(() => other[Symbol.asyncDispose]());
      const host = ({ database, conf }: Odoo) => ({
        ansible_host: ssh.host,
        ansible_port: ssh.port,
        ansible_user: ssh.user,
        dbname: database,
        odoo_conf: conf,
      });
      const all = {
        vars: { odoo_backup_customer: '{{ inventory_hostname }}' },
        children: { shops: { hosts: { one: host(odoo), two: host(other) } } },
        hosts: { proxy: null },
      };
      const settings = { 's3-bucket': bucket, 's3-endpoint': sandbox.s3.endpoint };
      const fleet = {
        files: { 'hosts.yml': JSON.stringify({ all }) },
        with: (command = 'backup'): Record<string, string> => (command === 'backup' ? settings : {}),
      };
      const ended = await run('fleet-backup', { ...fleet, inputs: { limit: 'all' } });
      assert.deepEqual(results(ended), { hosts: 'success', backup: 'success' }, ended.log);
      const archives = async () =>
        (await listKeys(client, bucket)).filter((key) => /^(one|two)\/.*\.zip$/.test(key));
      assert.deepEqual(
        (await archives()).map((key) => key.replace(/_\d{4}-.*/, '')),
        [`one/backups/${odoo.database}`, `two/backups/${other.database}`],
      );
      const limited = await run('fleet-backup', { ...fleet, inputs: { limit: 'shops,!one' } });
      assert.deepEqual(results(limited), { hosts: 'success', backup: 'success' }, limited.log);
      assert.equal((await archives()).length, 3);
    });

    test('staging-refresh makes a neutral copy', async (t) => {
      t.after(() => dropDatabase(scene.scene.sandbox.postgres, 'staging'));
      await scene.succeeds('backup');
      const ended = await run('staging-refresh');
      assert.deepEqual(results(ended), { restore: 'success' }, ended.log);
      const neutral = "SELECT value FROM ir_config_parameter WHERE key = 'database.is_neutralized'";
      assert.match(await scene.sql(neutral, 'staging'), /^true$/i);
      // Odoo's own server for mail that goes nowhere.
      assert.equal(
        await scene.sql('SELECT smtp_host FROM ir_mail_server WHERE active', 'staging'),
        'invalid',
      );
    });
  });

  suite('to call', { concurrency: false }, () => {
    let scene: RollbackScene;
    let workflows: WorkflowRuns;
    before(async () => {
      scene = await RollbackScene.open();
      workflows = await WorkflowRuns.of(scene.scene);
    });
    after(() => scene?.[Symbol.asyncDispose]());
    const fill = (command?: string) => filledIn(scene, command);
    const call: WorkflowRuns['call'] = (...args) => workflows.call(...args);

    test('odoo-backup and odoo-verify, called, hand on what they have made', async () => {
      const made = await call('odoo-backup', { ...fill('backup'), verify: 'upload', prune: false });
      assert.deepEqual(results(made), { backup: 'success' }, made.log);
      assert.match(made.outputs.key ?? '', new RegExp(`^acme/backups/${scene.database}_.*\\.zip$`));
      assert.equal(made.outputs.database, scene.database);
      const verified = await call('odoo-verify', { ...fill('verify'), backup: made.outputs.key ?? '' });
      assert.deepEqual(results(verified), { verify: 'success' }, verified.log);
    });

    test('odoo-backup, odoo-verify and odoo-rollback, called, of an encrypted backup', async () => {
      using keys = new AgeKeys();
      const key = keys.newKey();
      const secrets = { ...workflows.secrets(), ODOO_AGE_IDENTITY: key.text };
      const sealed = { ...fill('backup'), prune: false, 'encrypt-to': key.recipient };
      const made = await call('odoo-backup', sealed, { secrets });
      assert.deepEqual(results(made), { backup: 'success' }, made.log);
      const backup = made.outputs.key ?? '';
      const without = await call('odoo-verify', { ...fill('verify'), backup });
      assert.deepEqual(results(without), { verify: 'failure' }, without.log);
      assert.match(without.log, /is sealed for age1\w+: without an identity it cannot be opened/);
      const verified = await call('odoo-verify', { ...fill('verify'), backup }, { secrets });
      assert.deepEqual(results(verified), { verify: 'success' }, verified.log);
      const planned = await call('odoo-rollback', { ...fill('rollback'), backup }, { secrets });
      assert.equal(results(planned).plan, 'success', planned.log);
      for (const { log } of [made, verified, planned]) assert.ok(!log.includes(key.identity));
    });

    test('odoo-deploy, called, runs the deploy, and what puts it back', async () => {
      const { services: _, ...inputs } = fill('rollback');
      const then = await scene.snapshot();
      const asked = { ...inputs, verify: 'upload', rollback: true };
      const commands = {
        'deploy-command': 'echo "way back: $BACKUP_URI"; false',
        'undo-command': 'echo old code',
      };
      const ended = await call(
        'odoo-deploy',
        { ...asked, ...commands },
        { after: { deploy: () => scene.damage() } },
      );
      const expected = { backup: 'success', gate: 'success', deploy: 'failure', rollback: 'success' };
      assert.deepEqual(results(ended), expected, ended.log);
      assert.match(ended.jobs.deploy?.log ?? '', new RegExp(`way back: s3://.*/${ended.outputs.key}\n`));
      assert.match(ended.jobs.rollback?.log ?? '', /^old code\n/);
      assert.equal((await scene.snapshot()).sql, then.sql);

      const { backup, gate } = ended.jobs;
      assert.ok(backup && gate);
      const rerun = await call('odoo-deploy', { ...asked, ...commands }, { earlier: { backup, gate } });
      assert.deepEqual(results(rerun), { ...expected, rollback: 'skipped' }, rerun.log);
      assert.match(rerun.jobs.deploy?.log ?? '', /^::error::Re-run all jobs.*\n$/);
    });

    test('odoo-rollback, called, does it where the confirmation is the name of the database', async () => {
      const { services: _, ...inputs } = fill('rollback');
      const { database } = scene;
      await scene.succeeds('backup');
      const shown = await call('odoo-rollback', { ...inputs, database });
      assert.deepEqual(results(shown), { plan: 'success', apply: 'skipped' }, shown.log);
      const applied = await call('odoo-rollback', { ...inputs, database, confirm: database });
      assert.deepEqual(results(applied), { plan: 'success', apply: 'success' }, applied.log);
      assert.equal(applied.outputs.key, shown.outputs.key);
    });

    test('odoo-restore, called, makes a neutral copy', async (t) => {
      const { services: _, ...inputs } = fill('restore');
      const { database } = scene;
      const copy = `${database}_copy`;
      t.after(() => dropDatabase(scene.scene.sandbox.postgres, copy));
      await scene.succeeds('backup');
      const ended = await call('odoo-restore', { ...inputs, database, 'target-database': copy });
      assert.deepEqual(results(ended), { restore: 'success' }, ended.log);
      const neutral = "SELECT value FROM ir_config_parameter WHERE key = 'database.is_neutralized'";
      assert.match(await scene.sql(neutral, copy), /^true$/i);
    });
  });
});
