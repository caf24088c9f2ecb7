import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { AgeKeys } from '../support/age-keys.ts';
import { run } from '../support/processes.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { getObject, listKeys } from '../support/s3.ts';

suite('what was entered since a backup', () => {
  let scene: RollbackScene;
  before(async () => {
    scene = await RollbackScene.open({}, undefined, { fixture: 'full' });
    await scene.succeeds('backup');
    await scene.sql(`
      INSERT INTO res_partner (name, active, display_name, comment, parent_id, country_id, create_uid, create_date, write_date)
        SELECT 'new "' || n || '", Ltd', true, 'new', 'x', NULL, 1, 2, now() + interval '1 hour', now() + interval '1 hour'
          FROM generate_series(1, 2) n;
      INSERT INTO res_partner (name, active, display_name, parent_id, create_uid, create_date, write_date)
        SELECT 'child', true, 'child', max(id), 2, now() + interval '1 hour', now() + interval '1 hour' FROM res_partner;
      INSERT INTO res_bank (name, active, create_uid, create_date, write_date)
        VALUES (E'two\\nlines', true, 2, now() + interval '1 hour', now() + interval '1 hour');
      INSERT INTO res_partner_bank (acc_number, partner_id, bank_id, company_id, create_uid, create_date, write_date)
        SELECT 'FR76', (SELECT max(id) FROM res_partner), (SELECT max(id) FROM res_bank), 1, 2,
               now() + interval '1 hour', now() + interval '1 hour';
      INSERT INTO res_bank (name, active, create_uid, create_date, write_date)
        VALUES ('=HYPERLINK("http://example.com")', true, 2, now() + interval '1 hour', now() + interval '1 hour');
      INSERT INTO res_partner (name, active, display_name, comment, create_uid, create_date, write_date)
        VALUES ('huge', true, 'huge', repeat('x', 1100000), 2, now() + interval '1 hour', now() + interval '1 hour');
      INSERT INTO res_partner (name, active, display_name, parent_id, create_uid, create_date, write_date)
        SELECT 'of huge', true, 'of huge', max(id), 2, now() + interval '1 hour', now() + interval '1 hour' FROM res_partner`);
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const salvaged = async (): Promise<string[]> =>
    (await listKeys(scene.scene.client, scene.scene.bucket)).filter((key) => key.endsWith('_salvage.zip'));

  test('is planned, and nothing is read or stored by a dry run', async () => {
    const { log } = await scene.succeeds('rollback', { 'dry-run': 'true', salvage: 'true' });
    assert.match(log, /Stop Odoo\n.*Read what was entered since the backup\n.*Swap the databases/s);
    assert.match(log, /Store what was salvaged\n +s3:\/\/.*_salvage\.zip/);
    assert.deepEqual(await salvaged(), []);
  });

  test('is stored as CSV, in the order of its import, with a page; no list takes it for a backup', async () => {
    const ids = await scene.sql(
      "SELECT string_agg(id::text, ',' ORDER BY id) FROM res_partner WHERE create_date > now()",
    );
    const [first = '', second = '', child = ''] = ids.split(',');
    const { log } = await scene.succeeds('rollback', { salvage: 'true' });
    assert.match(log, /7 records of 3 models/);
    // With keep-previous: until-healthy, it would be gone.
    assert.match(log, /what is replaced has the rest, and stays: Contact: 1 record, larger than 1 MiB/);
    const { databases } = await scene.traces();
    assert.ok(
      databases.some((each) => each.startsWith(`${scene.database}__old_`)),
      databases.join(),
    );
    const [key = ''] = await salvaged();
    const folder = await run(['mktemp', '-d']).then((path) => path.trim());
    await writeFile(join(folder, 'a.zip'), await getObject(scene.scene.client, scene.scene.bucket, key));
    const read = (name: string) => run(['unzip', '-p', join(folder, 'a.zip'), name]);
    const names = (await run(['unzip', '-Z1', join(folder, 'a.zip')])).trim().split('\n');
    assert.deepEqual(names, [
      '000_ir.model.data.csv',
      ...['res.partner', 'res.bank', 'res.partner.bank'].map((model, i) => `00${i + 1}_${model}.csv`),
      'index.html',
    ]);
    // As Python's csv reads it, with which Odoo does.
    const table = async (name: string): Promise<Record<string, string>[]> => {
      await run(['unzip', '-oq', join(folder, 'a.zip'), '-d', folder]);
      const script =
        'import csv, json, sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline="")))))';
      return JSON.parse(await run(['python3', '-c', script, join(folder, name)]));
    };
    const partners = await table('001_res.partner.csv');
    assert.deepEqual(
      partners.map((row) => [row.id, row.name, row['parent_id/id'], row['country_id/id'], row.active]),
      [
        [`__salvage__.res_partner_${first}`, 'new "1", Ltd', '', '__salvage__.res_country_1', 'True'],
        [`__salvage__.res_partner_${second}`, 'new "2", Ltd', '', '__salvage__.res_country_1', 'True'],
        [`__salvage__.res_partner_${child}`, 'child', `__salvage__.res_partner_${second}`, '', 'True'],
        [`__salvage__.res_partner_${Number(child) + 2}`, 'of huge', '', '', 'True'],
      ],
    );
    assert.equal((await table('002_res.bank.csv'))[0]?.name, 'two\nlines');
    const [account] = await table('003_res.partner.bank.csv');
    assert.equal(account?.['partner_id/id'], `__salvage__.res_partner_${child}`);
    const references = await table('000_ir.model.data.csv');
    assert.ok(
      references.some(
        ({ name, model, res_id }) => name === 'res_country_1' && model === 'res.country' && res_id === '1',
      ),
    );
    assert.ok(!references.some(({ name }) => name === `res_partner_${first}`), 'it is made by its own file');
    const page = await read('index.html');
    assert.match(page, /res\.partner\.bank/);
    assert.match(page, /002_res\.bank\.csv has 1 cell that a spreadsheet would take for a formula/);
    assert.doesNotMatch(page, /res\.partner\.csv has/);
    const listed = await scene.succeeds('list');
    assert.doesNotMatch(listed.stdout, /salvage/);
    await run(['rm', '-r', folder]);
  });

  test('is sealed for the recipients of encrypt-to, and refused beside a sealed backup without them', async () => {
    using keys = new AgeKeys();
    const team = keys.newKey();
    const sealed = { 'encrypt-to': team.recipient };
    await scene.succeeds('backup', sealed);
    await scene.sql(
      "INSERT INTO res_bank (name, active, create_uid, create_date, write_date) VALUES ('kept', true, 2, now() + interval '1 hour', now() + interval '1 hour')",
    );
    const salvage = { salvage: 'true', 'decrypt-with': team.path };
    const refused = await scene.run('rollback', salvage);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.log, /Set encrypt-to, as for the backup/);
    const before = await listKeys(scene.scene.client, scene.scene.bucket);
    await scene.succeeds('rollback', { ...salvage, ...sealed });
    const made = (await listKeys(scene.scene.client, scene.scene.bucket)).filter(
      (key) => !before.includes(key),
    );
    assert.match(made.join(), /^[^,]+_salvage\.zip\.age$/);
    const folder = await run(['mktemp', '-d']).then((path) => path.trim());
    await writeFile(
      join(folder, 'a.age'),
      await getObject(scene.scene.client, scene.scene.bucket, made[0] ?? ''),
    );
    await run(['age', '-d', '-i', team.path, '-o', join(folder, 'a.zip'), join(folder, 'a.age')]);
    assert.match(await run(['unzip', '-p', join(folder, 'a.zip'), '001_res.bank.csv']), /kept/);
    await run(['rm', '-r', folder]);
  });

  test('is not there where the database cannot be read: it is said, and rolled back all the same', async () => {
    await scene.succeeds('backup', { incremental: 'false' });
    await scene.sql('ALTER TABLE ir_model RENAME TO ir_model_lost');
    const { log } = await scene.succeeds('rollback', { salvage: 'true' });
    assert.match(log, /Nothing is salvaged: .*ir_model/);
    // With keep-previous: until-healthy, it would be gone.
    assert.match(log, /store what was salvaged .*is the only copy, and stays/);
    const { databases } = await scene.traces();
    assert.ok(
      databases.some((each) => each.startsWith(`${scene.database}__old_`)),
      databases.join(),
    );
    assert.equal((await salvaged()).length, 1);
  });
});
