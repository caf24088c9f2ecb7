import { run } from '../host/run.ts';
import type { Postgres } from './server.ts';
import { withSettings } from './settings.ts';
import { conninfo } from './sql.ts';

/**
 * Collects the planner's statistics, which no dump holds: without them a restored database is slow until autovacuum has
 * run.
 *
 * @throws CommandError
 */
export async function analyze(
  postgres: Postgres,
  database: string,
  jobs: number,
  signal?: AbortSignal,
): Promise<void> {
  const args = ['--analyze-only', '--quiet', '--no-password', `--jobs=${jobs}`, conninfo(database)];
  const command = withSettings(postgres.command('vacuumdb', args, database));
  await run(postgres.host, { ...command, guarded: true }, { signal });
}
