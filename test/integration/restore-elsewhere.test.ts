import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { cleanEnvironment, runCommand } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { assertNothingLeft, rootedInputs } from '../support/rooted-backup.ts';
import { type RootedHost, startRootedHost } from '../support/rooted-host.ts';
import { useSandbox } from '../support/sandbox.ts';

/** Another machine, with another account of Odoo's, other rights, and another server. */
suite('a restore on another host', { skip: process.getuid?.() === 0 ? false : 'needs root' }, () => {
  let origin: RollbackScene;
  let host: RootedHost;
  before(async () => {
    [origin, host] = await Promise.all([RollbackScene.open(), startRootedHost(useSandbox())]);
    await origin.succeeds('backup');
  });
  after(async () => {
    await host?.[Symbol.asyncDispose]();
    await origin?.[Symbol.asyncDispose]();
  });

  async function restore(inputs: RawInputs) {
    const { sandbox, bucket } = origin.scene;
    const there = rootedInputs(host, sandbox, bucket);
    const ended = await runCommand('restore', { ...there, ...inputs }, cleanEnvironment(sandbox.s3));
    assert.equal(ended.exitCode, 0, ended.log);
    await assertNothingLeft(host);
    return ended.log;
  }

  const sql = (database: string, query: string) =>
    host
      .exec(['runuser', '-u', 'odoo', '--', 'psql', '-XAtq', '-d', database, '-c', query])
      .then((text) => text.trim());
  const parameter = (database: string, key: string) =>
    sql(database, `SELECT value FROM ir_config_parameter WHERE key = '${key}'`);
  const folder = (database: string) => `/var/lib/odoo/.local/share/Odoo/filestore/${database}`;

  /** The SHA-1 of each file of a filestore, and what its files and folders are like. */
  async function filesOf(database: string) {
    const list = 'cd "$1" && find . -type f -exec sha1sum {} + | sort';
    const looks = 'cd "$1" && find . -printf "%y %u %g %m\\n" | sort -u';
    const [files = '', kinds = ''] = await Promise.all(
      [list, looks].map((script) => host.exec(['sh', '-c', script, 'sh', folder(database)])),
    );
    return { files, kinds };
  }

  test('belongs to its Odoo: role, account and modes; its own odoo makes it neutral', async () => {
    // Only Odoo's account may read odoo.conf, and only that is let in by the server.
    await host
      .exec([
        'sh',
        '-ec',
        'mkdir -p /run/bin/upper /run/bin/work && mount -t overlay overlay -o lowerdir=/usr/local/bin,upperdir=/run/bin/upper,workdir=/run/bin/work /usr/local/bin',
      ])
      .catch(async () => host.exec(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/usr/local/bin']));
    await host.exec(['sh', '-ec', 'cat >/usr/local/bin/odoo; chmod 755 /usr/local/bin/odoo'], ODOO);
    const before = [await filesOf(host.database), await parameter(host.database, 'database.uuid')];

    const log = await restore({ 'target-database': 'shop_copy' });
    assert.match(log, /^ +by \/usr\/local\/bin\/odoo neutralize; checked afterwards$/m);
    const origins = await origin.sql("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'");
    assert.notEqual(await parameter('shop_copy', 'database.uuid'), origins);
    assert.equal(await parameter('shop_copy', 'neutralized.by'), 'odoo');
    assert.equal(await sql('shop_copy', 'SELECT count(*) FROM ir_cron WHERE active'), '1');
    const { files, kinds } = await filesOf('shop_copy');
    const names = files.split('\n').filter(Boolean);
    assert.equal(names.length, 205);
    for (const line of names) assert.equal(line.slice(0, 40), line.slice(-40));
    assert.equal(kinds, 'd odoo odoo 700\nf odoo odoo 600\n');
    assert.deepEqual([await filesOf(host.database), await parameter(host.database, 'database.uuid')], before);
  });

  test('takes the place of the lost one: as it was, in a data_dir that was not there', async () => {
    await sql('postgres', `DROP DATABASE ${host.database}`);
    await host.exec(['rm', '-rf', '/var/lib/odoo/.local']);
    await restore({ 'target-database': host.database, neutralize: 'false', 'new-uuid': 'false' });
    for (const query of [
      "SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'",
      'SELECT count(*) FROM ir_cron WHERE active',
    ]) {
      assert.equal(await sql(host.database, query), await origin.sql(query));
    }
    assert.equal(
      await sql(
        'postgres',
        `SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '${host.database}'`,
      ),
      'odoo',
    );
    const { files, kinds } = await filesOf(host.database);
    assert.equal(files.split('\n').filter(Boolean).length, 205);
    assert.doesNotMatch(kinds, /^. (?!odoo odoo )/m, 'something does not belong to Odoo');
  });
});

/** Stands in for Odoo 16: does what it is asked for if it may read its odoo.conf and enter the database. */
const ODOO = `#!/bin/sh
[ "$1" = neutralize ] || exit 2
[ "$2" = --help ] && exit
[ -r "$3" ] || { echo "cannot read $3" >&2; exit 1; }
psql -XAtq -U odoo -d "$5" -c 'SELECT 1 FROM ir_module_module LIMIT 1' >/dev/null || exit
echo "BEGIN; UPDATE ir_cron SET active = false WHERE id NOT IN (
    SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND name = 'autovacuum_job');
  UPDATE ir_mail_server SET active = false; UPDATE fetchmail_server SET active = false;
  INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'true'), ('neutralized.by', 'odoo');
COMMIT;"
`;
