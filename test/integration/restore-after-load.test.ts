import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';

/** What Odoo 16 would switch off, and 14 cannot; and what others add. */
const REACHES_OUT = `
  CREATE TABLE auth_oauth_provider (id serial PRIMARY KEY, enabled boolean);
  INSERT INTO auth_oauth_provider (enabled) VALUES (true), (false);
  CREATE TABLE queue_job (id serial PRIMARY KEY, state varchar);
  INSERT INTO queue_job (state) VALUES ('pending'), ('enqueued'), ('done');
  CREATE TABLE delivery_carrier (id serial PRIMARY KEY, prod_environment boolean);
  INSERT INTO delivery_carrier (prod_environment) VALUES (true), (NULL);
  CREATE TABLE iap_account (id serial PRIMARY KEY, account_token varchar);
  INSERT INTO iap_account (account_token) VALUES ('abc'), ('def+disabled'), (NULL);
  ALTER TABLE res_users ADD COLUMN google_calendar_rtoken varchar;
  UPDATE res_users SET google_calendar_rtoken = 'secret';
  ALTER TABLE ir_mail_server ADD COLUMN google_gmail_refresh_token varchar;
  CREATE TABLE big_log (id serial PRIMARY KEY, line text);
  INSERT INTO big_log (line) SELECT 'x' FROM generate_series(1, 1000);
  UPDATE payment_acquirer SET state = 'enabled';
  ALTER TABLE payment_acquirer ADD COLUMN stripe_secret_key varchar, ADD COLUMN ogone_pspid varchar NOT NULL DEFAULT 'me';
  UPDATE payment_acquirer SET provider = 'stripe', stripe_secret_key = 'secret', save_token = 'ask';
  UPDATE payment_acquirer SET provider = 'ogone' WHERE id = (SELECT min(id) FROM payment_acquirer);`;

suite('a copy', () => {
  let scene: CopyScene;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'after-load-'));
    scene = await CopyScene.open();
    await scene.sql(REACHES_OUT);
    await scene.sql('ALTER TABLE auth_oauth_provider OWNER TO odoo; ALTER TABLE queue_job OWNER TO odoo');
    await scene.sql('ALTER TABLE delivery_carrier OWNER TO odoo; ALTER TABLE iap_account OWNER TO odoo');
    await scene.sql('ALTER TABLE big_log OWNER TO odoo');
    await scene.odoo.succeeds('backup', { 'count-tables': 'all' });
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const file = async (name: string, sql: string): Promise<string> => {
    await writeFile(join(folder, name), sql);
    return join(folder, name);
  };
  const one = (name: string, query: string) => scene.sql(query, scene.named(name));

  test('before Odoo 16 is neutral in all that 16 switches off; jobs and logins by others are off', async () => {
    await scene.restore('neutral');
    assert.equal(await one('neutral', 'SELECT bool_or(enabled) FROM auth_oauth_provider'), 'f');
    assert.equal(
      await one('neutral', "SELECT string_agg(state, ',' ORDER BY id) FROM queue_job"),
      'failed,failed,done',
    );
    assert.equal(await one('neutral', 'SELECT count(*) FROM delivery_carrier WHERE prod_environment'), '0');
    assert.equal(
      await one('neutral', "SELECT string_agg(account_token, ',' ORDER BY id) FROM iap_account"),
      'abc+disabled,def+disabled',
    );
    assert.equal(await one('neutral', 'SELECT count(google_calendar_rtoken) FROM res_users'), '0');
    assert.equal(
      await one('neutral', "SELECT count(*) FROM payment_acquirer WHERE state <> 'disabled'"),
      '0',
    );
    const logins = 'SELECT DISTINCT stripe_secret_key, ogone_pspid, save_token FROM payment_acquirer';
    assert.equal(await one('neutral', logins), '||ask');
  });

  test('takes SQL of the job before it takes its name, and leaves out the rows of tables', async () => {
    const first = await file('first.sql', "UPDATE res_partner SET name = 'Customer ' || id, email = NULL;");
    const second = await file('second.sql', 'CREATE TABLE made AS SELECT count(*) AS n FROM res_partner;');
    const { log } = await scene.restore('anonymous', {
      'after-load': `${first}, ${second}`,
      'skip-table-data': 'big_log',
    });
    assert.match(log, /without the rows of big_log/);
    assert.match(log, /first\.sql has run/);
    assert.ok(log.search(/^Run the SQL of after-load/m) < log.search(/^Neutralize the copy/m));
    assert.equal(
      await one('anonymous', "SELECT count(*) FROM res_partner WHERE name NOT LIKE 'Customer %'"),
      '0',
    );
    assert.equal(await one('anonymous', 'SELECT n > 0 FROM made'), 't');
    assert.equal(await one('anonymous', "SELECT tableowner FROM pg_tables WHERE tablename = 'made'"), 'odoo');
    assert.equal(await one('anonymous', 'SELECT count(*) FROM big_log'), '0');
    assert.equal(await scene.sql('SELECT count(*) FROM big_log'), '1000');
  });

  test('is not made where a statement fails, or a table is none', async () => {
    const broken = await file(
      'broken.sql',
      'UPDATE res_partner SET email = NULL;\nUPDATE no_such SET a = 1;',
    );
    const before = await scene.odoo.traces();
    const inputs = { 'target-database': scene.named('none'), 'stop-command': '', 'start-command': '' };
    const failed = await scene.odoo.run('restore', { ...inputs, 'after-load': broken });
    assert.equal(failed.exitCode, 1);
    assert.match(failed.log, /after-load: .*broken\.sql fails in .*no_such/);
    const absent = await scene.odoo.run('restore', { ...inputs, 'skip-table-data': 'no_such' });
    assert.match(absent.log, /skip-table-data: the dump has no rows of no_such/);
    const unread = await scene.odoo.run('restore', { ...inputs, 'after-load': '/no/such.sql' });
    assert.equal(unread.exitCode, 2);
    const rollback = await scene.odoo.run('rollback', { 'skip-table-data': 'big_log' });
    assert.equal(rollback.exitCode, 2);
    assert.deepEqual(await scene.odoo.traces(), before);
  });
});
