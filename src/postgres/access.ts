import type { Command, Host } from '../host/host.ts';
import type { PostgresClient } from '../host/tools.ts';
import { APPLICATION_NAME, inUtf8, PSQL_SESSION, sessionSettings, startOptions } from './psql.ts';

/** How Odoo reaches its database, from odoo.conf and the inputs. What is undefined is libpq's default. */
export interface DatabaseSettings {
  /** A name, an address, or the folder of the socket; undefined: the local socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user: string;
  readonly password?: string;
  readonly sslmode?: string;
}

/** A way into the server: the host's account and the database role. */
export interface Route {
  readonly as: string | undefined;
  readonly user: string;
  /** Through a pooler, which takes no options at the start of a session. */
  readonly pooled?: boolean;
}

/** A way into the server with the programs that take it. */
export interface Access {
  readonly client: PostgresClient;
  readonly settings: DatabaseSettings;
  readonly route: Route;
}

/** The database goes by PGDATABASE: as an argument, a name with `=` in it would be read as a connection string. */
export function clientCommand(
  { client, settings, route }: Access,
  program: string,
  args: readonly string[],
  database: string,
): Command {
  // The words of the programs themselves are read; those of the server stay in its language: lc_messages is a
  // superuser's.
  const env: Record<string, string> = {
    LC_ALL: 'C',
    PGDATABASE: database,
    PGUSER: route.user,
    PGAPPNAME: APPLICATION_NAME,
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

/** A psql that runs the statements of ours which it reads (`psqlScript`). */
export function psqlCommand(
  access: Access,
  database: string,
  session: Readonly<Record<string, string>> = sessionSettings(),
): Command {
  const command = inUtf8(clientCommand(access, 'psql', PSQL_SESSION, database));
  if (access.route.pooled) return command;
  return { ...command, env: { ...command.env, PGOPTIONS: startOptions(session) } };
}

/** Where the server is, in words. */
export function whereOf(settings: DatabaseSettings): string {
  const port = portOf(settings);
  return settings.host === undefined ? `the local socket, port ${port}` : `${settings.host}:${port}`;
}

/** libpq's default, where none is set. */
export const portOf = ({ port = 5432 }: DatabaseSettings): number => port;

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

export const isSocket = (settings: DatabaseSettings): boolean =>
  settings.host === undefined || settings.host.startsWith('/');

export const isLoopback = ({ host }: DatabaseSettings): boolean => LOOPBACK.has(host ?? '');

/** Whether the server is reached by TCP, where peer authentication does not work. */
export const overTcp = (settings: DatabaseSettings): boolean => !isSocket(settings) && !isLoopback(settings);

/** What to do for a login with a password of its own: https://www.postgresql.org/docs/current/libpq-pgpass.html */
export function passwordLine(settings: DatabaseSettings, { user, label }: Host): string {
  const [where, role] = [settings.host ?? '', settings.user].map((each) => each.replaceAll(/[:\\]/g, '\\$&'));
  const line = `${where}:${portOf(settings)}:*:${role}:PASSWORD`;
  return `put the line ${line} into ~/.pgpass of ${user} on ${label} (or the file that its PGPASSFILE names), which only ${user} may read: chmod 600`;
}
