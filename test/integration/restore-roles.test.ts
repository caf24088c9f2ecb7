import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { receiptKey } from '../../src/catalog/keys.ts';
import { CopyScene } from '../support/copy-scene.ts';
import { createRole, type OwnRole } from '../support/roles.ts';

/** In schemas, with an index on what no dump holds, and one that only a superuser may create. */
const EXTENSIONS = `CREATE SCHEMA extra; CREATE EXTENSION pg_trgm SCHEMA extra;
  CREATE EXTENSION unaccent; ALTER FUNCTION unaccent(text) IMMUTABLE;
  CREATE INDEX partner_unaccent ON res_partner (unaccent(name));
  CREATE EXTENSION pg_stat_statements;`;

suite('a restore by a role of Odoo that may not create databases', () => {
  let scene: CopyScene;
  /** The role of Odoo on a strict host. */
  let strict: OwnRole;
  /** May create databases, and is no superuser. */
  let creator: OwnRole;
  /** A role that the backup names, and that is gone since. */
  let reader: OwnRole;
  let resources: AsyncDisposableStack;
  before(async () => {
    await using opened = new AsyncDisposableStack();
    scene = await CopyScene.open();
    const { sandbox } = scene.odoo.scene;
    strict = opened.use(await createRole(sandbox, 'strict'));
    creator = opened.use(await createRole(sandbox, 'creator', 'CREATEDB'));
    reader = opened.use(await createRole(sandbox, 'reader'));
    opened.use(scene);
    const { database } = scene.odoo;
    await scene.sql(EXTENSIONS);
    await scene.sql(`GRANT SELECT ON res_users TO "${reader.name}";
      GRANT CONNECT ON DATABASE "${database}" TO "${reader.name}";
      ALTER ROLE "${reader.name}" IN DATABASE "${database}" SET statement_timeout TO '5s';
      ALTER ROLE odoo IN DATABASE "${database}" SET work_mem TO '9MB';
      ALTER DATABASE "${database}" SET search_path TO "$user", public, extra`);
    await scene.odoo.succeeds('backup');
    await scene.sql(`ALTER ROLE "${reader.name}" IN DATABASE "${database}" RESET ALL;
      DROP OWNED BY "${reader.name}"; DROP ROLE "${reader.name}"`);
    resources = opened.move();
  });
  after(() => resources?.disposeAsync());

  const asStrict = (admin?: string) => ({ 'db-user': strict.name, 'db-admin-user': admin ?? '' });
  /** Who owns what in a copy, extensions and what belongs to them apart. */
  const owners = (name: string) =>
    scene.sql(
      `SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname IN ('public', 'extra')
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
       UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()
       UNION SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'extra'`,
      scene.named(name),
    );

  test('says what is missing and how to give it, before anything is touched', async () => {
    const prose = (...words: readonly string[]) => words.map((each) => new RegExp(each));
    await scene.refuses([
      {
        inputs: asStrict(),
        words: prose(
          `${strict.name} may not create databases: ALTER ROLE "${strict.name}" CREATEDB`,
          `The role ${strict.name} is not allowed to create the extension pg_stat_statements`,
          'db-admin-user',
          'Nothing was changed',
        ),
      },
      {
        inputs: { ...asStrict(creator.name), 'dry-run': 'true' },
        words: prose(
          `${creator.name} may not create databases that belong to ${strict.name}: GRANT "${strict.name}" TO "${creator.name}"`,
          `The role ${creator.name} is not allowed to create the extension pg_stat_statements`,
        ),
      },
      {
        inputs: asStrict('nobody_here'),
        words: prose('db-admin-user: PostgreSQL does not let in the role nobody_here'),
      },
    ]);
  });

  test('and an admin who is a superuser: what he makes is Odoo’s, and what is left out is told', async () => {
    const { log } = await scene.restore('by_admin', asStrict('admin'));
    const copy = scene.named('by_admin');
    assert.equal(await owners('by_admin'), strict.name);
    for (const line of [
      'COMMENT - EXTENSION pg_trgm',
      'COMMENT - EXTENSION unaccent',
      'SCHEMA - extra \\S+',
    ]) {
      assert.match(
        log,
        new RegExp(`Skipped, because the role may not do it or does not have to: \\d+; \\d+ \\d+ ${line}`),
      );
    }
    for (const statement of [
      `ALTER ROLE "${reader.name}" IN DATABASE "\\S+" SET "statement_timeout"`,
      `GRANT CONNECT ON DATABASE "\\S+" TO "${reader.name}"`,
    ]) {
      assert.match(log, new RegExp(`warning: Left out: ${statement}.*role "${reader.name}" does not exist`));
    }
    assert.match(log, new RegExp(`everything belongs to ${strict.name}`));
    const facts = `SELECT extname || ' ' || nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
      UNION SELECT 'unaccent is ' || provolatile::text FROM pg_proc WHERE proname = 'unaccent'
      UNION SELECT 'index is valid' FROM pg_index WHERE indexrelid = 'partner_unaccent'::regclass AND indisvalid
      UNION SELECT coalesce(nullif(pg_get_userbyid(setrole), 'unknown (OID=0)'), 'all') || ' ' || array_to_string(setconfig, ' ')
        FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database() ORDER BY 1`;
    const expected = (await scene.sql(facts)).replace('odoo work_mem', `${strict.name} work_mem`);
    assert.equal(sorted(await scene.sql(facts, copy)), sorted(expected));
  });

  test('and an admin who may only create databases: a dump of whoever, with its privileges and owners', async () => {
    await scene.sql(`GRANT "${strict.name}" TO "${creator.name}"`, 'postgres');
    await scene.sql(
      'DROP EXTENSION pg_stat_statements; DROP INDEX partner_unaccent; GRANT SELECT ON res_users TO PUBLIC',
    );
    for (const [name, option] of [
      ['custom', '--format=custom'],
      ['plain', '--format=plain'],
    ] as const) {
      const backup = await scene.put(`own.${name}`, await readFile(await scene.dump(`own.${name}`, option)));
      const given = { ...asStrict(creator.name), backup, 'allow-unverified': 'true', filestore: 'false' };
      const { log } = await scene.restore(name, given);
      assert.equal(await owners(name), strict.name);
      const shared = "SELECT relacl FROM pg_class WHERE relname = 'res_users'";
      assert.equal(await scene.sql(shared, scene.named(name)), '');
      assert.match(
        log,
        /Skipped, because the role may not do it or does not have to: .*COMMENT (- |ON )EXTENSION/,
      );
    }
  });

  test('makes a database of the backup’s encoding and collation, whatever the server’s own are', async () => {
    const { outputs } = await scene.odoo.succeeds('backup', { format: 'custom', filestore: 'false' });
    const key = receiptKey(outputs.key ?? '');
    const receipt = await scene.odoo.receipt(key);
    assert.ok(receipt.description);
    const locale = { collate: 'C', ctype: 'C', localeProvider: 'icu', locale: 'de-DE' };
    const postgres = { ...receipt.description.postgres, ...locale };
    await scene.odoo.putReceipt(key, { ...receipt, description: { ...receipt.description, postgres } });
    await scene.restore('german', { backup: outputs.key });
    const traits = `SELECT datcollate, datctype, datlocprovider, daticulocale FROM pg_database
      WHERE datname = '${scene.named('german')}'`;
    assert.equal(await scene.sql(traits, 'postgres'), 'C|C|i|de-DE');
  });
});

const sorted = (lines: string): string => lines.split('\n').sort().join('\n');
