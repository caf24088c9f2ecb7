import assert from 'node:assert/strict';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { psql } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { createRole, type OwnRole } from '../support/roles.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startOwnSshd } from '../support/sshd.ts';

/** 127.0.0.1, written so that nobody takes it for the host itself: to the program this is another machine. */
const ANOTHER_MACHINE = '127.1';

/** Passwords as they may be: `:` and `\` are written with a `\` before them in a password file. */
const passwords = { strict: String.raw`strict:of\odoo`, keeper: String.raw`keeper's: p\ss` };
const escaped = (password: string) => password.replaceAll(/[:\\]/g, String.raw`\$&`);

suite('roles with passwords in ~/.pgpass of the host, their database on another machine', {
  concurrency: false,
}, () => {
  const sandbox = useSandbox();
  const { postgres: server, account } = sandbox;
  let scene: RollbackScene;
  /** The role of Odoo: no CREATEDB, no superuser. */
  let strict: OwnRole;
  let keeper: OwnRole;
  /** Home folder of the account that logs in. */
  let home: string;
  const resources = new AsyncDisposableStack();
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'home-'));
    await chown(home, account.uid, account.gid);
    resources.defer(() => rm(home, { recursive: true }));
    strict = resources.use(await createRole(sandbox, 'strict', `PASSWORD '${passwords.strict}'`));
    keeper = resources.use(
      await createRole(sandbox, 'keeper', `SUPERUSER PASSWORD '${passwords.keeper.replace("'", "''")}'`),
    );
    const login = { db_host: ANOTHER_MACHINE, db_user: strict.name, db_password: passwords.strict };
    const beforeStart = async ({ odoo }: { readonly odoo: { readonly database: string } }) => {
      await psql(server, odoo.database, handOver(strict.name));
    };
    scene = resources.use(
      await RollbackScene.open(login, undefined, { sshEnv: { HOME: home }, beforeStart }),
    );
  });
  after(() => resources.disposeAsync());

  const line = (role: OwnRole, password: string) =>
    `${ANOTHER_MACHINE}:${server.port}:*:${role.name}:${escaped(password)}\n`;
  /** Writes a password file as the account does. */
  async function passwordFile(path: string, content: string, mode = 0o600): Promise<void> {
    await rm(path, { force: true });
    await writeFile(path, content, { mode });
    await chown(path, account.uid, account.gid);
  }
  const pgpass = (content: string, mode?: number) => passwordFile(join(home, '.pgpass'), content, mode);
  const facts = () =>
    scene.sql(`SELECT md5(string_agg(r::text, '|' ORDER BY id)) FROM res_partner r
      UNION ALL SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ',') FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      UNION ALL SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()
      UNION ALL SELECT string_agg(extname, ',' ORDER BY extname) FROM pg_extension`);
  const unseen = (log: string) => {
    for (const password of Object.values(passwords)) assert.ok(!log.includes(password), log);
  };
  const asKeeper = () => ({ 'db-admin-user': keeper.name });

  test('the admin’s password from there, Odoo’s from odoo.conf: backup, and rollback of everything', async () => {
    await pgpass(line(keeper, passwords.keeper));
    const then = await facts();
    const odooThen = await scene.server.state();
    const made = await scene.succeeds('backup');
    await scene.sql("UPDATE res_partner SET name = 'broken'; DROP EXTENSION pg_stat_statements");
    assert.notEqual(await facts(), then);
    const back = await scene.succeeds('rollback', asKeeper());
    assert.equal(await facts(), then);
    assert.deepEqual(await scene.server.state(), odooThen);
    unseen(made.log + back.log);
  });

  test('both from there: odoo.conf has none', async () => {
    await pgpass(line(strict, passwords.strict) + line(keeper, passwords.keeper));
    const without = join(scene.scene.odoo.dataDir, 'without.conf');
    const conf = await readFile(scene.scene.odoo.conf, 'utf8');
    await passwordFile(without, conf.replace(/^db_password = .*$/m, 'db_password = False'));
    const then = await facts();
    await scene.succeeds('backup', { 'odoo-conf': without });
    await scene.sql('UPDATE res_partner SET name = id::text');
    await scene.succeeds('rollback', { ...asKeeper(), 'odoo-conf': without });
    assert.equal(await facts(), then);

    // A password of neither role.
    await pgpass('');
    const { exitCode, log } = await scene.run('backup', { 'odoo-conf': without });
    assert.equal(exitCode, 1, log);
    assert.match(
      log,
      new RegExp(
        `rejected every account and role that this run could use:\n +${strict.name} as account ${account.name}: .*no password supplied`,
      ),
    );
    assert.match(
      log,
      new RegExp(
        `Set db-password, from a secret of the CI; or put the line ${ANOTHER_MACHINE}:${server.port}:\\*:${strict.name}:PASSWORD into ~/\\.pgpass of ${account.name} `,
      ),
    );
    assert.doesNotMatch(log, /peer authentication work/);
  });

  test('PGPASSFILE of the account’s environment counts', async () => {
    await pgpass('');
    const elsewhere = join(home, 'passwords');
    await passwordFile(elsewhere, line(keeper, passwords.keeper));
    await using ssh = await startOwnSshd(sandbox, { HOME: home, PGPASSFILE: elsewhere });
    const over = { 'ssh-port': String(ssh.port), 'dry-run': 'true' };
    await scene.succeeds('backup');
    const { log } = await scene.succeeds('rollback', { ...asKeeper(), ...over });
    assert.match(log, new RegExp(`Checked .*${keeper.name} may create and rename databases`));
  });

  test('where the password is missing, wrong, or open to others, the run says so and touches nothing', async () => {
    await scene.succeeds('backup');
    const before = await scene.traces();
    const refused = async (...words: readonly RegExp[]) => {
      const { exitCode, log } = await scene.run('rollback', asKeeper());
      assert.equal(exitCode, 1, log);
      for (const each of words) assert.match(log, each);
      unseen(log);
      assert.deepEqual(await scene.traces(), before);
    };
    const where = new RegExp(
      `There is no input for its password: put the line ${ANOTHER_MACHINE}:${server.port}:\\*:${keeper.name}:PASSWORD into ~/\\.pgpass of ${account.name} `,
    );
    const who = new RegExp(`db-admin-user: PostgreSQL does not let in the role ${keeper.name}`);
    await pgpass(line(strict, passwords.strict));
    await refused(who, /no password supplied/, where);
    await pgpass(line(keeper, 'another'));
    await refused(who, /password authentication failed/, where);
    await pgpass(line(keeper, passwords.keeper), 0o644);
    await refused(who, /password file .* has group or world access/, where);
    await run(['rm', join(home, '.pgpass')]);
    await refused(who, /no password supplied/, where);
  });
});

/** Makes all that is in the fixture's database another role's. */
const handOver = (role: string): string => `
  CREATE EXTENSION pg_stat_statements;
  DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT oid::regclass FROM pg_class c
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype IN ('a', 'i', 'e') AND classid = 'pg_class'::regclass)
      ORDER BY relkind = 'S'
    LOOP EXECUTE 'ALTER TABLE ' || name || ' OWNER TO "${role}"'; END LOOP;
    EXECUTE format('ALTER DATABASE %I OWNER TO "${role}"', current_database());
  END $$`;
