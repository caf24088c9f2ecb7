import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { PostgresServer } from './postgres.ts';

/**
 * Locks a table as a migration does, until it is disposed of. A backup's own questions do not touch `res_lang`, so it
 * goes on until its pg_dump waits: the way to hold a run between its snapshot and its dump.
 */
export async function lockTable(
  server: PostgresServer,
  database: string,
  table = 'res_lang',
): Promise<AsyncDisposable> {
  const connection = [
    '-h',
    server.socket,
    '-p',
    String(server.port),
    '-U',
    server.admin.name,
    '-d',
    database,
  ];
  const psql = spawn('setpriv', ['--pdeathsig', 'KILL', join(server.bin, 'psql'), '-XAtq', ...connection], {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  psql.stdin.write(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n`);
  await once(psql.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      psql.stdin.end();
      if (psql.exitCode === null) await once(psql, 'exit');
    },
  };
}
