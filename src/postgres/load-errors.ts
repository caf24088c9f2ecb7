import type { CommandError } from '../host/host.ts';
import { type HostTools, oldestFitting } from '../host/tools.ts';
import { UserError } from '../util/errors.ts';
import { saysDamaged, saysTooOld, withoutProgress } from './pg-restore-errors.ts';
import type { Postgres } from './server.ts';
import { SQL_STATE } from './sql-states.ts';
import { tocLine } from './toc-entry.ts';

/** What is known of an error beside the words of the program, which may be in any language. */
export interface LoadProblem {
  /** undefined: the server has not said why, or would not say it again. */
  readonly sqlState?: string | undefined;
  /**
   * What was to be made, as far as it is known: a line of the dump's table of contents, or the beginning of a
   * statement.
   */
  readonly at?: string | undefined;
}

/** A dump that did not load. */
export class LoadError extends UserError {
  readonly problem: LoadProblem;
  override readonly cause: CommandError;

  constructor(message: string, hint: string, problem: LoadProblem, cause: CommandError) {
    super(message, hint, { cause });
    this.problem = problem;
    this.cause = cause;
  }

  /** Whether pg_restore has found that the dump is damaged or cut short. */
  get saysDamaged(): boolean {
    return saysDamaged(this.cause.exit.stderr);
  }

  /** Whether code of the database's own was running: the server says where, and the client puts this word before it. */
  get inFunction(): boolean {
    return /^CONTEXT: /m.test(this.cause.exit.stderr);
  }
}

/** What helps, by the SQLSTATE. */
const HINTS: Readonly<Record<string, string>> = {
  [SQL_STATE.undefinedObject]:
    'Create the role, or what else the dump asks for, on the server (CREATE ROLE … NOLOGIN): the backup gives it things or rights.',
  [SQL_STATE.invalidObjectDefinition]:
    'An index uses a function that the backup’s database had marked IMMUTABLE (unaccent?): set db-admin-user to a superuser, who may mark it.',
  [SQL_STATE.insufficientPrivilege]:
    'The role of Odoo may not do what the dump asks for. If an extension is the cause, set db-admin-user. If objects belong to another role, make Odoo’s role a member of it: GRANT.',
  [SQL_STATE.readOnlyTransaction]:
    'The server lets nobody write: it is a standby, or default_transaction_read_only is set where only an admin may change it.',
  [SQL_STATE.tooManyConnections]:
    'The server has no connection left for the role: set jobs to a smaller number, or give the role more (ALTER ROLE … CONNECTION LIMIT).',
  [SQL_STATE.undefinedTable]:
    'The dump refers to a table that it does not make, as one of pg_dump --data-only, --section, --table or --exclude-table does. Choose a backup of the whole database.',
  [SQL_STATE.foreignKeyViolation]:
    'Rows refer to others that are not there. If those were left out (skip-table-data, pg_dump --exclude-table-data), leave out the rows of the table that refers to them as well, or choose another backup.',
  [SQL_STATE.diskFull]: 'Free disk space on the database server.',
};

/** A dump that did not load, for people. */
export function loadFailure(error: CommandError, database: string, problem: LoadProblem = {}): LoadError {
  const said = withoutProgress(error.exit.stderr);
  const shown = error.saying(said);
  return new LoadError(
    `The dump cannot be loaded into ${database}. ${shown.message}`,
    hintFor(said, problem) ?? 'Odoo’s database was not touched. See the log of the PostgreSQL server.',
    problem,
    shown,
  );
}

/** Where an object is not there that something else is made of, that is no role. @param at a line of the table of contents, or a statement */
const isMadeOfOthers = (at: string): boolean =>
  /^(?:TABLE|INDEX)\b/.test(tocLine(at)?.kind ?? '') ||
  /^CREATE (?:UNLOGGED TABLE|TABLE|INDEX|UNIQUE INDEX) /.test(at);

function hintFor(said: string, { sqlState, at = '' }: LoadProblem): string | undefined {
  if (saysTooOld(said)) return 'The dump was written by a newer pg_dump: install that client on the host.';
  if (/^psql:[^\n]* error: backslash commands are restricted/m.test(said)) {
    return 'The dump contains psql commands, which are not allowed here. Restore a dump in custom format, or one from pg_dump itself.';
  }
  const notThere: (string | undefined)[] = [SQL_STATE.undefinedObject, SQL_STATE.undefinedFunction];
  if (notThere.includes(sqlState) && isMadeOfOthers(at)) {
    return 'The dump uses what it does not make, mostly of an extension, as one of pg_dump --schema, --table or --extension does. Choose a backup of the whole database.';
  }
  return sqlState === undefined ? undefined : HINTS[sqlState];
}

/**
 * The server, by a pg_restore that reads what pg_dump of that major version wrote.
 *
 * @param dumpMajor undefined: it is not known; pg_restore will say so if it cannot read it
 * @throws UserError when the host has none, or the server is too old for it
 */
export function withRestoreClient(
  postgres: Postgres,
  tools: HostTools,
  dumpMajor: number | undefined,
): Postgres {
  const { version } = postgres;
  const needed = Math.max(dumpMajor ?? 0, version.major);
  // From 17 on it begins with SET transaction_timeout, which ends the restore there.
  if (needed >= 17 && !version.isAtLeast(17)) {
    throw new UserError(
      `The dump needs pg_restore ${needed}, which cannot restore to PostgreSQL ${version.text}`,
      `Restore it to a server of PostgreSQL ${needed} or newer. If the server that was dumped is of PostgreSQL ${version.major} or older, install postgresql-client-${version.major} where backups are made; or make them as plain SQL.`,
    );
  }
  const client = oldestFitting(tools.clients, needed);
  if (!client) {
    throw new UserError(
      `pg_restore on ${postgres.host.label} is too old: the dump needs pg_restore ${needed}`,
      `Install that client on the host: apt-get install postgresql-client-${needed}`,
    );
  }
  if (client.major >= 17 && !version.isAtLeast(17)) {
    throw new UserError(
      `pg_restore ${client.major} cannot restore to PostgreSQL ${version.text}, and ${postgres.host.label} has no older one`,
      `Install postgresql-client-${version.major} on the host.`,
    );
  }
  return postgres.withClient(client);
}
