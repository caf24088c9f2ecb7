import { spawn } from 'node:child_process';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDatabase, dropDatabase, type PostgresServer, psql, uniqueName } from './postgres.ts';
import { type Account, run } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

/** A backup that Odoo 14 itself wrote. */
export const archive = join(import.meta.dirname, '../fixtures/odoo14_standard.zip');
const template = 'odoo_template';

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

/** Loads the fixture once, as Odoo itself restores it; the tests get copies. */
export async function loadTemplate(
  postgres: PostgresServer,
  folder: string,
  account: Account,
): Promise<void> {
  const extract = async () => {
    await run(['unzip', '-q', archive, 'filestore/*', '-d', join(folder, 'template')]);
    await run(['chown', '-R', `${account.uid}:${account.gid}`, join(folder, 'template')]);
  };
  const load = async () => {
    await createDatabase(postgres, template);
    const unzip = spawn('unzip', ['-p', archive, 'dump.sql'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await psql(postgres, template, unzip.stdout, 'odoo');
    await psql(postgres, template, 'ANALYZE');
    await psql(postgres, 'postgres', `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
  };
  await Promise.all([extract(), load()]);
}

export interface OdooOptions {
  /** Left out: a name that no other test uses. */
  readonly database?: string;
  /** How odoo.conf tells Odoo to log in. Left out: `peer`. */
  readonly login?: 'peer' | 'password';
  /** Further lines of odoo.conf's `[options]`. */
  readonly options?: Readonly<Record<string, string>>;
}

/** A fresh copy of the fixture's Odoo on the sandbox's host. */
export async function createOdoo(sandbox: Sandbox, options: OdooOptions = {}): Promise<Odoo> {
  const { postgres, account, folder } = sandbox;
  const database = options.database ?? uniqueName();
  const dataDir = join(folder, 'odoo', database);
  const filestore = join(dataDir, 'filestore', database);
  const conf = join(dataDir, 'odoo.conf');
  await mkdir(join(dataDir, 'filestore'), { recursive: true });
  await Promise.all([
    createDatabase(postgres, database, template),
    run(['cp', '-a', join(folder, 'odoo/template/filestore'), filestore]),
    writeFile(conf, odooConf(sandbox, database, dataDir, options), { mode: 0o640 }),
  ]);
  for (const path of [dataDir, join(dataDir, 'filestore'), conf]) await chown(path, account.uid, account.gid);
  return {
    database,
    dataDir,
    filestore,
    conf,
    async [Symbol.asyncDispose]() {
      await Promise.all([dropDatabase(postgres, database), run(['rm', '-rf', dataDir])]);
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
