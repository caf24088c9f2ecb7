import type { Decoder } from '../util/decode.ts';
import { runPsql } from './psql.ts';
import { asJson, decodeRows } from './rows.ts';
import type { Postgres } from './server.ts';
import type { Sql } from './sql.ts';
import { SqlError } from './sql-error.ts';

/**
 * Runs statements in a session of their own, each in a transaction of its own unless they say otherwise, and stops
 * at the first error.
 *
 * @returns the rows' lines, columns separated by `|`
 * @throws SqlError with PostgreSQL's message
 */
export async function runSql(
  postgres: Postgres,
  database: string,
  ...statements: readonly Sql[]
): Promise<string[]> {
  const output = await runPsql(
    postgres.host,
    postgres.psql(database),
    ...postgres.firstStatements,
    ...statements,
  );
  return output.split('\n').slice(0, -1);
}

/**
 * The lines of a query that changes nothing. Such questions share a session; one whose session has ended, for whatever
 * reason, is asked once more in a session of its own.
 *
 * @throws SqlError with PostgreSQL's message
 */
export async function ask(postgres: Postgres, database: string, query: Sql): Promise<string[]> {
  try {
    return await postgres.questionsIn(database).ask(query);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return runSql(postgres, database, query);
  }
}

/**
 * The rows of a query that changes nothing.
 *
 * @param row decodes the object that `row_to_json` makes of one
 * @throws SqlError with PostgreSQL's message; UserError when a row is not as it must be
 */
export async function queryRows<Row>(
  postgres: Postgres,
  database: string,
  row: Decoder<Row>,
  query: Sql,
): Promise<Row[]> {
  return decodeRows(row, await ask(postgres, database, asJson(query)));
}
