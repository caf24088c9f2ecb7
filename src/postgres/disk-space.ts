import { answerOf, type FileSystem, fileSystemOf } from '../host/disk-space.ts';
import { count, nullable, object } from '../util/decode.ts';
import { longText } from './rows.ts';
import { queryRows } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { DEFAULT_TABLESPACE, MAINTENANCE_DATABASE, sql } from './sql.ts';

/**
 * The file system in which the server keeps a tablespace; undefined where that cannot be determined: the server is
 * elsewhere, or its folder may not be known.
 */
export async function databaseFileSystem(
  postgres: Postgres,
  tablespace = DEFAULT_TABLESPACE,
): Promise<FileSystem | undefined> {
  if (!postgres.isLocal) return undefined;
  const path = await folderOf(postgres, tablespace);
  const as = postgres.account;
  return path === undefined
    ? undefined
    : fileSystemOf({ host: postgres.host, path, command: (argv) => ({ argv, as }) });
}

/** How a file system of the server's machine, which is this host, is now. */
export const mountedAt = ({ host, account: as }: Postgres, mount: string): Promise<FileSystem | undefined> =>
  fileSystemOf({ host, path: mount, command: (argv) => ({ argv, as }) });

/**
 * Bytes of write-ahead log that the server may hold before a checkpoint makes room again. Where these do not fit, it
 * stops altogether (https://www.postgresql.org/docs/current/wal-configuration.html).
 */
export async function maxWalBytes(postgres: Postgres): Promise<number> {
  const [row] = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    object({ bytes: count }),
    sql`SELECT pg_size_bytes(current_setting('max_wal_size')) AS bytes`,
  );
  return row?.bytes ?? 0;
}

async function folderOf(postgres: Postgres, tablespace: string): Promise<string | undefined> {
  const [row] = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    object({ folder: nullable(longText) }),
    sql`SELECT coalesce(nullif(pg_tablespace_location(oid), ''),
                     (SELECT setting FROM pg_settings WHERE name = 'data_directory')) AS folder
       FROM pg_tablespace WHERE spcname = ${tablespace}`,
  );
  return row?.folder ?? clusterFolder(postgres);
}

/**
 * The server's folder, from Debian's list of clusters: the server tells it only to roles with `pg_read_all_settings`.
 */
async function clusterFolder({ host, port }: Postgres): Promise<string | undefined> {
  const list = await answerOf(host, { argv: ['pg_lsclusters', '--no-header'] });
  const clusters = list.split('\n').map((line) => line.split(/\s+/));
  return clusters.find(([, , ofCluster]) => ofCluster === String(port))?.[5];
}
