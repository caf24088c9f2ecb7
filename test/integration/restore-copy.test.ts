import assert from 'node:assert/strict';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Content, CopyScene } from '../support/copy-scene.ts';
import { MODULES_STATEMENTS, type OdooHost, startOdooHost } from '../support/odoo-program.ts';
import type { Snapshot } from '../support/rollback-scene.ts';

/** What would reach the world outside if a copy ran it. */
const REACHES_OUT = `INSERT INTO ir_mail_server (name, smtp_host, smtp_port, smtp_encryption, active)
    VALUES ('real', 'mx.example.com', 25, 'none', true);
  INSERT INTO fetchmail_server (name, server, server_type, object_id, active, state)
    VALUES ('in', 'imap.example.com', 'imap', 1, true, 'done');
  UPDATE mail_template SET mail_server_id = (SELECT max(id) FROM ir_mail_server);
  ALTER TABLE ir_act_server ADD COLUMN webhook_url varchar;
  UPDATE ir_act_server SET state = 'webhook', webhook_url = 'https://example.com/hook'
    WHERE id = (SELECT min(id) FROM ir_act_server);`;

suite('a copy on the same host', () => {
  let scene: CopyScene;
  let original: Snapshot;
  let content: Content;
  let odooHost: OdooHost;
  /** Logs of the copies, by their names. */
  const logs = new Map<string, string>();
  before(async () => {
    scene = await CopyScene.open({}, 'full');
    const { database, scene: host } = scene.odoo;
    await scene.sql(REACHES_OUT);
    await scene.sql(`ALTER DATABASE "${database}" SET work_mem TO '8MB'`);
    odooHost = await startOdooHost(host.sandbox, host.odoo.conf);
    content = await scene.content();
    await scene.odoo.succeeds('backup');
    // What the copies cannot have from here: one file is gone since, and one has another content of the same size.
    const [gone = '', torn = ''] = names().filter((name) => name.includes('/'));
    await rm(join(host.odoo.filestore, gone));
    await writeFile(
      join(host.odoo.filestore, torn),
      Buffer.alloc((await stat(join(host.odoo.filestore, torn))).size),
    );
    original = await scene.odoo.snapshot();
    await odooHost.prints(MODULES_STATEMENTS);
    const made = Object.entries({
      neutral: {},
      alive: { neutralize: 'false' },
      by_odoo: { ...atHost(), 'new-uuid': 'false' },
    }).map(async ([name, inputs]) => logs.set(name, (await scene.restore(name, inputs)).log));
    await Promise.all(made);
  });
  after(async () => {
    await odooHost?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  /** Names of the files and folders in the filestore that was backed up. */
  const names = () => content.files.map((line) => line.split(' ')[0] ?? '');

  const atHost = () => ({
    'ssh-port': String(odooHost.ssh.port),
    'ssh-fingerprint': odooHost.ssh.hostKeys.fingerprints.join(' '),
  });

  /** What the plan says comes before what, in the log of the run. */
  function assertOrder(log: string, ...phases: readonly RegExp[]): void {
    const at = phases.map((phase) => log.search(phase));
    assert.ok(!at.includes(-1), log);
    assert.deepEqual(
      at.toSorted((a, b) => a - b),
      at,
    );
  }

  const one = (name: string, query: string) => scene.sql(query, scene.named(name));
  const parameter = (name: string, key: string) =>
    one(name, `SELECT value FROM ir_config_parameter WHERE key = '${key}'`);

  test('is neutral, somebody else, and otherwise the original, which stays as it is', async () => {
    const log = logs.get('neutral') ?? '';
    assertOrder(
      log,
      /^Compare the new with the backup$/m,
      /^Neutralize the copy$/m,
      /^Put the filestore in its place, by rename$/m,
      /^Put the database in its place, by rename$/m,
    );
    assert.deepEqual(tablesThatDiffer(content.sql, (await scene.content(scene.named('neutral'))).sql), [
      'public.fetchmail_server',
      'public.ir_act_server',
      'public.ir_config_parameter',
      'public.ir_cron',
      'public.ir_mail_server',
      'public.mail_template',
      'public.payment_acquirer',
    ]);
    const active = await one('neutral', 'SELECT cron_name FROM ir_cron WHERE active');
    assert.equal(active, 'Base: Auto-vacuum internal data');
    assert.equal(await one('neutral', 'SELECT smtp_host FROM ir_mail_server WHERE active'), 'invalid');
    assert.equal(await one('neutral', 'SELECT count(*) FROM fetchmail_server WHERE active'), '0');
    assert.equal(await one('neutral', 'SELECT count(mail_server_id) FROM mail_template'), '0');
    assert.equal(
      await one('neutral', "SELECT webhook_url FROM ir_act_server WHERE state = 'webhook'"),
      'neutralization - disable webhook',
    );
    assert.equal(await parameter('neutral', 'database.is_neutralized'), 'true');
    for (const key of ['database.uuid', 'database.secret']) {
      const value = await parameter('neutral', key);
      assert.match(value, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.notEqual(value, await scene.sql(`SELECT value FROM ir_config_parameter WHERE key = '${key}'`));
    }
    assert.ok(log.includes(`database.uuid: ${await parameter('neutral', 'database.uuid')}`));
    assert.match(log, /Copy +neutralized, with a database.uuid of its own/);
    assert.match(log, /Downtime +none: nothing has to stop/);
    assert.deepEqual(await scene.odoo.snapshot(), original);
  });

  test('is a database like any other of Odoo’s, with a filestore that Odoo may write to', async () => {
    const name = scene.named('neutral');
    const traits = await scene.sql(
      `SELECT pg_get_userbyid(datdba), datallowconn, datistemplate, shobj_description(d.oid, 'pg_database') IS NULL,
              (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid)
         FROM pg_database d WHERE datname = '${name}'`,
      'postgres',
    );
    assert.equal(traits, 'odoo|t|f|t|{work_mem=8MB}');
    assert.equal(
      await one('neutral', "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"),
      'odoo',
    );
    const { odoo } = scene.odoo.scene;
    assert.deepEqual((await scene.content(name)).files, content.files);
    assert.match(logs.get('neutral') ?? '', /^ +0 files linked, 203 copied, 2 fetched$/m);
    const { uid, gid } = scene.odoo.scene.sandbox.account;
    for (const file of names()) {
      const theirs = await stat(join(odoo.filestore, file)).catch(() => undefined);
      const ours = await stat(join(scene.filestoreOf(name), file));
      assert.deepEqual([ours.uid, ours.gid], [uid, gid], file);
      assert.equal(ours.mode, theirs?.mode ?? ours.mode, file);
      if (ours.isFile()) assert.equal(ours.nlink, 1, 'a change of one would be one of the other');
    }
  });

  test('goes on as the original did, where that is asked for; under a UUID of its own', async () => {
    const log = logs.get('alive') ?? '';
    assert.doesNotMatch(log, /Neutralize/);
    assert.match(
      log,
      /Copy +NOT neutralized: it runs its scheduled actions and sends mail, with a database.uuid of its/,
    );
    assert.deepEqual(tablesThatDiffer(content.sql, (await scene.content(scene.named('alive'))).sql), [
      'public.ir_config_parameter',
    ]);
    assert.equal(await parameter('alive', 'database.is_neutralized'), '');
  });

  test('is neutralized by the host’s own odoo, and by nothing else; the UUID may stay', async () => {
    assert.match(logs.get('by_odoo') ?? '', /^ +by \S+\/odoo neutralize; checked afterwards$/m);
    assert.deepEqual(tablesThatDiffer(content.sql, (await scene.content(scene.named('by_odoo'))).sql), [
      'public.fetchmail_server',
      'public.ir_config_parameter',
      'public.ir_cron',
      'public.ir_mail_server',
      'public.res_company',
    ]);
    assert.equal(
      await parameter('by_odoo', 'database.uuid'),
      await scene.sql("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'"),
    );
  });

  test('that is not neutral afterwards is not put to use', async () => {
    await odooHost.prints(MODULES_STATEMENTS.replace('UPDATE fetchmail_server SET active = false;', ''));
    const stays = { inputs: atHost(), words: [/not neutral: 1 incoming mail servers are active/] };
    await scene.refuses([stays]);
    await odooHost.prints(undefined);
    const fails = {
      inputs: atHost(),
      words: [/odoo neutralize failed for \S+: THE DATABASE IS NOT NEUTRALIZED/],
    };
    await scene.refuses([fails]);
  });
});

/** The tables whose rows two dumps of one schema do not have in common; sequences apart. */
function tablesThatDiffer(a: string, b: string): string[] {
  const [rows, others] = [rowsOf(a), rowsOf(b)];
  const withoutRows = (sql: string) =>
    sql.replaceAll(ROWS, '').replaceAll(/^SELECT pg_catalog.setval\(.*$/gm, '');
  assert.equal(withoutRows(a), withoutRows(b));
  return [...rows.keys()].filter((table) => rows.get(table) !== others.get(table)).sort();
}

const ROWS = /^COPY (\S+) [\s\S]*?^\\\.$/gm;

const rowsOf = (sql: string): Map<string, string> =>
  new Map(Array.from(sql.matchAll(ROWS), ([rows, table = '']) => [table, rows]));
