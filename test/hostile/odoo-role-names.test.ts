import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';
import { plantedIndex, plantedNames } from '../support/planted-names.ts';
import { psql } from '../support/postgres.ts';

/** What Odoo's role has planted in its database, and everybody in the maintenance database. */
suite('names that the role of Odoo has planted', () => {
  let scene: CopyScene;
  const witness = join(tmpdir(), `odoo-role-names-${process.pid}`);
  const asOdoo = (statement: string, database = scene.odoo.database) =>
    psql(scene.odoo.scene.sandbox.postgres, database, statement, 'odoo');

  before(async () => {
    scene = await CopyScene.open();
    const { database } = scene.odoo;
    await asOdoo(`CREATE SCHEMA evil; ${plantedNames('evil', witness)} ${plantedNames('public', witness)}`);
    // The planner evaluates these for whoever asks, of tables that every backup reads.
    await asOdoo(
      ['res_users', 'ir_module_module', 'ir_attachment', 'ir_config_parameter']
        .map((table) => plantedIndex(table))
        .join('\n'),
    );
    await asOdoo(`ALTER DATABASE "${database}" SET search_path = evil, public, pg_catalog`);
    // As servers have it that began before PostgreSQL 15.
    await scene.sql('GRANT CREATE ON SCHEMA public TO PUBLIC', 'postgres');
    await asOdoo(plantedNames('public', witness), 'postgres');
    await scene.sql('ALTER DATABASE postgres SET search_path = public, pg_catalog', 'postgres');
  });
  after(async () => {
    await rm(witness, { force: true });
    if (!scene) return;
    await scene.sql('ALTER DATABASE postgres RESET search_path', 'postgres');
    await scene.sql('DROP OWNED BY odoo CASCADE; REVOKE CREATE ON SCHEMA public FROM PUBLIC', 'postgres');
    await scene[Symbol.asyncDispose]();
  });

  const assertNotSprung = async (command: string) => {
    const sprung = existsSync(witness) ? await readFile(witness, 'utf8') : '';
    assert.equal(sprung, '', `${command} ran code of Odoo's role as a superuser`);
  };

  test('spring where a superuser is careless: so this test would see it', async () => {
    await scene.sql("SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_'");
    assert.match(await readFile(witness, 'utf8'), /operator name !~/);
    await rm(witness);
    await scene.sql('SELECT count(*) FROM public.res_users');
    assert.match(await readFile(witness, 'utf8'), /index res_users/);
    await rm(witness);
    await scene.sql('SELECT datname FROM pg_database', 'postgres');
    assert.match(await readFile(witness, 'utf8'), /table pg_database/);
    await rm(witness);
  });

  const admin = { 'db-admin-user': 'admin' };
  for (const [title, command, inputs] of [
    ['a backup', 'backup', {}],
    ['a backup by a superuser', 'backup', { 'db-user': 'admin' }],
    ['a dry run of a rollback', 'rollback', { ...admin, 'dry-run': 'true' }],
    ['a rollback', 'rollback', { ...admin, backup: 'latest' }],
    ['a rollback of a rollback', 'rollback', { ...admin, backup: 'latest' }],
  ] as const) {
    test(`are not taken by ${title}`, async () => {
      const { log } = await scene.odoo.succeeds(command, inputs);
      await assertNotSprung(log);
    });
  }

  test('are not taken by a copy', async () => {
    const { log } = await scene.restore('copy', admin);
    await assertNotSprung(log);
  });

  test('are not taken by a restore test', async () => {
    const { log } = await scene.odoo.succeeds('verify', {
      verify: 'restore',
      'restore-test': 'host',
      ...admin,
    });
    await assertNotSprung(log);
  });
});
