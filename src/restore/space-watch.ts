import { setTimeout as sleep } from 'node:timers/promises';
import type { FileSystem } from '../host/disk-space.ts';
import { mountedAt } from '../postgres/disk-space.ts';
import type { Postgres } from '../postgres/server.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes } from '../util/format.ts';

const PERIOD_MS = 1000;
/** What has to stay free of the free space: the write-ahead log grows by 16 MiB at once, and fast. */
const SPARE = { share: 0.25, bytes: 512 * 1024 ** 2 };

/** Bytes that have to stay free, of what is free now. A restore that would not leave them must not begin. */
export const spareOf = ({ free }: FileSystem): number => Math.min(free * SPARE.share, SPARE.bytes);

/**
 * Does something for as long as it leaves room: a dump may grow beyond all that its size lets expect, and a PostgreSQL
 * whose write-ahead log finds no space stops altogether, with the database that Odoo uses.
 *
 * @param disks as they were before
 * @param look how one of them is now; undefined where that cannot be told
 * @param body ends early, with the signal's reason, when that is aborted
 * @throws SpaceGoneError when too little is left
 */
export async function whileSpaceLasts<T>(
  disks: readonly FileSystem[],
  look: (mount: string) => Promise<FileSystem | undefined>,
  signal: AbortSignal,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const least = new Map(disks.map((disk) => [disk.mount, spareOf(disk)] as const));
  const full = new AbortController();
  const done = new AbortController();
  const watch = async () => {
    for (;;) {
      for (const [mount, bytes] of least) {
        const now = await look(mount);
        if (now && now.free < bytes) throw new SpaceGoneError(now);
      }
      await sleep(PERIOD_MS, undefined, { signal: done.signal });
    }
  };
  watch().catch((error) => {
    if (!done.signal.aborted) full.abort(error); // what has been made under the signal may live on
  });
  try {
    return await body(AbortSignal.any([signal, full.signal]));
  } finally {
    done.abort(); // what is asked just then is not waited for
  }
}

/** A server that a restore loads into, and its disks as they were before, where these are known. */
interface WatchedServer {
  readonly loader: Postgres;
  readonly databaseDisk: FileSystem | undefined;
  readonly walDisk: FileSystem | undefined;
}

/** The same for the disks of a server. */
export function whileServerHasSpace<T>(
  { loader, databaseDisk, walDisk }: WatchedServer,
  signal: AbortSignal,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const disks = [databaseDisk, walDisk].filter((disk) => disk !== undefined);
  return whileSpaceLasts(disks, (mount) => mountedAt(loader, mount), signal, body);
}

/** Something was ended because it left too little space. */
export class SpaceGoneError extends UserError {
  override readonly name = 'SpaceGoneError';
  /** `/data on the host has only 255.0 MiB left` */
  readonly where: string;

  constructor({ mount, free }: FileSystem) {
    const where = `${mount} on the host has only ${formatBytes(free)} left`;
    super(
      `The dump needs more space than its size suggests: ${where}`,
      'Free space on the host, or choose another backup: a dump may be made to fill disks.',
    );
    this.where = where;
  }
}
