import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../util/errors.ts';
import { runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';

/** Statement: has the session say which new database it works for, so that `endWorkOn` finds it. */
export const signed = (newName: string): Sql => sql`SET application_name TO ${signature(newName)}`;

/** PostgreSQL keeps of an application_name what is ASCII. */
const signature = (newName: string): string =>
  `odoo-backup ${createHash('sha256').update(newName).digest('hex').slice(0, 16)}`;

/** How long a session takes to end, at most. */
const ENDING_MS = 10_000;

/**
 * Ends what a connection that broke has left at work on a new database: psql there continues with what it was given,
 * and would create or rename the database after the undo. Does nothing where no such session is left.
 *
 * @throws UserError when somebody does not end
 */
export async function endWorkOn(admin: Postgres, newName: string): Promise<void> {
  const sessions = sql`FROM pg_stat_activity
    WHERE application_name = ${signature(newName)} AND usename = current_user AND pid <> pg_backend_pid()`;
  for (const until = Date.now() + ENDING_MS; ; await sleep(50)) {
    const [left] = await runSql(
      admin,
      MAINTENANCE_DATABASE,
      sql`SELECT count(pg_terminate_backend(pid)) ${sessions}`,
    );
    if (left === '0') return;
    if (Date.now() < until) continue;
    throw new UserError(
      `A session that creates or renames ${newName} does not end`,
      `Terminate it by hand: pg_stat_activity lists it, with the application_name ${signature(newName)}.`,
    );
  }
}
