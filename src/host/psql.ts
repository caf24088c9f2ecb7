import type { Command } from './host.ts';
import { Sql } from './sql.ts';

/** The options of psql for programs: no start-up file, no prompt, bare rows, stop at the first error. */
export const PSQL_OPTIONS = ['-XAtqw', '-v', 'ON_ERROR_STOP=1'];

/** The arguments of a psql that reads `psqlScript` from its standard input. */
export const PSQL_SESSION = [...PSQL_OPTIONS, '-f', '-'];

/** A psql of ours, which exchanges UTF-8. */
export const inUtf8 = (command: Command): Command => ({
  ...command,
  env: { ...command.env, PGCLIENTENCODING: 'UTF8' },
});

/** What psql reads: the only way of SQL to its standard input. Foreign SQL goes another way (`load-dump.ts`). */
export const psqlScript = (...statements: readonly Sql[]): string =>
  statements.map((statement) => `${textOf(statement)};\n`).join('');

function textOf(statement: Sql): string {
  if (!(statement instanceof Sql)) throw new TypeError('Only SQL may be sent to psql');
  return statement.text;
}
