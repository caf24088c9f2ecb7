import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';
import { PLANTED_OBJECTS, plantedIndex, plantedNames, plantedView } from '../support/planted-names.ts';
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
    await asOdoo(PLANTED_OBJECTS);
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

  /** As an admin does it by hand, under another name than the psql of tests. */
  const careless = (statement: string, database?: string) =>
    scene.sql(`SET application_name = 'careless'; ${statement}`, database);

  const assertNotSprung = async (command: string) => {
    const sprung = existsSync(witness) ? await readFile(witness, 'utf8') : '';
    assert.equal(sprung, '', `${command} ran code of Odoo's role as a superuser`);
  };

  test('spring where a superuser is careless: so this test would see it', async () => {
    await careless("SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_'");
    assert.match(await readFile(witness, 'utf8'), /operator name !~/);
    await rm(witness);
    await careless('SELECT count(*) FROM public.res_users');
    assert.match(await readFile(witness, 'utf8'), /index res_users/);
    await rm(witness);
    await careless('SELECT datname FROM pg_database', 'postgres');
    assert.match(await readFile(witness, 'utf8'), /table pg_database/);
    await rm(witness);
    await careless(`SELECT count(*) FROM public.ir_module_module WHERE planted_state = 'installed'::text;
      SELECT planted_state::text FROM public.ir_module_module;
      ANALYZE public.res_partner;
      BEGIN; UPDATE public.res_users SET login = login, planted_default = DEFAULT, planted_domain = DEFAULT; UPDATE public.ir_config_parameter SET value = value; UPDATE public.res_partner SET name = name; ROLLBACK`);
    const sprung = await readFile(witness, 'utf8');
    for (const what of [
      ...['cast to text', 'operator of a type', 'default', 'check of a domain', 'generated column', 'check'],
      ...['rule', 'trigger'],
    ]) {
      assert.match(sprung, new RegExp(what));
    }
    await rm(witness);
  });

  test('are no event triggers: those are for superusers alone', async () => {
    await asOdoo(`CREATE FUNCTION public.on_event() RETURNS event_trigger LANGUAGE plpgsql AS $f$
      BEGIN PERFORM public.spring('event trigger'); END $f$`);
    await assert.rejects(
      asOdoo('CREATE EVENT TRIGGER planted ON ddl_command_start EXECUTE FUNCTION public.on_event()'),
      /permission denied to create event trigger/,
    );
  });

  const admin = { 'db-admin-user': 'admin' };
  for (const [title, command, inputs] of [
    ['a backup', 'backup', {}],
    ['a backup by a superuser', 'backup', { 'db-user': 'admin' }],
    ['a dry run of a rollback', 'rollback', { ...admin, 'dry-run': 'true' }],
    ['a rollback', 'rollback', { ...admin, backup: 'latest' }],
    ['a rollback of a rollback', 'rollback', { ...admin, backup: 'latest' }],
    [
      'a backup that counts all tables by a superuser',
      'backup',
      { 'db-user': 'admin', 'count-tables': 'all' },
    ],
    ['a verification of contents', 'verify', { verify: 'contents' }],
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

  test('are not taken in a database that belongs to a superuser, and its tables to the role of Odoo', async () => {
    const { database } = scene.odoo;
    await scene.sql(
      `ALTER DATABASE "${database}" OWNER TO admin; GRANT ALL ON DATABASE "${database}" TO odoo`,
    );
    try {
      const { log } = await scene.odoo.succeeds('backup', { 'db-user': 'admin' });
      await assertNotSprung(log);
    } finally {
      await scene.sql(`ALTER DATABASE "${database}" OWNER TO odoo`, 'postgres');
    }
  });

  // The rollback at the end of each makes it a table again.
  for (const table of ['ir_config_parameter', 'ir_attachment', 'ir_module_module']) {
    test(`are not taken where the table ${table} is a view`, async () => {
      await asOdoo(plantedView(table));
      for (const [command, inputs] of [
        ['backup', { 'db-user': 'admin' }],
        ['rollback', { ...admin, 'dry-run': 'true' }],
      ] as const) {
        const { log } = await scene.odoo.run(command, inputs);
        await assertNotSprung(log);
        assert.doesNotMatch(log, /\n\s+at .*\.(?:ts|mjs):/, 'a stack trace is no message for a person');
      }
      const { log } = await scene.odoo.succeeds('rollback', { ...admin, backup: 'latest' });
      await assertNotSprung(log);
      await asOdoo(`ALTER DATABASE "${scene.odoo.database}" SET search_path = evil, public, pg_catalog`);
    });
  }
});
