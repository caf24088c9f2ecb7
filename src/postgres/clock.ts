import { ask } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { MAINTENANCE_DATABASE, sql } from './sql.ts';

/** The time by the server's clock, in milliseconds since 1970; NaN where it says something else. */
export async function clockOf(postgres: Postgres): Promise<number> {
  const query = sql`SELECT round(extract(epoch FROM clock_timestamp()) * 1000)`;
  const [answer = ''] = await ask(postgres, MAINTENANCE_DATABASE, query);
  return answer === '' ? Number.NaN : Number(answer);
}
