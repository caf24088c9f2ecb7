import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';
import { MODULES_STATEMENTS, type OdooHost, startOdooHost } from '../support/odoo-program.ts';
import type { Snapshot } from '../support/rollback-scene.ts';

suite('a restore over a database that is there', () => {
  let scene: CopyScene;
  let odooHost: OdooHost;
  let backedUp: Snapshot;
  before(async () => {
    scene = await CopyScene.open();
    const { odoo } = scene;
    odooHost = await startOdooHost(odoo.scene.sandbox, odoo.scene.odoo.conf);
    backedUp = await odoo.snapshot();
    await odoo.succeeds('backup');
    await odoo.change();
    await odoo.server.stop();
    await odoo.server.start();
  });
  after(async () => {
    await odooHost?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  /** Inputs to replace the database that Odoo runs on, which stops for it. */
  const over = () => {
    const { stopCommand, startCommand } = scene.odoo.server;
    return {
      'target-database': scene.odoo.database,
      'stop-command': stopCommand,
      'start-command': startCommand,
    };
  };
  const replacing = () => ({ ...over(), replace: 'true' });
  const uuid = (database?: string) =>
    scene.sql("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'", database);

  test('is refused, unless that is asked for', async () => {
    const words = [
      /target-database: \S+ is there already, with [\d.]+ MiB/,
      /replace: true/,
      /Nothing was changed/,
    ];
    await scene.refuses([
      { inputs: over(), words },
      { inputs: { ...over(), 'dry-run': 'true' }, words },
    ]);
  });

  test('dry, says what would be replaced, and changes nothing', async () => {
    const everything = async () => [
      await scene.odoo.everything(),
      await scene.odoo.traces(),
      await scene.odoo.snapshot(),
    ];
    const before = await everything();
    const { log, outputs } = await scene.odoo.succeeds('restore', { ...replacing(), 'dry-run': 'true' });
    assert.match(log, /Replaces +the database \S+, [\d.]+ MiB; connected now: odoo \(odoo-\d+\)/);
    assert.match(log, /Added since +1 file \(0 B\), not in the backup/);
    assert.match(log, /Filestore +205 files of the backup on the host already, none to be fetched/);
    assert.match(log, /Odoo now +.*\/web\/webclient\/version_info answers 200/);
    assert.match(log, /warning: \S+ has the same name as the backed-up database, and will be neutralized/);
    assert.match(log, /Dry run: \S+ can be restored; nothing was changed/);
    assert.equal(outputs.downtime, undefined);
    assert.deepEqual(await everything(), before);

    const fresh = await scene.odoo.succeeds('restore', {
      'target-database': scene.named('fresh'),
      'dry-run': 'true',
    });
    assert.match(fresh.log, /Replaces +nothing: there is no database \S+_fresh on the host/);
    assert.match(fresh.log, /Filestore +205 files of the backup on the host already, none to be fetched/);
    assert.match(fresh.log, /^ +copied from \S+, if the SHA-1 is right: 205 files \(1\.9 MiB\)$/m);
    assert.match(fresh.log, /Downtime +none: nothing has to stop/);
    assert.deepEqual(await everything(), before);
    assert.equal(
      planOf((await scene.restore('fresh')).log),
      planOf(fresh.log),
      'the real run has the plan of the dry one',
    );
  });

  test('that fails leaves it as it was: before the stop, and after it', async () => {
    await odooHost.prints(MODULES_STATEMENTS.replace('UPDATE ir_cron', '-- '));
    const { port, hostKeys } = odooHost.ssh;
    const byOdoo = { 'ssh-port': String(port), 'ssh-fingerprint': hostKeys.fingerprints.join(' ') };
    await scene.refuses([
      {
        inputs: { ...replacing(), ...byOdoo },
        words: [/The statements that neutralize \S+ fail: .*syntax error/],
      },
    ]);
    const unhealthy = { 'health-check': 'http://127.0.0.1:1/ within 1s' };
    const [ended] = await scene.refuses([
      {
        inputs: { ...replacing(), ...unhealthy },
        words: [/^Rename the databases back$/m, /^Start Odoo again, as it was$/m],
      },
    ]);
    assert.match(ended?.log ?? '', /was not restored: everything is as it was before/);
    assert.equal((await scene.odoo.server.state())?.uuid, await uuid());
  });

  test('keeps it for as long as was asked for, and Odoo runs on the copy', async () => {
    const before = await uuid();
    const changed = await scene.content();
    const { log, outputs } = await scene.odoo.succeeds('restore', { ...replacing(), 'keep-previous': '7' });
    const state = await scene.odoo.server.state();
    assert.notEqual(state?.uuid, before);
    assert.equal(state?.uuid, await uuid());
    assert.ok(Number(outputs.downtime) >= 0);
    assert.match(
      log,
      /^Stop Odoo$.*^Swap the databases, by rename$.*^Swap the filestores, by rename$.*^Start Odoo$/ms,
    );
    assert.equal(await scene.sql('SELECT count(*) FROM ir_cron WHERE active'), '1');
    assert.deepEqual(await scene.odoo.files(), backedUp.files);

    const old =
      /Kept +what was replaced: database and filestore (\S+__old_\d{14}), until /.exec(log)?.[1] ?? '';
    await scene.sql(`ALTER DATABASE "${old}" ALLOW_CONNECTIONS true`, 'postgres');
    const kept = await scene.content(old);
    assert.ok(kept.sql === changed.sql, 'what was replaced has other rows');
    assert.deepEqual(kept.files, changed.files);
  });

  test('and is dropped at once otherwise; Odoo does not stop for a database that it does not run on', async () => {
    const copy = scene.named('fresh');
    const before = [await uuid(copy), await scene.odoo.server.state()] as const;
    await scene.restore('fresh', { replace: 'true' });
    assert.notEqual(await uuid(copy), before[0]);
    assert.deepEqual(await scene.odoo.server.state(), before[1]);
    const { databases, folders } = await scene.odoo.traces();
    const left = [...databases, ...folders].filter((name) => name.startsWith(`${copy}__`));
    assert.deepEqual(left, []);
  });
});

/** The plan that a log tells, the times of the runs apart. */
const planOf = (log: string): string =>
  (/^The plan: .*(?:\n +.*)+/m.exec(log)?.[0] ?? assert.fail(log)).replaceAll(/(?<=__new_)\d{14}/g, '');
