import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type DeployedScene, openDeployed } from '../support/rollback-scene.ts';

/** Each step fails once, and leaves everything as it was before. */
suite('a rollback whose step fails', () => {
  let scene: DeployedScene;
  before(async () => {
    scene = await openDeployed();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** A shell script on the host that does something first. `$built` is the name of the new database. */
  const script = async (name: string, first: string, then: string) => {
    const path = join(scene.scene.odoo.dataDir, name);
    const { bin, socket, port } = scene.scene.sandbox.postgres;
    await writeFile(
      path,
      `#!/bin/sh
sql() { '${bin}/psql' -XqAt -h '${socket}' -p ${port} -U odoo -d postgres -c "$1"; }
built=$(sql "SELECT datname FROM pg_database WHERE datname LIKE '${scene.database}\\_\\_new\\_%'")
old=$(echo "$built" | sed s/__new_/__old_/)
${first}
exec '${then}'
`,
      { mode: 0o755 },
    );
    return path;
  };

  const fails = async (inputs: Record<string, string>, ...words: readonly RegExp[]) => {
    const before = await scene.traces();
    const { exitCode, log, stdout } = await scene.run('rollback', inputs);
    assert.equal(exitCode, 1, log);
    for (const pattern of words) assert.match(log, pattern);
    assert.equal(stdout, '', 'a failed run has no outputs');
    assert.deepEqual(await scene.traces(), before, log);
    return log;
  };

  test('the comparison: the backup does not hold what was counted', async () => {
    const { objects } = await scene.traces();
    const key = objects.find((each) => each.endsWith('.json')) ?? '';
    const receipt = await scene.receipt(key);
    await scene.putReceipt(key, { ...receipt, counts: { ...receipt.counts, res_users: 4711 } });
    try {
      const log = await fails({}, /not what was backed up: res_users has \d+ rows instead of 4711/);
      assert.doesNotMatch(log, /^Stop Odoo$/m);
    } finally {
      await scene.putReceipt(key, receipt);
    }
  });

  test('the stop', async () => {
    await fails(
      { 'stop-command': await script('stop-fails', 'echo cannot stop >&2; exit 3', '/bin/true') },
      /stop-fails failed on .* \(exit code 3\): cannot stop/,
      /^Start Odoo again, as it was/m,
    );
  });

  test('the swap of the database', async () => {
    // Somebody else has just taken the name that the old one is to have.
    const path = await script(
      'stop-blocks-database',
      'sql "CREATE DATABASE \\"$old\\""',
      scene.server.stopCommand,
    );
    try {
      const { exitCode, log } = await scene.run('rollback', { 'stop-command': path });
      assert.equal(exitCode, 1, log);
      assert.match(log, /The databases could not be renamed: .*already exists/);
      assert.match(log, /^Start Odoo again, as it was/m);
      assert.match(log, /As before the restore: \S+ answers 200/);
    } finally {
      await scene.dropDerived();
    }
    assert.deepEqual((await scene.traces()).databases, [`${scene.database}|t|f|`]);
  });

  test('the swap of the filestore', async () => {
    const parent = join(scene.scene.odoo.filestore, '..');
    const path = await script('stop-blocks-filestore', `: >'${parent}'/"$old"`, scene.server.stopCommand);
    const { exitCode, log } = await scene.run('rollback', { 'stop-command': path });
    assert.equal(exitCode, 1, log);
    assert.match(log, /__old_\d+ is there already/);
    assert.doesNotMatch(log, /Undoing failed/);
    assert.match(log, /^Rename the databases back/m);
    assert.match(log, /As before the restore: \S+ answers 200/);
    await scene.removeBeside(/__old_/);
    const { databases, folders } = await scene.traces();
    assert.deepEqual(
      { databases, folders },
      { databases: [`${scene.database}|t|f|`], folders: [scene.database] },
    );
  });

  test('the start: Odoo runs again as it was', async () => {
    const once = join(scene.scene.odoo.dataDir, 'failed-once');
    const path = await script(
      'start-fails-once',
      `[ -e '${once}' ] || { : >'${once}'; echo the module is broken >&2; exit 1; }`,
      scene.server.startCommand,
    );
    await fails({ 'start-command': path }, /the module is broken/, /As before the restore: \S+ answers 200/);
  });

  test('the health check: Odoo runs again as it was', async () => {
    const once = join(scene.scene.odoo.dataDir, 'idle-once');
    const path = await script(
      'start-idles-once',
      `[ -e '${once}' ] || { : >'${once}'; exit 0; }`,
      scene.server.startCommand,
    );
    await fails(
      { 'start-command': path, 'health-check': 'odoo within 2s' },
      /Odoo is not healthy after [\d.]+ s: .*does not answer/,
      /^Swap the filestore.*^Stop Odoo$.*^Rename the filestores.*^Rename the databases back.*^Start Odoo again/ms,
      /As before the restore: \S+ answers 200/,
    );
  });

  test('has changed nothing in all this', async () => {
    assert.deepEqual(await scene.snapshot(), scene.deployed);
  });

  test('and whose undo fails as well: a person gets the commands', async () => {
    const path = await script('start-fails', 'echo no disk >&2; exit 1', '/bin/true');
    const { exitCode, log } = await scene.run('rollback', { 'start-command': path });
    assert.equal(exitCode, 1, log);
    assert.match(log, /no disk\. Undoing failed as well:\n\s+Start Odoo again, as it was: /);
    assert.match(log, new RegExp(`Run these commands on the host, in this order:\\n\\s+${path}`));
    await scene.server.start();
    assert.deepEqual(await scene.snapshot(), scene.deployed);
  });
});

suite('a rollback where Odoo bears neither the old nor the new', () => {
  test('that is cancelled while Odoo is stopped says how to start it', async () => {
    await using scene = await openDeployed('damage');
    const run = scene.start('rollback');
    await run.says(/^Stop Odoo$/m);
    run.child.kill('SIGTERM');
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 143, log);
    assert.match(log, /Cancelled \(SIGTERM\)\. Undoing failed as well:/);
    assert.match(log, new RegExp(`in this order:\\n\\s+${scene.server.startCommand}`));
    assert.deepEqual(await scene.snapshot(), scene.deployed);
  });
});
