import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from './backup-run.ts';
import { type PostgresServer, psql } from './postgres.ts';

/** Waits until a session of the server, other than this one, is as this condition on pg_stat_activity says. */
export async function untilSession(server: PostgresServer, run: Run, condition: string): Promise<void> {
  const query = `SELECT count(*) FROM pg_stat_activity WHERE ${condition} AND pid <> pg_backend_pid()`;
  while ((await psql(server, 'postgres', query)) === '0') {
    assert.equal(run.child.exitCode, null, run.log);
    await sleep(20);
  }
}

/** Of a session that waits for a lock with a query that holds this text. */
export const waitingWith = (text: string): string =>
  `wait_event_type = 'Lock' AND strpos(query, '${text.replaceAll("'", "''")}') > 0`;
