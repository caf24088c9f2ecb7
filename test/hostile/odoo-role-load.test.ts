import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';
import { psql } from '../support/postgres.ts';
import { createRole, type OwnRole } from '../support/roles.ts';

/**
 * Functions that have the server write a file, as only a superuser can: what makes an index is IMMUTABLE, and calls
 * what is not.
 */
const planted = (witness: string): string => `
  CREATE FUNCTION public.act() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    BEGIN PERFORM pg_catalog.set_config('role', 'none', false); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN PERFORM pg_catalog.set_config('session_authorization', 'default', false); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE 'COPY (SELECT 1) TO ''${witness}'''; EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN true;
  END $$;
  CREATE FUNCTION public.sane(a int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RETURN public.act(); END';
  CREATE FUNCTION public.value() RETURNS int LANGUAGE sql AS 'SELECT public.sane(1)::int';
  CREATE TABLE checked (a int CHECK (public.sane(a)), b int DEFAULT public.value());
  CREATE TABLE generated (a int, b int GENERATED ALWAYS AS (public.sane(a)::int) STORED);
  CREATE TABLE indexed (a int);
  INSERT INTO checked SELECT i FROM generate_series(1, 10) i;
  INSERT INTO generated SELECT i FROM generate_series(1, 10) i;
  INSERT INTO indexed SELECT i FROM generate_series(1, 10) i;
  CREATE INDEX indexed_sane ON indexed (public.sane(a));
  CREATE STATISTICS indexed_more ON (public.sane(a)), a FROM indexed;
  CREATE MATERIALIZED VIEW sane_ones AS SELECT a FROM indexed WHERE public.sane(a);
  CREATE FUNCTION public.on_change() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM public.sane(1); RETURN NEW; END';
  CREATE TRIGGER changed BEFORE INSERT OR UPDATE ON ir_config_parameter FOR EACH ROW EXECUTE FUNCTION public.on_change();
  ALTER TABLE ir_config_parameter ENABLE ALWAYS TRIGGER changed`;

suite('what Odoo’s role has put into its database', { concurrency: false }, () => {
  let scene: CopyScene;
  let witness = '';
  let superuser: OwnRole;
  let resources: AsyncDisposableStack;
  before(async () => {
    await using opened = new AsyncDisposableStack();
    scene = await CopyScene.open();
    superuser = opened.use(await createRole(scene.odoo.scene.sandbox, 'super', 'SUPERUSER'));
    opened.use(scene);
    // The server writes it where it may write.
    witness = `${scene.odoo.scene.sandbox.postgres.socket}/data/witness_${process.pid}`;
    await psql(scene.odoo.scene.sandbox.postgres, scene.odoo.database, planted(witness), 'odoo');
    resources = opened.move();
  });
  after(() => resources?.disposeAsync());

  const notRun = () => assert.ok(!existsSync(witness), 'a function of Odoo’s role ran as a superuser');

  test('runs as a superuser where a superuser loads it: the trap works', async () => {
    const { postgres } = scene.odoo.scene.sandbox;
    await psql(postgres, scene.odoo.database, 'SELECT public.sane(1)');
    assert.ok(existsSync(witness));
    await rm(witness);
  });

  for (const format of ['custom', 'odoo', 'directory'] as const) {
    test(`format ${format}, with db-user: admin: backed up, rolled back and copied without a superuser’s rights`, async () => {
      const asAdmin = { 'db-user': 'admin' };
      const { outputs } = await scene.odoo.succeeds('backup', { ...asAdmin, format });
      notRun();
      await scene.odoo.succeeds('rollback', { ...asAdmin, backup: outputs.key });
      notRun();
      await scene.restore(`copy_${format}`, { ...asAdmin, backup: outputs.key });
      notRun();
      const owners = `SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname IN ('checked', 'res_users')
        UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()`;
      for (const name of [scene.odoo.database, scene.named(`copy_${format}`)]) {
        assert.equal(await scene.sql(owners, name), 'odoo');
      }
    });
  }

  test('with an admin role beside Odoo’s, likewise', async () => {
    const inputs = { 'db-admin-user': 'admin' };
    const { outputs } = await scene.odoo.succeeds('backup');
    await scene.odoo.succeeds('rollback', { ...inputs, backup: outputs.key });
    await scene.restore('beside', { ...inputs, backup: outputs.key });
    notRun();
  });

  test('is restored for a test by another role than the superuser of the server', async () => {
    const { outputs } = await scene.odoo.succeeds('backup');
    const { admin, port } = scene.odoo.scene.sandbox.postgres;
    for (const place of [
      'runner',
      'host',
      `postgres://${admin.name}:${admin.password}@127.0.0.1:${port}/postgres`,
    ]) {
      const inputs = { verify: 'restore', backup: outputs.key, 'db-user': 'admin' };
      const env = { ODOO_BACKUP_RESTORE_TEST: place };
      const { exitCode, log } = await scene.odoo.run('verify', inputs, env);
      assert.equal(exitCode, 0, log);
      notRun();
    }
    const left = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'odoo_backup_test_%'";
    assert.equal(await scene.sql(left, 'postgres'), '0');
  });

  test('is not loaded where its owner cannot log in: told before anything is touched, and what to set', async () => {
    const { outputs } = await scene.odoo.succeeds('backup');
    const { database } = scene.odoo;
    const owner = `nologin_${process.pid}`;
    // pg_ident.conf lets nobody in as this role.
    await scene.sql(`CREATE ROLE ${owner} LOGIN; ALTER DATABASE "${database}" OWNER TO ${owner}`);
    try {
      const words = [
        new RegExp(`would be loaded as admin, a superuser, and not as ${owner}`),
        new RegExp(`set db-user to ${owner} and db-password`),
        new RegExp(`local all ${owner} peer`),
        /Nothing was changed/,
      ];
      const inputs = { 'db-user': 'admin', backup: outputs.key };
      await scene.refuses([
        { command: 'rollback', inputs, words },
        { command: 'rollback', inputs: { ...inputs, 'dry-run': 'true' }, words },
      ]);
      notRun();
    } finally {
      await scene.sql(`ALTER DATABASE "${database}" OWNER TO odoo; DROP ROLE ${owner}`, 'postgres');
    }
  });

  test('whose database belongs to a superuser: Odoo’s own role loads it', async () => {
    const { outputs } = await scene.odoo.succeeds('backup');
    const { database } = scene.odoo;
    await scene.sql(`ALTER DATABASE "${database}" OWNER TO "${superuser.name}"; GRANT CREATE ON DATABASE "${database}" TO odoo;
      GRANT ALL ON SCHEMA public TO odoo`);
    try {
      const run = await scene.odoo.run('rollback', { 'db-user': 'admin', backup: outputs.key });
      notRun();
      assert.match(run.log, run.exitCode === 0 ? /\/web\/login answers 200/ : /permission denied|may not/);
    } finally {
      await scene.sql(`ALTER DATABASE "${database}" OWNER TO odoo`);
    }
  });

  test('a dump of nobody knows whom is loaded likewise', async () => {
    for (const [name, option] of [
      ['own.dump', '--format=custom'],
      ['own.sql', '--format=plain'],
    ] as const) {
      const backup = await scene.put(name, await readFile(await scene.dump(name, option)));
      const inputs = { backup, 'allow-unverified': 'true', filestore: 'false', 'db-user': 'admin' };
      await scene.restore(name.replace('.', '_'), inputs);
      notRun();
    }
  });
});
