import type { Postgres } from './postgres.ts';
import { PSQL_OPTIONS } from './postgres.ts';
import { run } from './run.ts';

/** A name as SQL has it: `"prod"`. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as SQL has it, whatever `standard_conforming_strings` says: ` E'…'`, as libpq's PQescapeLiteral. */
export const literal = (text: string): string => ` E'${text.replace(/['\\]/g, '$&$&')}'`;

/**
 * A connection string that names a database and nothing else: pg_restore and vacuumdb read a name with `=` in it as a
 * connection string (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE).
 */
export const conninfo = (database: string): string => `dbname='${database.replace(/['\\]/g, '\\$&')}'`;

/**
 * Runs statements in a session of their own, each in a transaction of its own unless they say otherwise, and stops
 * at the first error.
 *
 * @returns the rows' lines, columns apart by `|`
 * @throws CommandError with PostgreSQL's message
 */
export async function runSql(
  postgres: Postgres,
  database: string,
  ...statements: string[]
): Promise<string[]> {
  const command = postgres.command('psql', [...PSQL_OPTIONS, '-f', '-'], database);
  const output = await run(
    postgres.host,
    { ...command, env: { ...command.env, PGCLIENTENCODING: 'UTF8' } },
    { input: statements.map((statement) => `${statement};\n`).join('') },
  );
  return output.split('\n').slice(0, -1);
}

/** Rows of a query, each as the object that `row_to_json` makes of it. @throws CommandError */
export async function queryRows<Row>(postgres: Postgres, database: string, query: string): Promise<Row[]> {
  const lines = await runSql(postgres, database, `SELECT row_to_json(r) FROM (${query}) r`);
  return lines.map((line) => JSON.parse(line) as Row);
}

/** A list in pieces of so many, for queries that would else be too long. */
export const inChunks = <T>(list: readonly T[], length: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / length) }, (_, i) => list.slice(i * length, (i + 1) * length));

/** The database in which what concerns the whole server is done: a session in another would block its rename. */
export const MAINTENANCE_DATABASE = 'postgres';
