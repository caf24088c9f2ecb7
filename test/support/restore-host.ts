import { Accounts } from '../../src/host/accounts.ts';
import type { Host } from '../../src/host/host.ts';
import { type Odoo as FoundOdoo, findOdoo } from '../../src/odoo/installation.ts';
import { plainSite } from '../../src/odoo/site.ts';
import { login } from './login.ts';
import { createOdoo, type Odoo, type OdooOptions } from './odoo.ts';
import { dropDatabase, psql } from './postgres.ts';
import { type Sandbox, useSandbox } from './sandbox.ts';
import { type SshServer, startOwnSshd } from './sshd.ts';

/** One Odoo, and a login to its host. */
export interface RestoreHost extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly odoo: Odoo;
  readonly ssh: SshServer;
  readonly host: Host;
  readonly accounts: Accounts;
  readonly found: FoundOdoo;
  /** Runs SQL as the admin, in the Odoo's database unless told otherwise. */
  sql(statement: string, database?: string): Promise<string>;
}

/** @param via another port that leads to the sshd: a proxy's */
export async function openRestoreHost(
  options: OdooOptions = {},
  via?: (ssh: SshServer) => Promise<number>,
): Promise<RestoreHost> {
  const sandbox = useSandbox();
  await using resources = new AsyncDisposableStack();
  const odoo = resources.use(await createOdoo(sandbox, options));
  const ssh = resources.use(await startOwnSshd(sandbox));
  const port = via ? await via(ssh) : ssh.port;
  const trust = { fingerprint: ssh.hostKeys.fingerprints.join(' ') }; // whatever the port
  const host = resources.use(await login(sandbox, { ...ssh, port }, { trust }));
  const accounts = new Accounts(host, 'auto');
  const settings = { odooConf: odoo.conf, filestore: true };
  const found = await findOdoo(plainSite(host, 'auto'), settings, { secret: () => {} });
  const sql = (statement: string, database = odoo.database) => psql(sandbox.postgres, database, statement);
  const kept = resources.move();
  return { sandbox, odoo, ssh, host, accounts, found, sql, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Timestamp in the names that tests derive. */
export const timestamp = '20261121034100';

/** Drops what a restore has made, if it is there. */
export async function dropTemplate({ sandbox, sql }: RestoreHost, database: string): Promise<void> {
  if ((await sql(`SELECT 1 FROM pg_database WHERE datname = '${database}'`, 'postgres')) === '') return;
  await sql(`ALTER DATABASE "${database}" IS_TEMPLATE false`, 'postgres');
  await dropDatabase(sandbox.postgres, database);
}
