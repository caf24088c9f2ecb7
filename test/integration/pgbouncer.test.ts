import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startPgbouncer } from '../support/pgbouncer.ts';
import { RollbackScene } from '../support/rollback-scene.ts';

suite('PostgreSQL behind pgbouncer', () => {
  let odoo: RollbackScene;
  before(async () => {
    odoo = await RollbackScene.open();
  });
  after(() => odoo?.[Symbol.asyncDispose]());

  const quick = { format: 'custom', filestore: 'false' } as const;
  const through = ({ host, port }: { readonly host: string; readonly port: number }) => ({
    'db-host': host,
    'db-port': String(port),
  });

  test('that gives each transaction another connection is refused as well', async () => {
    const turns = { pool_mode: 'transaction', server_round_robin: '1', min_pool_size: '7' };
    await using pooler = await startPgbouncer(odoo.scene.sandbox, turns);
    const { exitCode, log } = await odoo.run('backup', { ...quick, ...through(pooler) });
    assert.equal(exitCode, 1, log);
    assert.match(log, /a connection pooler that shares one connection between several clients/);
  });

  for (const ignored of ['extra_float_digits', 'extra_float_digits, options']) {
    test(`that shares connections is refused, and told how to help; ignores ${ignored}`, async () => {
      const options = { pool_mode: 'transaction', ignore_startup_parameters: ignored };
      await using pooler = await startPgbouncer(odoo.scene.sandbox, options);
      const { exitCode, log } = await odoo.run('backup', { ...quick, ...through(pooler) });
      assert.equal(exitCode, 1, log);
      assert.match(
        log,
        /a connection pooler that shares one connection between several clients \(pool_mode = transaction\)/,
      );
      assert.match(log, /Set db-host and db-port to the PostgreSQL server itself/);
      assert.doesNotMatch(log, /\n\s+at .*\.(?:ts|mjs):/, 'a stack trace is no message for a person');
    });

    test(`that keeps them is good for a backup, and for no rollback; ignores ${ignored}`, async () => {
      const options = { pool_mode: 'session', ignore_startup_parameters: ignored };
      await using pooler = await startPgbouncer(odoo.scene.sandbox, options);
      await odoo.succeeds('backup', { ...quick, ...through(pooler) });
      const { exitCode, log } = await odoo.run('rollback', { 'dry-run': 'true', ...through(pooler) });
      assert.equal(exitCode, 1, log);
      assert.match(log, /reached through a connection pooler such as pgbouncer: no dump can be loaded/);
    });
  }
});
