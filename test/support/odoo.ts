import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDatabase, dropDatabase, type PostgresServer, psql, uniqueName } from './postgres.ts';
import { type Account, run } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

/** A backup that Odoo 14 itself wrote. */
export const archive = join(import.meta.dirname, '../fixtures/odoo14_standard.zip');
/**
 * The fixture as it is (449 tables, 2,637 indexes of all kinds), or what stands for it where its size shows nothing: a
 * tenth of its tables with all that belongs to them, and every attachment.
 */
export type Fixture = 'full' | 'slim';

const templates: Readonly<Record<Fixture, string>> = { full: 'odoo_template', slim: 'odoo_template_slim' };

/**
 * Tables of the slim template: those without which Odoo's stand-in does not start, those that neutralizing and the
 * tests change, and a few that bring foreign keys, inheritance, sequences and columns of every type.
 */
export const slimTables = [
  ...['res_users', 'res_partner', 'res_company', 'ir_attachment', 'ir_module_module', 'ir_config_parameter'],
  ...['ir_cron', 'ir_model', 'ir_model_data', 'ir_actions', 'ir_act_server', 'ir_mail_server'],
  ...['fetchmail_server', 'mail_template', 'mail_message', 'res_partner_bank', 'res_bank', 'res_lang'],
  ...['res_country', 'res_country_state', 'res_currency', 'res_currency_rate', 'res_groups'],
  ...['res_groups_users_rel', 'res_company_users_rel', 'payment_acquirer', 'sale_order', 'crm_team'],
  ...['ir_sequence', 'account_move', 'res_users_log'],
];

/** An Odoo database with its filestore and its odoo.conf. Dropped and removed when it is disposed of. */
export interface Odoo extends AsyncDisposable {
  readonly database: string;
  /** Odoo's `data_dir`. */
  readonly dataDir: string;
  /** `<data_dir>/filestore/<database>`. */
  readonly filestore: string;
  /** Path of odoo.conf. */
  readonly conf: string;
}

/** Loads the fixture, as Odoo itself restores it, and makes the slim template of it; the tests get copies. */
export async function loadTemplates(postgres: PostgresServer): Promise<void> {
  const { full, slim } = templates;
  await createDatabase(postgres, full);
  const unzip = spawn('unzip', ['-p', archive, 'dump.sql'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await psql(postgres, full, unzip.stdout, 'odoo');
  await psql(postgres, full, 'ANALYZE');
  await createDatabase(postgres, slim, full);
  await psql(postgres, slim, keepOnly(slimTables));
  for (const template of [full, slim])
    await psql(postgres, 'postgres', `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
}

/** Unpacks the fixture's filestore, of which the tests get copies. */
export async function unpackFilestore(folder: string, account: Account): Promise<void> {
  await run(['unzip', '-q', archive, 'filestore/*', '-d', join(folder, 'template')]);
  await run(['chown', '-R', `${account.uid}:${account.gid}`, join(folder, 'template')]);
}

/**
 * Drops all other tables, few at a time: one transaction may not hold a lock for each of them. Of the list of what Odoo's
 * modules have made, which is longer than all else together, a part stays; of the comments on columns, which are most of a
 * dump's statements, those of one table.
 */
export const keepOnly = (tables: readonly string[]): string => `
  DO $$
  DECLARE names text;
  BEGIN
    FOR names IN SELECT string_agg(format('%I', tablename), ', ') FROM (
        SELECT tablename, row_number() OVER (ORDER BY tablename) / 8 AS batch FROM pg_tables
         WHERE schemaname = 'public' AND tablename <> ALL ('{${tables.join()}}')) AS others GROUP BY batch
    LOOP
      EXECUTE 'DROP TABLE ' || names || ' CASCADE';
      COMMIT;
    END LOOP;
    FOR names IN SELECT format('%s.%I', attrelid::regclass, attname) FROM pg_description
        JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid JOIN pg_class ON pg_class.oid = attrelid
       WHERE classoid = 'pg_class'::regclass AND relnamespace = 'public'::regnamespace AND relname <> 'res_partner'
    LOOP
      EXECUTE 'COMMENT ON COLUMN ' || names || ' IS NULL';
    END LOOP;
  END $$;
  DELETE FROM ir_model_data WHERE model <> 'ir.cron' AND id % 20 > 0;
  VACUUM (FULL, ANALYZE);`;

export interface OdooOptions {
  /** Default: `slim`. */
  readonly fixture?: Fixture;
  /** Default: a name that no other test uses. */
  readonly database?: string;
  /** How odoo.conf tells Odoo to log in. Default: `peer`. */
  readonly login?: 'peer' | 'password';
  /** Further lines of odoo.conf's `[options]`. */
  readonly options?: Readonly<Record<string, string>>;
}

/** A fresh copy of the fixture's Odoo on the sandbox's host. */
export async function createOdoo(sandbox: Sandbox, options: OdooOptions = {}): Promise<Odoo> {
  const { postgres, account, folder } = sandbox;
  const database = options.database ?? uniqueName();
  await using resources = new AsyncDisposableStack();
  if (options.database !== undefined) resources.use(await holdName(folder, database));
  const dataDir = join(folder, 'odoo', database);
  const filestore = join(dataDir, 'filestore', database);
  const conf = join(dataDir, 'odoo.conf');
  await mkdir(join(dataDir, 'filestore'), { recursive: true });
  await Promise.all([
    createDatabase(postgres, database, templates[options.fixture ?? 'slim']),
    run(['cp', '-a', join(folder, 'odoo/template/filestore'), filestore]),
    writeFile(conf, odooConf(sandbox, database, dataDir, options), { mode: 0o640 }),
  ]);
  for (const path of [dataDir, join(dataDir, 'filestore'), conf]) await chown(path, account.uid, account.gid);
  const kept = resources.move();
  return {
    database,
    dataDir,
    filestore,
    conf,
    async [Symbol.asyncDispose]() {
      await Promise.all([dropDatabase(postgres, database), run(['rm', '-rf', dataDir])]);
      await kept.disposeAsync();
    },
  };
}

/**
 * Test files run side by side, and some want an Odoo of the same name, as documents have it: one waits for the other.
 */
export async function holdName(folder: string, name: string): Promise<AsyncDisposable> {
  const path = join(folder, `${name.replaceAll('/', '_')}.lock`);
  const argv = ['--pdeathsig', 'KILL', 'flock', path, 'sh', '-c', 'echo held; exec cat'];
  const holder = spawn('setpriv', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  const [first] = await Promise.race([once(holder.stdout, 'data'), ended]);
  if (!Buffer.isBuffer(first)) throw new Error(`flock ended: ${path}`);
  return {
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await ended;
    },
  };
}

function odooConf({ postgres }: Sandbox, database: string, dataDir: string, options: OdooOptions): string {
  const login =
    options.login === 'password'
      ? { db_host: postgres.host, db_user: postgres.odoo.name, db_password: postgres.odoo.password }
      : { db_host: postgres.socket, db_user: postgres.odoo.name, db_password: 'False' };
  const settings = {
    ...login,
    db_port: postgres.port,
    db_name: database,
    data_dir: dataDir,
    ...options.options,
  };
  return `[options]\n${Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')}`;
}
