import { queryRows } from '../postgres/run-sql.ts';
import type { Postgres } from '../postgres/server.ts';
import { MAINTENANCE_DATABASE, sql } from '../postgres/sql.ts';
import { CommandError, type Host } from './host.ts';
import type { Place } from './receive-files.ts';
import { run } from './run.ts';

/** A file system of the host. */
export interface FileSystem {
  /** What tells it from others: its device; where that is none of its own, where it is mounted. */
  readonly device: string;
  /** Where it is mounted. In containers that differs for one file system. */
  readonly mount: string;
  /** Bytes left for the account that asked. */
  readonly free: number;
}

/** The file system that a folder is in, or would be; undefined where that cannot be told. */
export async function fileSystemOf({ host, path, command }: Place): Promise<FileSystem | undefined> {
  const script = 'path=$1; until [ -e "$path" ]; do path=$(dirname -- "$path"); done; exec df -Pk -- "$path"';
  const [, line = ''] = (await answerOf(host, command(['sh', '-c', script, 'sh', path]))).split('\n');
  const [, source = '', free, mount] = /^(\S+).*\s(\d+)\s+\d+%\s+(\/.*)$/.exec(line) ?? [];
  if (mount === undefined) return undefined;
  return { device: source.startsWith('/dev/') ? source : mount, mount, free: Number(free) * 1024 };
}

/**
 * The file system in which the server keeps a tablespace; undefined where that cannot be told: the server is
 * elsewhere, or nobody may know its folder.
 */
export async function databaseFileSystem(
  postgres: Postgres,
  tablespace = 'pg_default',
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
  const [row] = await queryRows<{ bytes: number }>(
    postgres,
    MAINTENANCE_DATABASE,
    sql`SELECT pg_size_bytes(current_setting('max_wal_size')) AS bytes`,
  );
  return row?.bytes ?? 0;
}

async function folderOf(postgres: Postgres, tablespace: string): Promise<string | undefined> {
  const [row] = await queryRows<{ folder: string | null }>(
    postgres,
    MAINTENANCE_DATABASE,
    sql`SELECT coalesce(nullif(pg_tablespace_location(oid), ''),
                     (SELECT setting FROM pg_settings WHERE name = 'data_directory')) AS folder
       FROM pg_tablespace WHERE spcname = ${tablespace}`,
  );
  return row?.folder ?? clusterFolder(postgres);
}

/** From Debian's list of clusters: the server tells its folder only to roles with `pg_read_all_settings`. */
async function clusterFolder({ host, port }: Postgres): Promise<string | undefined> {
  const list = await answerOf(host, { argv: ['pg_lsclusters', '--no-header'] });
  const clusters = list.split('\n').map((line) => line.split(/\s+/));
  return clusters.find(([, , ofCluster]) => ofCluster === String(port))?.[5];
}

/** What a command says; nothing where it fails. */
async function answerOf(host: Host, command: Parameters<typeof run>[1]): Promise<string> {
  try {
    return await run(host, command);
  } catch (error) {
    if (error instanceof CommandError) return '';
    throw error;
  }
}
