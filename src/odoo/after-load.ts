import { explaining } from '../host/explaining.ts';
import { run } from '../host/run.ts';
import { inUtf8, PSQL_OPTIONS } from '../postgres/psql.ts';
import type { Postgres } from '../postgres/server.ts';

/** A file of SQL that the job gives, such as one that makes people's names unknown. */
export interface SqlFile {
  /** For people: its path on the runner. */
  readonly name: string;
  readonly sql: string;
}

/**
 * Runs a file in a copy, as Odoo's own role, in one transaction. Names that stand alone are looked up in `public`, as in
 * Odoo's sessions: the role can do no more than the owner of what it finds there.
 *
 * @throws UserError with PostgreSQL's message where a statement fails: without its detail, which would be a row
 */
export async function runSqlFile(
  postgres: Postgres,
  database: string,
  { name, sql }: SqlFile,
): Promise<void> {
  const argv = [...PSQL_OPTIONS, '-v', 'VERBOSITY=terse', '--single-transaction', '-f', '-'];
  const input = `SET search_path = public;\n${sql}\n`;
  await run(postgres.host, inUtf8(postgres.command('psql', argv, database)), { input }).catch(
    explaining(({ exit }) => [
      `after-load: ${name} fails in ${database}: ${exit.stderr}`,
      'Correct the statement. The copy was not put to use, and is dropped.',
    ]),
  );
}
