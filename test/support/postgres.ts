import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, freePorts, ownAccount, run, type Servers } from './processes.ts';

/** A private PostgreSQL cluster: where it is, and the two roles that real Odoo hosts have. */
export interface PostgresServer {
  /** Folder of the programs of the server's version. */
  readonly bin: string;
  readonly socket: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  /** A superuser. */
  readonly admin: Role;
  /** May log in and create databases, like the role of an Odoo server. */
  readonly odoo: Role;
}

export interface Role {
  readonly name: string;
  readonly password: string;
}

export interface ClusterOptions {
  readonly account: Account;
  /** Further lines of postgresql.conf. */
  readonly settings?: string;
  /** Its data folder is a copy of this one. Default: a new cluster. */
  readonly image?: string;
}

/**
 * Starts a cluster as `account`. Over TCP the roles need their passwords; over the socket that account and our own
 * are let in as either role (peer authentication with a user name map).
 */
export async function startPostgres(
  servers: Servers,
  folder: string,
  { account, settings = '', image }: ClusterOptions,
): Promise<PostgresServer> {
  const [port = 0] = await freePorts(1);
  const bin = await newestPrograms();
  const server: PostgresServer = {
    bin,
    socket: folder,
    host: '127.0.0.1',
    port,
    admin: { name: 'admin', password: randomBytes(12).toString('hex') },
    odoo: { name: 'odoo', password: randomBytes(12).toString('hex') },
  };
  const data = dataFolder(folder);
  if (image === undefined) {
    const options = ['--username=admin', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
    await run([join(bin, 'initdb'), '--pgdata', data, ...options], { as: account });
  } else {
    await run(['cp', '--archive', image, data]);
  }
  await appendFile(
    join(data, 'postgresql.conf'),
    `listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = '${folder}'
password_encryption = 'scram-sha-256'
max_connections = 200
max_wal_size = '1GB'
wal_level = logical
# The data need not survive a crash.
fsync = off
synchronous_commit = off
full_page_writes = off
# In the data folder, which goes with the cluster, also where the server is killed.
dynamic_shared_memory_type = mmap
# Nobody lives long enough to profit, and every test's database would get visits.
autovacuum_naptime = '1d'
${settings}
`,
  );
  await writeFile(
    join(data, 'pg_hba.conf'),
    'local all all peer map=sandbox\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
  const accounts = new Set([account.name, ownAccount().name]);
  const roles = [server.admin.name, server.odoo.name];
  const map = [...accounts].flatMap((name) => roles.map((role) => `sandbox "${name}" ${role}\n`));
  await writeFile(join(data, 'pg_ident.conf'), map.join(''));

  // SIGINT is the fast shutdown: it does not wait for clients.
  const postgres = servers.start('postgres', [join(bin, 'postgres'), '-D', data], {
    as: account,
    stopSignal: 'SIGINT',
  });
  const ready = async () =>
    (await run([join(bin, 'pg_isready'), '-q', '-h', folder, '-p', String(port)])) === '';
  await servers.untilReady('postgres', postgres, ready);
  await psql(
    server,
    'postgres',
    `ALTER ROLE admin PASSWORD '${server.admin.password}';
     ${image === undefined ? 'CREATE ROLE odoo LOGIN CREATEDB;' : ''}
     ALTER ROLE odoo PASSWORD '${server.odoo.password}';`,
  );
  return server;
}

/** Where `startPostgres` puts the data. */
export const dataFolder = (folder: string): string => join(folder, 'data');

/** Major version of its programs: /usr/lib/postgresql/<major>/bin. */
export function majorOfServer({ bin }: Pick<PostgresServer, 'bin'>): number {
  return Number(/postgresql\/(\d+)\//.exec(bin)?.[1]);
}

/** Debian keeps each version's programs apart: /usr/lib/postgresql/<major>/bin. */
export async function newestPrograms(): Promise<string> {
  const found = globSync('/usr/lib/postgresql/*/bin/initdb');
  const newest = found.map((path) => Number(path.split('/')[4])).sort((a, b) => b - a)[0];
  if (newest === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  return `/usr/lib/postgresql/${newest}/bin`;
}

/**
 * Runs SQL (or a script from standard input), as the admin unless told otherwise, and returns the rows: `|` between
 * columns.
 */
export async function psql(
  server: PostgresServer,
  database: string,
  sql: string | NodeJS.ReadableStream,
  role: 'admin' | 'odoo' = 'admin',
): Promise<string> {
  const connection = ['-h', server.socket, '-p', String(server.port), '-U', role, '-d', database];
  const argv = [join(server.bin, 'psql'), '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...connection];
  return (await run(argv, { input: sql })).trim();
}

let created = 0;

/** A database name that no other test uses. */
export function uniqueName(prefix = 'prod'): string {
  created += 1;
  return `${prefix}_${process.pid}_${created}`;
}

/** Creates a database that belongs to `odoo`, empty or as a copy of another. */
export async function createDatabase(
  server: PostgresServer,
  name: string,
  template = 'template0',
): Promise<void> {
  const strategy = majorOfServer(server) >= 15 ? 'STRATEGY file_copy' : ''; // the quicker one where nothing waits for a disk
  await psql(server, 'postgres', `CREATE DATABASE "${name}" OWNER odoo TEMPLATE "${template}" ${strategy}`);
}

/** Drops a database, even while sessions are connected to it. */
export async function dropDatabase(server: PostgresServer, name: string): Promise<void> {
  await psql(server, 'postgres', `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
}
