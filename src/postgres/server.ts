import type { Accounts } from '../host/accounts.ts';
import { explaining } from '../host/explaining.ts';
import { type Command, CommandError, type Exit, type Host } from '../host/host.ts';
import { run } from '../host/run.ts';
import { type HostTools, oldestFitting, type PostgresClient } from '../host/tools.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { assertKeepsConnection } from './pooler.ts';
import {
  EXTENSION_SEARCH_PATH,
  inUtf8,
  PSQL_SESSION,
  runPsql,
  SEARCH_PATH,
  sessionSettings,
  setStatement,
  startOptions,
} from './psql.ts';
import { MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';
import { SqlError } from './sql-error.ts';
import { PgVersion } from './version.ts';

/** How Odoo reaches its database, from odoo.conf and the inputs. What is undefined is libpq's default. */
export interface DatabaseSettings {
  /** A name, an address, or the folder of the socket; undefined: the local socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user: string;
  readonly password?: string;
  readonly sslmode?: string;
}

/** A way in that works: the host's account and the database role. */
interface Route {
  readonly as: string | undefined;
  readonly user: string;
  /** Through a pooler, which takes no options at the start of a session. */
  readonly pooled?: boolean;
}

/** The PostgreSQL server of a host, and the client programs to use with it. */
export class Postgres {
  readonly host: Host;
  /** Version of the server. */
  readonly version: PgVersion;
  readonly client: PostgresClient;
  readonly #settings: DatabaseSettings;
  readonly #route: Route;
  #searchPath = SEARCH_PATH;
  /** The role that its sessions take after they have logged in as another. */
  #role: string | undefined;

  private constructor(found: FoundServer, client: PostgresClient) {
    this.host = found.host;
    this.#settings = found.settings;
    this.#route = found.route;
    this.version = found.version;
    this.client = client;
  }

  /**
   * Finds a way into the server and the client programs that fit it.
   *
   * Ways are tried in this order: the login account; for a server on this host without a password (peer
   * authentication), the account that bears the role's name, then `postgres`.
   *
   * @throws UserError when no client is installed, the server does not answer, lets nobody in, lacks the
   * database, or is newer than every pg_dump on the host
   */
  static async connect(
    host: Host,
    accounts: Accounts,
    tools: HostTools,
    settings: DatabaseSettings,
    database: string,
  ): Promise<Postgres> {
    const newest = tools.clients.toSorted((a, b) => b.major - a.major)[0];
    if (!newest) {
      throw new UserError(
        `No PostgreSQL client on ${host.label}: pg_dump is neither on PATH nor in /usr/lib/postgresql/*/bin`,
        'Install it on the host, in the major version of the server: apt-get install postgresql-client',
      );
    }
    await assertReady(host, newest, settings, database);
    const found = await findRoute(host, accounts, newest, settings, database);
    return new Postgres(found, fittingClient(found, tools));
  }

  /** Who is connected as whom, for the log: `role odoo`, `role odoo, as account odoo by sudo`. Root needs no sudo. */
  get identity(): string {
    const { as, user } = this.#route;
    const by = this.host.user === 'root' ? '' : ' by sudo';
    return `role ${user}${as === undefined ? '' : `, as account ${as}${by}`}`;
  }

  /** The role that inputs and odoo.conf name: Odoo's own, though a superuser may be the one who is connected. */
  get role(): string {
    return this.#settings.user;
  }

  /** The role that is logged in: the one that inputs and odoo.conf name, or `postgres` in its place. */
  get login(): string {
    return this.#route.user;
  }

  /** The account that runs the client programs, for `Command.as`. */
  get account(): string | undefined {
    return this.#route.as;
  }

  /** Reached without leaving the host. In a container it may still have a file system of its own. */
  get isLocal(): boolean {
    return isSocket(this.#settings) || LOOPBACK.has(this.#settings.host ?? '');
  }

  get port(): number {
    return portOf(this.#settings);
  }

  /** The same server, reached by other client programs. */
  withClient(client: PostgresClient): Postgres {
    const { host, version } = this;
    return new Postgres({ host, settings: this.#settings, route: this.#route, version }, client);
  }

  /**
   * The same server as another role: by peer authentication over its socket, by what else pg_hba.conf allows, or by
   * the account's own ~/.pgpass.
   *
   * @param password of the role, where it is known
   * @throws UserError when the role is not let in
   */
  async asRole(role: string, accounts: Accounts, tools: HostTools, password?: string): Promise<Postgres> {
    const settings = { ...this.#settings, user: role, password };
    const viaSocket = LOOPBACK.has(settings.host ?? '') ? [{ ...settings, host: undefined }] : [];
    let failure: unknown;
    for (const each of [...viaSocket, settings]) {
      try {
        const other = await Postgres.connect(this.host, accounts, tools, each, MAINTENANCE_DATABASE);
        const isThis = (await startedAt(other)) === (await startedAt(this));
        if (isThis && other.login === role) return other;
        failure = new Error(
          isThis
            ? `Only ${other.identity} is let in`
            : `There is another PostgreSQL server at ${whereOf(each)}`,
        );
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        failure = error;
      }
    }
    throw new UserError(
      `db-admin-user: PostgreSQL does not let in the role ${role}. ${messageOf(failure)}`,
      overTcp(settings)
        ? `There is no input for its password: ${passwordLine(settings, this.host)}`
        : `Let it in by peer authentication, or put its password into ~/.pgpass of ${this.host.user}. ${accounts.sudoersHint([role])}`,
      { cause: failure },
    );
  }

  /** The same, with sessions that find what other extensions have in `public` (`EXTENSION_SEARCH_PATH`). */
  creatingExtensions(): Postgres {
    const other = this.withClient(this.client);
    other.#searchPath = EXTENSION_SEARCH_PATH;
    other.#role = this.#role;
    return other;
  }

  /**
   * The same, with sessions that make what they make in the name of another role. That is no boundary: only for a
   * database in which nothing is anybody's yet.
   */
  inRole(role: string): Postgres {
    const other = this.withClient(this.client);
    other.#role = role;
    return other;
  }

  /** A psql that runs the statements of ours which it reads (`psqlScript`). */
  psql(database: string): Command {
    const session = { ...this.#sessionSettings, search_path: this.#searchPath };
    return psqlCommand(this.client, this.#settings, this.#route, database, session);
  }

  get #sessionSettings(): Readonly<Record<string, string>> {
    return { ...sessionSettings(this.version), ...(this.#role === undefined ? {} : { role: this.#role }) };
  }

  /** Statements that a session of ours begins with: its settings, where it could not start with them. */
  get firstStatements(): readonly Sql[] {
    return this.isPooled ? [setStatement(this.#sessionSettings)] : [];
  }

  /** Reached through a connection pooler such as pgbouncer. */
  get isPooled(): boolean {
    return this.#route.pooled === true;
  }

  /** A command that runs one of PostgreSQL's client programs on a database. */
  command(program: string, args: readonly string[], database: string): Command {
    return clientCommand(this.client, program, args, this.#settings, this.#route, database);
  }

  /** A command by which pg_restore reads a dump and asks no server: it gets no password. */
  reading(args: readonly string[]): Command {
    return { ...this.command('pg_restore', args, ''), secretEnv: undefined };
  }
}

interface FoundServer {
  readonly host: Host;
  readonly settings: DatabaseSettings;
  readonly route: Route;
  readonly version: PgVersion;
}

/** The database goes by PGDATABASE: as an argument, a name with `=` in it would be read as a connection string. */
function clientCommand(
  client: PostgresClient,
  program: string,
  args: readonly string[],
  settings: DatabaseSettings,
  route: Route,
  database: string,
): Command {
  // The words of the programs themselves are read; those of the server stay in its language: lc_messages is a
  // superuser's.
  const env: Record<string, string> = {
    LC_ALL: 'C',
    PGDATABASE: database,
    PGUSER: route.user,
    PGAPPNAME: 'odoo-backup',
  };
  if (settings.host !== undefined) env.PGHOST = settings.host;
  if (settings.port !== undefined) env.PGPORT = String(settings.port);
  if (settings.sslmode !== undefined) env.PGSSLMODE = settings.sslmode;
  return {
    argv: [`${client.folder}/${program}`, ...args],
    as: route.as,
    env,
    secretEnv: settings.password === undefined ? undefined : { PGPASSWORD: settings.password },
  };
}

const psqlCommand = (
  client: PostgresClient,
  settings: DatabaseSettings,
  route: Route,
  database: string,
  session: Readonly<Record<string, string>> = sessionSettings(),
): Command => {
  const command = inUtf8(clientCommand(client, 'psql', PSQL_SESSION, settings, route, database));
  if (route.pooled) return command;
  return { ...command, env: { ...command.env, PGOPTIONS: startOptions(session) } };
};

async function assertReady(
  host: Host,
  client: PostgresClient,
  settings: DatabaseSettings,
  database: string,
): Promise<void> {
  const command = clientCommand(
    client,
    'pg_isready',
    ['-t', '10'],
    settings,
    { as: undefined, user: settings.user },
    database, // pgbouncer lets a client wait that asks for a missing database
  );
  const problemOf = ({ code }: Exit): string =>
    code === 1 ? 'refuses connections (starting up or shutting down)' : 'does not answer';
  await run(host, { ...command, secretEnv: undefined }).catch(
    explaining(({ exit }) => [
      `PostgreSQL ${problemOf(exit)} at ${whereOf(settings)}, seen from ${host.label}`,
      'Check that the server runs, and db_host and db_port in odoo.conf (inputs db-host and db-port override them).',
    ]),
  );
}

function whereOf(settings: DatabaseSettings): string {
  const port = portOf(settings);
  return settings.host === undefined ? `the local socket, port ${port}` : `${settings.host}:${port}`;
}

/** libpq's default, where none is set. */
const portOf = ({ port = 5432 }: DatabaseSettings): number => port;

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

/** Start time of the server, to the microsecond: tells one server from another. */
function startedAt(postgres: Postgres): Promise<string> {
  const query = sql`SELECT extract(epoch FROM pg_postmaster_start_time())`;
  return runPsql(postgres.host, postgres.psql(MAINTENANCE_DATABASE), ...postgres.firstStatements, query);
}

const isSocket = (settings: DatabaseSettings): boolean =>
  settings.host === undefined || settings.host.startsWith('/');

async function findRoute(
  host: Host,
  accounts: Accounts,
  client: PostgresClient,
  settings: DatabaseSettings,
  database: string,
): Promise<FoundServer> {
  const failures: string[] = [];
  for await (const route of routes(accounts, settings)) {
    // Strict pg_hba.conf files let a role into its own database only; others refuse a missing database first.
    for (const via of new Set([database, MAINTENANCE_DATABASE])) {
      try {
        const { exists, ...answer } = await lookIn(host, client, settings, route, via, database);
        const found = { host, settings, ...answer };
        if (exists) return found;
        throw await noSuchDatabase(found, client, database);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        if (via === database)
          failures.push(`${route.user} as account ${route.as ?? host.user}: ${error.exit.stderr}`);
      }
    }
  }
  throw new UserError(
    `PostgreSQL at ${whereOf(settings)} lets nobody in that this run can be:\n  ${failures.join('\n  ')}`,
    loginHint(host, accounts, settings),
  );
}

/** What the server says of itself and a database, when it is entered by a route through another one. */
async function lookIn(
  host: Host,
  client: PostgresClient,
  settings: DatabaseSettings,
  route: Route,
  via: string,
  database: string,
): Promise<Pick<FoundServer, 'route' | 'version'> & { readonly exists: boolean }> {
  // In one transaction, and gone with it: the next client of the pooler's connection keeps none of it.
  const questions = [
    sql`BEGIN`,
    // Not its value: a database's owner may have set one of several lines.
    sql`SELECT pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.=) ${SEARCH_PATH}`,
    sql`SET LOCAL search_path = pg_catalog, pg_temp`,
    sql`SELECT current_setting('server_version_num'), current_setting('server_version'),
      EXISTS (SELECT FROM pg_database WHERE datname = ${database})`,
    sql`COMMIT`,
  ];
  const ask = (by: Route) => runPsql(host, psqlCommand(client, settings, by, via), ...questions);
  const pooled = { ...route, pooled: true };
  const answer = await ask(route).catch((error: unknown) => {
    if (error instanceof SqlError && error.sqlState === undefined) return ask(pooled);
    throw error;
  });
  const [isOurs, line = ''] = answer.split('\n');
  const [number, text = '', exists] = line.split('|');
  if (isOurs !== 't')
    await assertKeepsConnection(host, psqlCommand(client, settings, pooled, via), whereOf(settings));
  return {
    route: isOurs === 't' ? route : pooled,
    version: new PgVersion(Number(number), text.split(' ')[0] ?? ''),
    exists: exists === 't',
  };
}

function loginHint(host: Host, accounts: Accounts, settings: DatabaseSettings): string {
  if (settings.password !== undefined)
    return 'Check db_user and db_password in odoo.conf (inputs db-user and db-password override them). If it takes no more connections, end some, or raise the limit: ALTER ROLE … CONNECTION LIMIT, max_connections.';
  return overTcp(settings)
    ? `Set db-password, from a secret of the CI; or ${passwordLine(settings, host)}`
    : `Set db-user and db-password, or let peer authentication work. ${accounts.sudoersHint([settings.user, 'postgres'])}`;
}

/** Whether the server is reached by TCP, where peer authentication does not work. */
const overTcp = (settings: DatabaseSettings): boolean =>
  !isSocket(settings) && !LOOPBACK.has(settings.host ?? '');

/** https://www.postgresql.org/docs/current/libpq-pgpass.html */
function passwordLine(settings: DatabaseSettings, { user, label }: Host): string {
  const [where, role] = [settings.host ?? '', settings.user].map((each) => each.replaceAll(/[:\\]/g, '\\$&'));
  const line = `${where}:${portOf(settings)}:*:${role}:PASSWORD`;
  return `put the line ${line} into ~/.pgpass of ${user} on ${label} (or the file that its PGPASSFILE names), which only ${user} may read: chmod 600`;
}

async function* routes(accounts: Accounts, settings: DatabaseSettings): AsyncGenerator<Route> {
  if (settings.password !== undefined) return yield { as: undefined, user: settings.user };
  const candidates = [settings.user, ...(isSocket(settings) ? ['postgres'] : [])];
  for await (const as of accounts.usable(candidates)) {
    // Peer authentication lets the account postgres in as the superuser of that name only.
    yield { as, user: as === 'postgres' ? as : settings.user };
  }
}

async function noSuchDatabase(
  found: FoundServer,
  client: PostgresClient,
  database: string,
): Promise<UserError> {
  const query = sql`SELECT datname FROM pg_database
    WHERE datallowconn AND NOT datistemplate AND datname <> ${MAINTENANCE_DATABASE} ORDER BY 1`;
  const { settings, route, version } = found;
  const command = psqlCommand(client, settings, route, MAINTENANCE_DATABASE, sessionSettings(version));
  const first = route.pooled ? [setStatement(sessionSettings(version))] : [];
  const names = await runPsql(found.host, command, ...first, query).then(
    (text) => text.trim().split('\n').filter(Boolean),
    messageOf,
  );
  const those = typeof names === 'string' || names.length === 0 ? 'none that can be seen' : names.join(', ');
  return new UserError(
    `Database does not exist: ${database} (on ${found.host.label}). Databases there: ${those}`,
    'Check the input database, or db_name in odoo.conf.',
  );
}

/** pg_dump must not be older than the server; of those that are not, the oldest writes what the server reads. */
function fittingClient(found: FoundServer, tools: HostTools): PostgresClient {
  const { major, text } = found.version;
  const fitting = oldestFitting(tools.clients, major);
  if (fitting) return fitting;
  const majors = tools.clients.map((client) => client.major).join(', ');
  throw new UserError(
    `pg_dump on ${found.host.label} is too old: the server is PostgreSQL ${text}, pg_dump is ${majors}`,
    `Install the client of the server's version on the host: apt-get install postgresql-client-${major}`,
  );
}
