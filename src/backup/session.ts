import type { OdooServer } from '../odoo/installation.ts';
import type { Platform } from '../platform/platform.ts';
import { acquireLock, NoLockError } from '../postgres/lock.ts';
import { Snapshot } from '../postgres/snapshot.ts';

/** What a backup holds in PostgreSQL while it runs. */
export interface BackupSession extends AsyncDisposable {
  readonly snapshot: Snapshot;
}

/**
 * Opens the snapshot, and takes the lock that keeps restores and other backups of the database away. Both at the same
 * time: each takes some round trips to the host. A role that may not connect to the maintenance database gets no lock.
 *
 * @throws UserError when another run holds the lock, or the server refuses
 */
export async function openSession(
  { postgres, database }: OdooServer,
  holder: string,
  platform: Platform,
): Promise<BackupSession> {
  await using stack = new AsyncDisposableStack();
  const lock = acquireLock(postgres, database, holder).then(
    (taken) => stack.use(taken),
    (error) => {
      if (!(error instanceof NoLockError)) throw error;
      platform.warning(`A restore could run at the same time. ${error.message}. ${error.hint}`);
    },
  );
  const opened = Snapshot.open(postgres, database).then((snapshot) => stack.use(snapshot));
  await Promise.allSettled([lock, opened]);
  await lock;
  const snapshot = await opened;
  const kept = stack.move();
  return { snapshot, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
