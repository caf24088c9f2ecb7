import { CommandError } from './host.ts';
import type { Postgres } from './postgres.ts';
import type { Place } from './receive-files.ts';
import { run } from './run.ts';
import { literal, MAINTENANCE_DATABASE, queryRows } from './sql.ts';

/** Bytes free for the account, in the file system of a folder; undefined where that cannot be told. */
export async function freeBytes({ host, path, command }: Place): Promise<number | undefined> {
  try {
    const [, line = ''] = (await run(host, command(['df', '-Pk', '--', path]))).split('\n');
    const kib = Number(line.split(/\s+/)[3]);
    return Number.isFinite(kib) ? kib * 1024 : undefined;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/**
 * Bytes free where the server keeps a tablespace; undefined where that cannot be told: the server is elsewhere, or
 * the role may not know its folder (that takes `pg_read_all_settings`).
 */
export async function databaseFreeBytes(
  postgres: Postgres,
  tablespace = 'pg_default',
): Promise<number | undefined> {
  if (!postgres.isLocal) return undefined;
  const [row] = await queryRows<{ folder: string | null }>(
    postgres,
    MAINTENANCE_DATABASE,
    `SELECT coalesce(nullif(pg_tablespace_location(oid), ''),
                     (SELECT setting FROM pg_settings WHERE name = 'data_directory')) AS folder
       FROM pg_tablespace WHERE spcname =${literal(tablespace)}`,
  );
  if (!row?.folder) return undefined;
  const as = postgres.account;
  return freeBytes({ host: postgres.host, path: row.folder, command: (argv) => ({ argv, as }) });
}
