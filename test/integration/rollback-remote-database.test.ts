import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { outputsOf } from '../support/backup-run.ts';
import { holdDump } from '../support/hold-dump.ts';
import type { OdooState } from '../support/odoo-server.ts';
import { psql } from '../support/postgres.ts';
import { commandLines } from '../support/processes.ts';
import { RollbackScene, type Snapshot } from '../support/rollback-scene.ts';
import { useSandbox } from '../support/sandbox.ts';

/** 127.0.0.1, written so that nobody takes it for the host itself: to the program this is another machine. */
const ANOTHER_MACHINE = '127.1';

suite('an Odoo whose database is on another machine, reached with a password', { concurrency: false }, () => {
  const server = useSandbox().postgres;
  const { odoo, port } = server;
  let scene: RollbackScene;
  let then: Snapshot;
  let odooThen: OdooState | undefined;
  let key = '';
  before(async () => {
    scene = await RollbackScene.open({ db_host: ANOTHER_MACHINE, db_password: odoo.password });
    await (await holdDump(server, scene.database))[Symbol.asyncDispose](); // it makes a table
    then = await scene.snapshot();
    odooThen = await scene.server.state();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** Runs a command to its end, and looks all the time whether somebody on the machine could read the password. */
  async function unseen(command: string, meanwhile?: (lines: readonly string[]) => Promise<void>) {
    const run = scene.start(command);
    while (run.child.exitCode === null && run.child.signalCode === null) {
      const lines = await commandLines();
      assert.deepEqual(
        lines.filter((line) => line.includes(odoo.password)),
        [],
      );
      await meanwhile?.(lines);
    }
    const ended = await run.ended;
    assert.equal(ended.exitCode, 0, ended.log);
    assert.ok(!`${ended.log}${ended.stdout}`.includes(odoo.password), ended.log);
    return ended;
  }

  test('is backed up: pg_dump runs on the host of Odoo, and logs in over TCP', async () => {
    await using held = await holdDump(server, scene.database);
    const addresses = `SELECT DISTINCT coalesce(host(client_addr), 'socket') FROM pg_stat_activity
      WHERE datname = '${scene.database}' AND wait_event_type = 'Lock'`;
    let seen = '';
    const ended = await unseen('backup', async (lines) => {
      if (seen !== '' || !lines.some((line) => line.startsWith(`${server.bin}/pg_dump `))) return;
      seen = await psql(server, 'postgres', addresses);
      if (seen !== '') await held[Symbol.asyncDispose]();
    });
    assert.equal(seen, '127.0.0.1');
    key = outputsOf(ended).key ?? '';
    assert.notEqual(key, '');
  });

  test('a dry run says that the space over there is unknown, and guesses none', async () => {
    await scene.damage();
    const before = await scene.traces();
    const { log } = await scene.succeeds('rollback', { 'dry-run': 'true' });
    assert.match(
      log,
      /Space +database about [\d.]+ MiB, on another machine, free space unknown; filestore .* free in \//,
    );
    assert.match(log, /Checked .*odoo may create and rename databases of odoo/);
    assert.deepEqual(await scene.traces(), before);
  });

  test('is rolled back: everything is as it was, and Odoo runs', async () => {
    const { log } = await unseen('rollback');
    assert.match(log, /\/web\/login answers 200/);
    assert.deepEqual(await scene.snapshot(), then);
    assert.deepEqual(await scene.server.state(), odooThen);
  });

  test('is proven by a restore beside it', async () => {
    const { log } = await scene.succeeds('verify', {
      verify: 'restore',
      'restore-test': 'host',
      backup: key,
      'stop-command': '',
      'start-command': '',
    });
    assert.doesNotMatch(log, new RegExp(odoo.password));
  });

  test('a wrong password is told, with what to check, and nothing is touched', async () => {
    const before = await scene.traces();
    for (const command of ['backup', 'rollback']) {
      const { exitCode, log } = await scene.run(command, { 'db-password': 'wrong of odoo' });
      assert.equal(exitCode, 1, log);
      assert.match(
        log,
        new RegExp(`PostgreSQL at ${ANOTHER_MACHINE}:${port} rejected every account and role`),
      );
      assert.match(log, /db_password in odoo\.conf/);
      assert.doesNotMatch(log, /wrong of odoo/);
    }
    assert.deepEqual(await scene.traces(), before);
  });
});
