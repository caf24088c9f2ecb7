import type { Accounts } from '../host/accounts.ts';
import { explaining } from '../host/explaining.ts';
import { CommandError, type Exit, type Host } from '../host/host.ts';
import { run } from '../host/run.ts';
import { type HostTools, oldestFitting, type PostgresClient } from '../host/tools.ts';
import { inOrder } from '../util/begun.ts';
import { messageOf, UserError } from '../util/errors.ts';
import {
  type Access,
  clientCommand,
  type DatabaseSettings,
  isSocket,
  overTcp,
  passwordLine,
  psqlCommand,
  type Route,
  whereOf,
} from './access.ts';
import { assertKeepsConnection } from './pooler.ts';
import { runPsql, SEARCH_PATH, sessionSettings, setStatement } from './psql.ts';
import { MAINTENANCE_DATABASE, sql } from './sql.ts';
import { SqlError } from './sql-error.ts';
import { PgVersion } from './version.ts';

/** Where PostgreSQL's client programs run: as which accounts, and which programs there are. */
export interface ClientSide {
  readonly host: Host;
  readonly accounts: Accounts;
  readonly tools: HostTools;
}

/** A server that lets this run in. */
export interface FoundServer extends Access {
  readonly version: PgVersion;
  /** Whether the role that logs in is a superuser. */
  readonly isSuperuser: boolean;
  /** Whether a superuser has logged in for a database of somebody else. */
  readonly isForeignSuperuser: boolean;
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
export async function findServer(
  at: ClientSide,
  settings: DatabaseSettings,
  database: string,
): Promise<FoundServer> {
  const { host, tools } = at;
  const newest = tools.clients.toSorted((a, b) => b.major - a.major)[0];
  if (!newest) {
    throw new UserError(
      `No PostgreSQL client on ${host.label}: pg_dump is neither on PATH nor in /usr/lib/postgresql/*/bin`,
      'Install it on the host, in the major version of the server: apt-get install postgresql-client',
    );
  }
  // A server that does not answer is told before what a client says of it.
  const [, found] = await inOrder(
    assertReady(host, newest, settings, database),
    findRoute(at, newest, settings, database),
  );
  return { ...found, client: fittingClient(found.version, at) };
}

async function assertReady(
  host: Host,
  client: PostgresClient,
  settings: DatabaseSettings,
  database: string,
): Promise<void> {
  const access = { client, settings, route: { as: undefined, user: settings.user } };
  // pgbouncer lets a client wait that asks for a missing database.
  const command = clientCommand(access, 'pg_isready', ['-t', '10'], database);
  const problemOf = ({ code }: Exit): string =>
    code === 1 ? 'refuses connections (starting up or shutting down)' : 'does not answer';
  await run(host, { ...command, secretEnv: undefined }).catch(
    explaining(({ exit }) => [
      `PostgreSQL ${problemOf(exit)} at ${whereOf(settings)}, seen from ${host.label}`,
      'Check that the server runs, and db_host and db_port in odoo.conf (inputs db-host and db-port override them).',
    ]),
  );
}

async function findRoute(
  { host, accounts }: ClientSide,
  client: PostgresClient,
  settings: DatabaseSettings,
  database: string,
): Promise<FoundServer> {
  const failures: string[] = [];
  for await (const route of routes(accounts, settings)) {
    // Strict pg_hba.conf files let a role into its own database only; others refuse a missing database first.
    for (const via of new Set([database, MAINTENANCE_DATABASE])) {
      try {
        const { exists, ...found } = await lookIn(host, { client, settings, route }, via, database);
        if (exists) return found;
        throw await noSuchDatabase(host, found, database);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        if (via === database)
          failures.push(`${route.user} as account ${route.as ?? host.user}: ${error.exit.stderr}`);
      }
    }
  }
  throw new UserError(
    `PostgreSQL at ${whereOf(settings)} rejected every account and role that this run could use:\n  ${failures.join('\n  ')}`,
    loginHint(host, accounts, settings),
  );
}

/** What the server says of itself and a database, when it is entered by a route through another one. */
async function lookIn(
  host: Host,
  access: Access,
  via: string,
  database: string,
): Promise<FoundServer & { readonly exists: boolean }> {
  // In one transaction, and gone with it: the next client of the pooler's connection keeps none of it.
  const questions = [
    sql`BEGIN`,
    // Not its value: a database's owner may have set one of several lines.
    sql`SELECT pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.=) ${SEARCH_PATH}`,
    sql`SET LOCAL search_path = pg_catalog, pg_temp`,
    sql`SELECT current_setting('server_version_num'), current_setting('server_version'),
      EXISTS (SELECT FROM pg_database WHERE datname = ${database}),
      EXISTS (SELECT FROM pg_roles WHERE rolname = session_user AND rolsuper),
      EXISTS (SELECT FROM pg_roles r, pg_database d
               WHERE rolname = session_user AND rolsuper AND datname = ${database} AND datdba <> r.oid)`,
    sql`COMMIT`,
  ];
  const ask = (by: Access) => runPsql(host, psqlCommand(by, via), ...questions);
  const pooled = { ...access, route: { ...access.route, pooled: true } };
  const answer = await ask(access).catch((error: unknown) => {
    if (error instanceof SqlError && error.sqlState === undefined) return ask(pooled);
    throw error;
  });
  const [isOurs, line = ''] = answer.split('\n');
  const [number, text = '', exists, isSuper, foreign] = line.split('|');
  if (isOurs !== 't') await assertKeepsConnection(host, psqlCommand(pooled, via), whereOf(access.settings));
  return {
    ...(isOurs === 't' ? access : pooled),
    version: new PgVersion(Number(number), text.split(' ')[0] ?? ''),
    exists: exists === 't',
    isSuperuser: isSuper === 't',
    isForeignSuperuser: foreign === 't',
  };
}

function loginHint(host: Host, accounts: Accounts, settings: DatabaseSettings): string {
  if (settings.password !== undefined)
    return 'Check db_user and db_password in odoo.conf (inputs db-user and db-password override them). If it takes no more connections, end some, or raise the limit: ALTER ROLE … CONNECTION LIMIT, max_connections.';
  return overTcp(settings)
    ? `Set db-password, from a secret of the CI; or ${passwordLine(settings, host)}`
    : `Set db-user and db-password, or let peer authentication work. ${accounts.sudoersHint([settings.user, 'postgres'])}`;
}

async function* routes(accounts: Accounts, settings: DatabaseSettings): AsyncGenerator<Route> {
  if (settings.password !== undefined) return yield { as: undefined, user: settings.user };
  const candidates = [settings.user, ...(isSocket(settings) ? ['postgres'] : [])];
  for await (const as of accounts.usable(candidates)) {
    // Peer authentication lets the account postgres in as the superuser of that name only.
    yield { as, user: as === 'postgres' ? as : settings.user };
  }
}

async function noSuchDatabase(host: Host, found: FoundServer, database: string): Promise<UserError> {
  const query = sql`SELECT datname FROM pg_database
    WHERE datallowconn AND NOT datistemplate AND datname <> ${MAINTENANCE_DATABASE} ORDER BY 1`;
  const { route, version } = found;
  const command = psqlCommand(found, MAINTENANCE_DATABASE, sessionSettings(version));
  const first = route.pooled ? [setStatement(sessionSettings(version))] : [];
  const names = await runPsql(host, command, ...first, query).then(
    (text) => text.trim().split('\n').filter(Boolean),
    messageOf,
  );
  const those = typeof names === 'string' || names.length === 0 ? 'none that can be seen' : names.join(', ');
  return new UserError(
    `Database does not exist: ${database} (on ${host.label}). Databases there: ${those}`,
    'Check the input database, or db_name in odoo.conf.',
  );
}

/** pg_dump must not be older than the server; of those that are not, the oldest writes what the server reads. */
function fittingClient({ major, text }: PgVersion, { host, tools }: ClientSide): PostgresClient {
  const fitting = oldestFitting(tools.clients, major);
  if (fitting) return fitting;
  const majors = tools.clients.map((client) => client.major).join(', ');
  throw new UserError(
    `pg_dump on ${host.label} is too old: the server is PostgreSQL ${text}, pg_dump is ${majors}`,
    `Install the client of the server's version on the host: apt-get install postgresql-client-${major}`,
  );
}
