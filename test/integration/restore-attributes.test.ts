import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';

suite('what a database is besides what it holds', () => {
  let scene: CopyScene;
  before(async () => {
    scene = await CopyScene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** Settings, limit of connections, comment. */
  const attributes = (database: string = scene.odoo.database) =>
    scene.sql(
      `SELECT json_build_object('limit', datconnlimit, 'comment', shobj_description(d.oid, 'pg_database'), 'settings',
          (SELECT json_agg(s ORDER BY s) FROM pg_db_role_setting, unnest(setconfig) s WHERE setdatabase = d.oid))
         FROM pg_database d WHERE datname = '${database}'`,
      'postgres',
    );
  const alter = (...clauses: readonly string[]) =>
    scene.sql(
      clauses.map((clause) => `ALTER DATABASE "${scene.odoo.database}" ${clause}`).join('; '),
      'postgres',
    );

  test('settings do not hold for those who build it: one that is read only is copied', async () => {
    await alter(
      'SET default_transaction_read_only TO on',
      "SET statement_timeout TO '20s'",
      'CONNECTION LIMIT 88',
    );
    const content = await scene.content();
    await scene.odoo.succeeds('backup');
    const { log } = await scene.restoreUnchanged('read_only');
    assert.match(log, /^Give the database its settings$/m);
    await scene.assertContent('read_only', content);
    assert.equal(await attributes(scene.named('read_only')), await attributes());
    await alter('RESET ALL', 'CONNECTION LIMIT -1');
  });

  test('a rollback keeps its comment, and puts back its limit of connections', async () => {
    const { odoo } = scene;
    await alter("SET work_mem TO '9MB'", 'CONNECTION LIMIT 77');
    await scene.sql(`COMMENT ON DATABASE "${odoo.database}" IS 'the shop'`, 'postgres');
    const then = await attributes();
    await odoo.succeeds('backup');
    await odoo.change();
    await alter('RESET ALL', 'CONNECTION LIMIT -1');
    await odoo.succeeds('rollback');
    assert.equal(await attributes(), then);
    await odoo.succeeds('rollback', { 'keep-previous': 'always' });
    assert.equal(await attributes(), then);
    const { databases } = await odoo.traces();
    assert.match(
      databases.join('\n'),
      /__old_\d+\|f\|f\|"odoo-backup: replaced [^"]*; keep always\\nthe shop"/,
    );
  });
});
