import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { PostgresServer } from './postgres.ts';

export interface HeldLock extends AsyncDisposable {
  /** Asks the session that holds it, where no other could log in, for one value. */
  ask(query: string): Promise<string>;
}

/**
 * Runs a statement as the server's admin, in a transaction that stays open, with its locks, until it is disposed of.
 */
export async function holdLock(
  server: PostgresServer,
  database: string,
  statement: string,
): Promise<HeldLock> {
  const way = ['-h', server.socket, '-p', String(server.port), '-U', server.admin.name, '-d', database];
  const argv = ['--pdeathsig', 'KILL', join(server.bin, 'psql'), '-XAtq', ...way];
  const session = spawn('setpriv', argv, { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(session, 'exit');
  session.stdin.write(`\\set ON_ERROR_STOP on\nBEGIN; ${statement}; SELECT 'locked';\n`);
  const [first] = await Promise.race([once(session.stdout, 'data'), ended]);
  if (!Buffer.isBuffer(first)) throw new Error(`psql ended: ${statement}`);
  return {
    async ask(query) {
      session.stdin.write(`${query};\n`);
      const [answer] = await Promise.race([once(session.stdout, 'data'), ended]);
      return String(answer).trim();
    },
    async [Symbol.asyncDispose]() {
      session.stdin.end();
      await ended;
    },
  };
}

/** Keeps a database from being renamed, and from nothing else: that alone takes an ACCESS EXCLUSIVE lock of it. */
export const holdRename = (server: PostgresServer, database: string): Promise<AsyncDisposable> =>
  holdLock(
    server,
    'postgres',
    `ALTER ROLE ${server.odoo.name} IN DATABASE "${database}" SET application_name TO 'held'`,
  );
