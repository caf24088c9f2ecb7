import { type Command, CommandError, type Host } from '../host/host.ts';
import { run } from '../host/run.ts';
import { identifier, join, Sql, type SqlValue, sql } from './sql.ts';
import { SqlError } from './sql-error.ts';
import type { PgVersion } from './version.ts';

/** The options of psql for programs: no start-up file, no prompt, bare rows, stop at the first error. */
export const PSQL_OPTIONS = ['-XAtqw', '-v', 'ON_ERROR_STOP=1'];

/** The arguments of a psql that reads `psqlScript` from its standard input, and says the SQLSTATE of an error. */
export const PSQL_SESSION = [...PSQL_OPTIONS, '-v', 'VERBOSITY=verbose', '-f', '-'];

/** How sessions of this program are named in `pg_stat_activity`, where nothing more is to be said of one. */
export const APPLICATION_NAME = 'odoo-backup';

/** A psql of ours, which exchanges UTF-8. */
export const inUtf8 = (command: Command): Command => ({
  ...command,
  env: { ...command.env, PGCLIENTENCODING: 'UTF8' },
});

/**
 * The schemas in which names are looked up that stand alone: what a role has put into another, or into its temporary
 * one, is never taken for what PostgreSQL has.
 */
export const SEARCH_PATH = 'pg_catalog,pg_temp';

/**
 * For the creation of extensions alone: those of PostGIS look for what others have in `public`, by the path that their
 * session began with.
 */
export const EXTENSION_SEARCH_PATH = 'pg_catalog,public,pg_temp';

/**
 * How long our statements wait for a lock of others. A migration that holds a table's lock must not hold up a deploy
 * for hours.
 */
export const LOCK_WAIT_SECONDS = 120;

/**
 * What holds in every session of ours, whatever the server, the database and the role are set to.
 *
 * @param version of the server; undefined: it is not known yet
 */
export const sessionSettings = (version?: PgVersion): Readonly<Record<string, string>> => ({
  search_path: SEARCH_PATH,
  // A policy would be code of the owner's: what it would hide is an error instead, as in pg_dump.
  row_security: 'off',
  quote_all_identifiers: 'off',
  standard_conforming_strings: 'on',
  // A role may be set to read only, for people.
  default_transaction_read_only: 'off',
  // A server may be set to end idle sessions and slow statements: not ours.
  statement_timeout: '0',
  lock_timeout: `${LOCK_WAIT_SECONDS}s`,
  idle_in_transaction_session_timeout: '0',
  ...(version?.isAtLeast(14) ? { idle_session_timeout: '0' } : {}),
  ...(version?.isAtLeast(17) ? { transaction_timeout: '0' } : {}),
});

/**
 * Settings for PGOPTIONS. libpq splits them at spaces:
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
 */
export const startOptions = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\\s]/g, '\\$&')}`)
    .join(' ');

/** The same as a statement, for a pooler, which takes no options. */
export const setStatement = (settings: Readonly<Record<string, string>>): Sql =>
  join(
    Object.entries(settings).map(([name, value]) => {
      const to: SqlValue = name === 'search_path' ? sql`pg_catalog, pg_temp` : value;
      return sql`SET ${identifier(name)} = ${to}`;
    }),
    sql`; `,
  );

/** What psql reads: the only way of SQL to its standard input. Foreign SQL goes another way (`load-dump.ts`). */
export const psqlScript = (...statements: readonly Sql[]): string =>
  statements.map((statement) => `${textOf(statement)};\n`).join('');

function textOf(statement: Sql): string {
  if (!(statement instanceof Sql)) throw new TypeError('Only SQL may be sent to psql');
  return statement.text;
}

/**
 * Runs statements in a psql of their own. @returns what it prints
 * @throws SqlError when the server refuses one, or the connection
 */
export async function runPsql(host: Host, command: Command, ...statements: readonly Sql[]): Promise<string> {
  try {
    return await run(host, command, { input: psqlScript(...statements) });
  } catch (error) {
    throw error instanceof CommandError ? new SqlError(command, error.exit) : error;
  }
}
