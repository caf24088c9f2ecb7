import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type PostgresServer, psql } from './postgres.ts';

/**
 * Holds a run between its snapshot and its dump: locks a table, as a migration does, until it is disposed of. Made for
 * it, and partitioned: a backup's own questions take locks of plain tables only, pg_dump of this one too.
 */
export async function holdDump(server: PostgresServer, database: string): Promise<AsyncDisposable> {
  await psql(server, database, 'CREATE TABLE IF NOT EXISTS held (part int) PARTITION BY LIST (part)', 'odoo');
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
  const argv = ['setpriv', '--pdeathsig', 'KILL', join(server.bin, 'psql'), '-XAtq', ...connection] as const;
  const session = spawn(argv[0], argv.slice(1), { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(session, 'exit');
  session.stdin.write("BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n");
  await once(session.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      session.stdin.end();
      await ended;
    },
  };
}
