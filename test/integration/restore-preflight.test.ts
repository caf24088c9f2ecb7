import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';
import { run } from '../support/processes.ts';

/** What a load would fail at is told by the dry run: by the dump's table of contents, and by the host. */
suite('a dry run says no where the run could not be', () => {
  let scene: CopyScene;
  before(async () => {
    scene = await CopyScene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const dryRun = (inputs: Record<string, string> = {}) =>
    scene.odoo.run('rollback', { 'dry-run': 'true', ...inputs });

  test('things that only a superuser may make, and things of other roles; a copy goes without the former', async () => {
    const role = `stranger_${process.pid}`;
    await scene.sql(`CREATE ROLE ${role}; GRANT CREATE, USAGE ON SCHEMA public TO ${role}`);
    try {
      await scene.sql(
        `CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         ALTER FUNCTION on_ddl() OWNER TO odoo;
         CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION on_ddl();
         CREATE PUBLICATION everything FOR ALL TABLES;
         CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER far FOREIGN DATA WRAPPER wrapper;
         CREATE USER MAPPING FOR odoo SERVER far;
         CREATE FUNCTION in_c() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
         CREATE VIEW theirs AS SELECT 1 AS one; ALTER VIEW theirs OWNER TO ${role};
         ALTER DEFAULT PRIVILEGES FOR ROLE ${role} IN SCHEMA public GRANT SELECT ON TABLES TO odoo`,
      );
      const made = await scene.odoo.succeeds('backup', { format: 'custom', filestore: 'false' });
      assert.match(
        made.log,
        /may not be restored as it is, because it contains objects that only a superuser can create: EVENT TRIGGER watcher/,
      );
      const refused = await dryRun();
      assert.equal(refused.exitCode, 1, refused.log);
      for (const what of [
        'EVENT TRIGGER watcher',
        'PUBLICATION everything',
        'SERVER far',
        'FUNCTION public.in_c()',
      ])
        assert.ok(refused.log.includes(what), `${what}: ${refused.log}`);
      assert.match(refused.log, new RegExp(`things of the role ${role}.*GRANT "${role}" TO "odoo"`, 's'));
      const copied = await scene.restore('without', { backup: made.outputs.key ?? '' });
      assert.match(
        copied.log,
        /The copy is made without objects that only a superuser can create: .*EVENT TRIGGER watcher/,
      );
      assert.match(copied.log, /Left out: EVENT TRIGGER watcher: only a superuser can create it/);
    } finally {
      await scene.sql(
        `DROP EVENT TRIGGER watcher; DROP PUBLICATION everything; DROP FOREIGN DATA WRAPPER wrapper CASCADE;
         DROP FUNCTION in_c, on_ddl; DROP VIEW theirs; DROP OWNED BY ${role}; DROP ROLE ${role}`,
      );
    }
  });

  test('slots of logical replication, and a filestore that is a mount', async (t) => {
    const slot = `slot_${process.pid}`;
    await scene.odoo.succeeds('backup');
    await scene.sql(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    const { filestore } = scene.odoo.scene.odoo;
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await run(['mount', '--bind', filestore, filestore]);
    else t.diagnostic('not root: no mount');
    try {
      const { exitCode, log } = await dryRun();
      assert.equal(exitCode, 1, log);
      assert.match(log, new RegExp(`slots belong to the database .*: ${slot}`));
      assert.match(log, /drop-slots: true/);
      if (isRoot) assert.match(log, /is a mount of its own, which cannot be renamed/);
      if (isRoot) await run(['umount', filestore]);
      const allowed = await dryRun({ 'drop-slots': 'true' });
      assert.equal(allowed.exitCode, 0, allowed.log);
      assert.match(allowed.log, new RegExp(`the logical replication slot ${slot} moves with `));
    } finally {
      if (isRoot) await run(['sh', '-c', 'umount "$1" 2>/dev/null; :', 'sh', filestore]);
      await scene.sql(`SELECT pg_drop_replication_slot('${slot}')`);
    }
  });

  test('a dump in custom format that holds no rows', async () => {
    const dump = await readFile(await scene.dump('schema.dump', '--format=custom', '--schema-only'));
    const backup = await scene.put('schema.dump', dump);
    await scene.refuses([
      {
        inputs: { backup, 'allow-unverified': 'true' },
        words: [/not one row, as pg_dump --schema-only writes it/],
      },
    ]);
  });
});
