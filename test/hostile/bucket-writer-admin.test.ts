import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { receiptKey } from '../../src/catalog/keys.ts';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { CopyScene } from '../support/copy-scene.ts';
import { createRole, type OwnRole } from '../support/roles.ts';

type Description = NonNullable<Receipt['description']>;

/** What a receipt that was forged has an admin role do. */
suite('a forged archive, and an admin role', { concurrency: false }, () => {
  let scene: CopyScene;
  /** The role of Odoo, no superuser: nothing that is forged may come to it. */
  let strict: OwnRole;
  /** Somebody else's. */
  let other: OwnRole;
  let resources: AsyncDisposableStack;
  let backup = '';
  before(async () => {
    await using opened = new AsyncDisposableStack();
    scene = await CopyScene.open();
    strict = opened.use(await createRole(scene.odoo.scene.sandbox, 'strict'));
    other = opened.use(await createRole(scene.odoo.scene.sandbox, 'other'));
    opened.use(scene);
    const { outputs } = await scene.odoo.succeeds('backup', { format: 'custom', filestore: 'false' });
    backup = outputs.key ?? '';
    resources = opened.move();
  });
  after(() => resources?.disposeAsync());

  const inputs = () => ({ backup, 'db-user': strict.name, 'db-admin-user': 'admin', filestore: 'false' });

  async function forge(change: (description: Description) => Partial<Description>): Promise<void> {
    const key = receiptKey(backup);
    const receipt = await scene.odoo.receipt(key);
    assert.ok(receipt.description);
    const { description } = receipt;
    await scene.odoo.putReceipt(key, { ...receipt, description: { ...description, ...change(description) } });
  }

  /** Everything that is set for a database, or for somebody in it. */
  const settingsOf = (name: string) =>
    scene.sql(
      `SELECT setrole::regrole || ' ' || array_to_string(setconfig, ' ') FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = '${scene.named(name)}') ORDER BY 1`,
      'postgres',
    );

  const dangerous = [
    'session_preload_libraries="/tmp/evil"',
    'log_statement=none',
    'log_min_messages=panic',
    'temp_file_limit=-1',
    'lo_compat_privileges=on',
    'zero_damaged_pages=on',
    'ignore_system_indexes=on',
    'allow_system_table_mods=on',
    'pgaudit.log=none',
  ];

  test('sets nothing for a database that its owner may not set', async () => {
    await forge(({ postgres }) => ({
      postgres: {
        ...postgres,
        settings: [...dangerous, 'work_mem=9MB', 'log_min_duration_statement=250'].map((setting) => ({
          role: null,
          setting,
        })),
      },
    }));
    const { log } = await scene.restore('set', inputs());
    const set = await settingsOf('set');
    assert.match(set, /work_mem=9MB/);
    assert.match(set, /log_min_duration_statement=250/);
    for (const setting of dangerous.slice(0, 8)) {
      const [name = ''] = setting.split('=');
      assert.ok(!set.includes(name), set);
      assert.match(log, new RegExp(`Left out: ALTER DATABASE .*SET "${name}"`));
    }
  });

  test('sets nothing for a role other than the owner', async () => {
    await forge(({ postgres }) => ({
      postgres: {
        ...postgres,
        settings: [
          { role: other.name, setting: 'search_path=evil, public' },
          { role: 'admin', setting: 'search_path=evil, pg_catalog' },
          { role: 'admin', setting: 'session_preload_libraries=evil' },
          { role: postgres.owner, setting: 'work_mem=8MB' },
          { role: postgres.owner, setting: 'session_preload_libraries=evil' },
        ],
      },
    }));
    const { log } = await scene.restore('roles', inputs());
    assert.equal(await settingsOf('roles'), `${strict.name} work_mem=8MB`);
    assert.match(log, new RegExp(`Left out: ALTER ROLE "${other.name}" IN DATABASE`));
    assert.match(log, /Left out: ALTER ROLE "admin" IN DATABASE/);
  });

  for (const name of [
    'dblink',
    'file_fdw',
    'adminpack',
    'postgres_fdw',
    'lo_export',
    'xml2',
    'pageinspect',
  ]) {
    test(`has no admin create the extension ${name}`, async () => {
      await forge(({ extensions, postgres }) => ({
        postgres: { ...postgres, settings: [] },
        extensions: [...extensions, { name, version: '1.0', schema: 'public', owner: 'admin' }],
      }));
      await scene.refuses([
        {
          inputs: inputs(),
          words: [
            new RegExp(`extension ${name} (only because a backup names it|of the backup is not installed)`),
            /Nothing was changed/,
          ],
        },
      ]);
      await forge(({ extensions }) => ({ extensions: extensions.filter((each) => each.name !== name) }));
    });
  }

  test('is given no privilege on an extension that its owner could not have', async () => {
    const granted = (object: string, privilege: string, role: string | null = 'odoo') => ({
      ...{ object, privilege, role, column: null, grantable: false, granted: true },
    });
    await forge(({ extensions, extensionState }) => ({
      extensions: [
        ...extensions.filter(({ name }) => name !== 'pg_stat_statements'),
        { name: 'pg_stat_statements', version: '1.10', schema: 'public', owner: 'admin' },
      ],
      extensionState: {
        schemas: [],
        sequences: [],
        ...extensionState,
        privileges: [
          granted('ROUTINE public.pg_stat_statements_reset(oid,oid,bigint)', 'EXECUTE'),
          granted('ROUTINE public.pg_stat_statements_reset(oid,oid,bigint)', 'EXECUTE', null),
          granted('TABLE public.pg_stat_statements', 'TRIGGER'),
          granted('TABLE public.pg_stat_statements', 'SELECT'),
        ],
      },
    }));
    const { log } = await scene.restore('granted', inputs());
    const may = (role: string) =>
      scene.sql(
        `SELECT has_function_privilege('${role}', p.oid, 'EXECUTE') FROM pg_proc p WHERE proname = 'pg_stat_statements_reset'`,
        scene.named('granted'),
      );
    assert.equal(await may(strict.name), 'f');
    assert.equal(await may(other.name), 'f');
    assert.match(log, /Left out: GRANT EXECUTE ON ROUTINE public\.pg_stat_statements_reset/);
    assert.match(log, /Left out: GRANT TRIGGER ON TABLE public\.pg_stat_statements/);
  });

  test('shows line by line what the admin role is to do', async () => {
    const { log } = await scene.restore('shown', { ...inputs(), 'dry-run': 'true' });
    for (const action of [
      'create the database, and later rename it',
      'create the extension pg_stat_statements',
      'grant EXECUTE on ROUTINE public.pg_stat_statements_reset',
    ]) {
      assert.ok(log.includes(`as admin: ${action}`), log);
    }
  });
});
