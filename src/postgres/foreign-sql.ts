import { randomBytes } from 'node:crypto';
import { CommandError } from '../host/host.ts';
import { run } from '../host/run.ts';
import type { Postgres } from './server.ts';

/**
 * SQL that others wrote, for psql: between our own `\restrict` and `\unrestrict`, with a key that cannot be guessed. In
 * between psql runs no command of its own, whatever the text says and whatever psql takes it for.
 * https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-META-COMMAND-RESTRICT
 */
export async function* restricted(sql: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const key = randomBytes(32).toString('hex');
  yield Buffer.from(`\\restrict ${key}\n`);
  yield* sql;
  yield Buffer.from(`\n\\unrestrict ${key}\n`);
}

/** The exit code of psql for a script that failed, under ON_ERROR_STOP. */
const SCRIPT_FAILED = 3;

/**
 * Whether this psql knows `\restrict`: from 13.22, 14.19, 15.14, 16.10 and 17.6 on. It is asked to run it, as a version
 * does not tell (distributions carry such changes back).
 *
 * @throws CommandError when psql cannot connect
 */
export async function knowsRestrict(postgres: Postgres, database: string): Promise<boolean> {
  try {
    await run(postgres.host, postgres.psql(database), { input: '\\restrict probe\n\\unrestrict probe\n' });
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.exit.code === SCRIPT_FAILED) return false;
    throw error;
  }
}
