import { CommandError } from '../host/host.ts';
import { runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import type { Sql } from './sql.ts';

/** A statement that the server refused, with its words. */
export interface RefusedStatement {
  readonly statement: string;
  readonly reason: string;
}

/**
 * Runs a statement as the first of several roles that may.
 *
 * @returns the error of the last role where none may; undefined: it is done
 */
export async function runAsAny(
  roles: readonly Postgres[],
  database: string,
  statement: Sql,
): Promise<CommandError | undefined> {
  let failure: CommandError | undefined;
  for (const postgres of new Set(roles)) {
    try {
      await runSql(postgres, database, statement);
      return undefined;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failure = error;
    }
  }
  return failure;
}

/** Runs each statement as the first of the roles that may. @returns those that none may run */
export async function refusalsOf(
  roles: readonly Postgres[],
  database: string,
  statements: readonly Sql[],
): Promise<RefusedStatement[]> {
  const refusals: RefusedStatement[] = [];
  for (const statement of statements) {
    const failure = await runAsAny(roles, database, statement);
    if (failure) refusals.push({ statement: statement.text, reason: failure.exit.stderr });
  }
  return refusals;
}
