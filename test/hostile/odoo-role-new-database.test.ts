import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { beforePsql } from '../support/before-psql.ts';
import { CopyScene } from '../support/copy-scene.ts';
import { plantedNames } from '../support/planted-names.ts';

/**
 * Odoo's role waits for the database that a restore makes, and is in it before each of the restore's own statements,
 * for as long as the extensions of the backup are not there: what it leaves there, their scripts would meet.
 */
suite('the role of Odoo in a database that is being made', { concurrency: false }, () => {
  let scene: CopyScene;
  let resources: AsyncDisposableStack;
  let folder = '';
  const attempts = () => readFile(join(folder, 'attempts'), 'utf8');
  const witness = () => join(folder, 'witness');

  before(async () => {
    await using opened = new AsyncDisposableStack();
    folder = await mkdtemp(join(tmpdir(), 'new-database-'));
    opened.defer(() => rm(folder, { recursive: true }));
    await chmod(folder, 0o777); // the host's account and the server write to it
    await writeFile(join(folder, 'attempts'), '');
    await chmod(join(folder, 'attempts'), 0o666);
    // Its own table comes last: by that is seen who was there in time.
    const plant = `SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'postgis') AS late \\gset
      \\if :late
        \\quit
      \\endif
      ${plantedNames('public', witness())}
      CREATE TABLE public.was_in_time ();`;
    await writeFile(join(folder, 'plant.sql'), plant);
    const role = '-XAtqw -U odoo -v ON_ERROR_STOP=1';
    const { path } = opened.use(
      await beforePsql(`case $PGDATABASE in *__new_*|*__test_*)
        echo "$PGDATABASE" >>'${folder}/attempts'
        "$psql" ${role} -d postgres -c "ALTER DATABASE \\"$PGDATABASE\\" CONNECTION LIMIT 9"
        "$psql" ${role} -f '${folder}/plant.sql' 2>>'${folder}/attempts';;
      esac`),
    );
    scene = opened.use(await CopyScene.open({}, undefined, { PATH: path }));
    await scene.sql('CREATE EXTENSION postgis; CREATE EXTENSION postgis_topology');
    await scene.odoo.succeeds('backup', { filestore: 'false' });
    resources = opened.move();
  });
  after(() => resources?.disposeAsync());

  const inputs = { backup: 'latest', 'db-admin-user': 'admin', filestore: 'false' };
  const owners = `SELECT extname, pg_get_userbyid(extowner) FROM pg_extension ORDER BY 1`;

  const assertTooLate = async (log: string) => {
    const seen = await attempts();
    assert.match(seen, /too many connections/, 'nothing was tried');
    assert.equal(await readFile(witness(), 'utf8').catch(() => ''), '', log);
    await writeFile(join(folder, 'attempts'), '');
  };

  test('comes too late for a copy, which belongs to it afterwards', async () => {
    const { log } = await scene.restore('copy', inputs);
    const copy = scene.named('copy');
    assert.equal(await scene.sql("SELECT to_regclass('public.was_in_time')", copy), '', log);
    await assertTooLate(log);
    assert.equal(
      await scene.sql(
        `SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '${copy}'`,
        'postgres',
      ),
      'odoo',
    );
    assert.equal(await scene.sql(owners, copy), await scene.sql(owners));
  });

  test('comes too late for a rollback', async () => {
    const { log } = await scene.odoo.succeeds('rollback', inputs);
    assert.equal(await scene.sql("SELECT to_regclass('public.was_in_time')"), '', log);
    await assertTooLate(log);
  });

  test('comes too late for a restore test on the host', async () => {
    const test = { verify: 'restore', 'restore-test': 'host', 'db-admin-user': 'admin' };
    const { log } = await scene.odoo.succeeds('verify', test);
    await assertTooLate(log);
  });
});
