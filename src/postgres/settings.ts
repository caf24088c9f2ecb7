import type { Command } from '../host/host.ts';
import { startOptions } from './psql.ts';

/**
 * A client program whose sessions have these settings, may take their time whatever their role is set to, and do not
 * wait for the disk at each of the thousands of small transactions of a restore. Nothing is lost by that: the
 * transaction that swaps the databases waits, and what was committed before it is on the disk then
 * (https://www.postgresql.org/docs/current/wal-async-commit.html).
 */
export function withSettings(command: Command, settings: Readonly<Record<string, string>> = {}): Command {
  const options = startOptions({
    synchronous_commit: 'off',
    statement_timeout: '0',
    default_transaction_read_only: 'off',
    ...settings,
  });
  return { ...command, env: { ...command.env, PGOPTIONS: options } };
}
