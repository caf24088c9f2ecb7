import { runPsql } from './psql.ts';
import type { Postgres } from './server.ts';
import { type Sql, sql } from './sql.ts';

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

/** Rows of a query, each as the object that `row_to_json` makes of it. @throws SqlError */
export async function queryRows<Row>(postgres: Postgres, database: string, query: Sql): Promise<Row[]> {
  const lines = await runSql(postgres, database, asJson(query));
  return lines.map((line) => JSON.parse(line) as Row);
}

/** Query: the rows of another, each as one line of JSON. */
export const asJson = (query: Sql): Sql => sql`SELECT row_to_json(r) FROM (${query}) r`;
