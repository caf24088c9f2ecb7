import { holdLock } from './hold-lock.ts';
import { type PostgresServer, psql } from './postgres.ts';

/**
 * Holds a run between its snapshot and its dump: locks a table, as a migration does, until it is disposed of. Made for
 * it, and partitioned: a backup's own questions take locks of plain tables only, pg_dump of this one too.
 */
export async function holdDump(server: PostgresServer, database: string): Promise<AsyncDisposable> {
  await psql(server, database, 'CREATE TABLE IF NOT EXISTS held (part int) PARTITION BY LIST (part)', 'odoo');
  return holdLock(server, database, 'LOCK TABLE held IN ACCESS EXCLUSIVE MODE');
}
