import { UserError } from '../util/errors.ts';
import { findDatabase, listSessions, terminateSessions } from './databases.ts';
import { runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { identifier, MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';
import { LOCK_NOT_AVAILABLE, SqlError } from './sql-error.ts';
import { endWorkOn, signed } from './unfinished-work.ts';

/** The names of a swap. */
export interface Swap {
  /** The name that Odoo uses. */
  readonly current: string;
  /** The name for the database that is replaced; undefined: there is none. */
  readonly old: string | undefined;
  readonly new: string;
}

/** Sets the comment of a database that is about to be swapped; null: removes it. */
export async function commentOn(admin: Postgres, database: string, text: string | null): Promise<void> {
  await runSql(admin, MAINTENANCE_DATABASE, signed(database), comment(database, text));
}

/** A comment on the database that is replaced: what it was, and what it is to say. */
export interface SwapMark {
  readonly before: string | null;
  /** The DROP of the database that is replaced was cut: it takes no connections, and no ALTER DATABASE. */
  readonly isBroken?: boolean;
  /** Comment of the database that takes over the name: no dump holds it. */
  readonly own: string | null;
  /** The comment that it is to have; asked for when it is replaced. */
  readonly after: () => string;
}

type Rename = readonly [from: string, to: string];

/**
 * Gives the new database the name, in one transaction: all of it is done, or nothing is. The old one takes no
 * connections any more, so that Odoo neither offers it nor runs its crons.
 *
 * @throws UserError when a session stays connected that may not be ended; nothing has changed then
 */
export async function swapDatabases(admin: Postgres, swap: Swap, mark?: SwapMark): Promise<void> {
  const { current, old } = swap;
  if (old === undefined) {
    return rename(admin, swap, [[swap.new, current]], [isTemplate(current, false), comment(current, null)]);
  }
  await rename(
    admin,
    swap,
    [
      [current, old],
      [swap.new, current],
    ],
    [
      ...(mark?.isBroken ? [] : [allowConnections(old, false)]),
      isTemplate(current, false),
      ...(mark ? [comment(old, mark.after()), comment(current, mark.own)] : []),
    ],
  );
}

/** Takes `swapDatabases` back. Does nothing where that has not happened, or was taken back already. */
export async function swapDatabasesBack(admin: Postgres, swap: Swap, mark?: SwapMark): Promise<void> {
  const { current, old } = swap;
  await endWorkOn(admin, swap.new);
  if (await findDatabase(admin, swap.new)) return;
  if (!(await findDatabase(admin, old ?? current))) return;
  if (old === undefined) return rename(admin, swap, [[current, swap.new]], [isTemplate(swap.new, true)]);
  await rename(
    admin,
    swap,
    [
      [current, swap.new],
      [old, current],
    ],
    [
      isTemplate(swap.new, true),
      ...(mark?.isBroken ? [] : [allowConnections(current, true)]),
      ...(mark ? [comment(current, mark.before)] : []),
    ],
  );
}

const allowConnections = (database: string, allowed: boolean): Sql =>
  sql`ALTER DATABASE ${identifier(database)} ALLOW_CONNECTIONS ${allowed}`;

const comment = (database: string, text: string | null): Sql =>
  sql`COMMENT ON DATABASE ${identifier(database)} IS ${text}`;

const isTemplate = (database: string, template: boolean): Sql =>
  sql`ALTER DATABASE ${identifier(database)} IS_TEMPLATE ${template}`;

/** Odoo is stopped meanwhile. A session that has locked a database, for example to copy it, may take long. */
const LOCK_WAIT_SECONDS = 10;

/** Somebody may connect between the end of all sessions and the lock that RENAME takes: then once more. */
const ATTEMPTS = 3;

/**
 * RENAME takes a lock that no new connection gets past, then waits up to 5 s for the sessions to go
 * (CountOtherDBBackends in PostgreSQL's procarray.c).
 */
async function rename(
  admin: Postgres,
  swap: Swap,
  renames: readonly Rename[],
  then: readonly Sql[],
): Promise<void> {
  const busy = renames.map(([from]) => from);
  const statements = [
    signed(swap.new),
    sql`BEGIN`,
    sql`SET LOCAL lock_timeout = ${LOCK_WAIT_SECONDS * 1000}`,
    terminateSessions(busy),
    ...renames.map(([from, to]) => sql`ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`),
    ...then,
    sql`COMMIT`,
  ];
  for (let attempt = 1; ; attempt++) {
    try {
      await runSql(admin, MAINTENANCE_DATABASE, ...statements);
      return;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      const sessions = (await Promise.all(busy.map((each) => listSessions(admin, each)))).flat();
      const passing = sessions.length > 0 && sessions.every(({ mayEnd }) => mayEnd);
      if (passing && attempt < ATTEMPTS) continue;
      const { stderr } = error.exit;
      if (error.sqlState === LOCK_NOT_AVAILABLE) {
        throw new UserError(
          `The databases could not be renamed: another session had one of them locked for ${LOCK_WAIT_SECONDS} s`,
          'Nothing was renamed. Somebody is altering or copying it (pg_locks shows who): run this again afterwards.',
          { cause: error },
        );
      }
      const who = sessions.map(({ role, application }) => (application ? `${role} (${application})` : role));
      throw new UserError(
        `The databases could not be renamed: ${stderr}`,
        who.length > 0
          ? `Still connected: ${[...new Set(who)].join(', ')}. Disconnect them, or set db-admin-user to a role that may terminate their sessions.`
          : 'Nothing was renamed. Only the owner of both databases with CREATEDB may, or a superuser: see db-admin-user.',
        { cause: error },
      );
    }
  }
}
