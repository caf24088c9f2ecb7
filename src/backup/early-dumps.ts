import { dumpCodec } from '../host/codecs.ts';
import type { OdooServer } from '../odoo/installation.ts';
import { beginDump } from '../postgres/dump.ts';
import { checkLockRoom } from '../postgres/lock-room.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import { UserError } from '../util/errors.ts';
import { dumpsOf } from './segments.ts';
import type { ArchiveOptions } from './source.ts';

/** What a backup runs beside its dump, at least: the session of the lock, that of the snapshot, and a question. */
const BESIDE_DUMP = 3;

/**
 * Begins the dump of an archive while the survey asks and S3 is searched: pg_dump reads the catalog first, and sends
 * nothing for about as long. Not where the survey would have to wait for it, and not where the server lacks locks, which
 * the survey tells. The first dump of format dual is the one that both come from.
 */
export function beginArchiveDump(
  { tools, postgres }: OdooServer,
  snapshot: Snapshot,
  target: Pick<ArchiveOptions, 'format' | 'baseName'>,
): void {
  const [dump] = dumpsOf(target);
  if (!dump || !hasRoom(snapshot)) return;
  if ((postgres.host.atOnce ?? Number.POSITIVE_INFINITY) < 1 + BESIDE_DUMP) return;
  beginDump(snapshot, dump.options, dumpCodec(tools));
}

function hasRoom({ lockRoom }: Snapshot): boolean {
  try {
    if (lockRoom) checkLockRoom(lockRoom);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
