import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { lockKey } from '../../src/postgres/lock.ts';
import type { Run } from './backup-run.ts';
import type { PostgresServer } from './postgres.ts';

/** Waits until a session of the server, other than this one, is as this condition on pg_stat_activity says. */
export function untilSession(server: PostgresServer, run: Run, condition: string): Promise<void> {
  return untilCount(server, condition, (count) => {
    assert.ok(count > 0 || run.child.exitCode === null, run.log);
    return count > 0;
  });
}

/** Waits until no other session of the server is as this condition says. */
export function untilNoSession(server: PostgresServer, condition: string): Promise<void> {
  return untilCount(server, condition, (count) => count === 0);
}

/** Asks in one session: a psql for each question would take half a processor. */
export async function untilCount(
  server: PostgresServer,
  condition: string,
  isEnough: (count: number) => boolean,
): Promise<void> {
  const way = ['-h', server.socket, '-p', String(server.port), '-U', server.admin.name, '-d', 'postgres'];
  const argv = ['--pdeathsig', 'KILL', join(server.bin, 'psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', ...way];
  const session = spawn('setpriv', argv, { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(session, 'exit');
  const query = `SELECT count(*) FROM pg_stat_activity WHERE (${condition}) AND pid <> pg_backend_pid()`;
  session.stdin.write(`${query} \\watch 0.05\n`);
  try {
    for await (const line of createInterface({ input: session.stdout })) {
      if (line !== '' && isEnough(Number(line))) return;
    }
    assert.fail(`psql ended: ${condition}`);
  } finally {
    session.kill();
    await ended;
  }
}

/** A condition for a session that waits for a lock with a query that holds this text. */
export const waitingWith = (text: string): string =>
  `wait_event_type = 'Lock' AND strpos(query, '${text.replaceAll("'", "''")}') > 0`;

/** A condition for the session that keeps other runs away from a database. */
export const holdsLockOf = (database: string): string =>
  `pid IN (SELECT pid FROM pg_locks WHERE ${lockKey(database).condition.text})`;
