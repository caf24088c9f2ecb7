import { setImmediate } from 'node:timers/promises';
import type { BackupInputs } from '../inputs/backup.ts';
import type { Run } from '../platform/run.ts';
import { lookingAtHost } from './logging-in.ts';

/**
 * What a backup is made of, in pieces. To load one keeps this program busy for 20 ms: what the host answers is read
 * between them.
 */
const PIECES: readonly (() => Promise<unknown>)[] = [
  () => import('../backup/look.ts'),
  () => import('../s3/store.ts'),
  () => import('../archive/writer.ts'),
];

/**
 * Backs up one Odoo database, or several, each into an object of its own with a receipt of its own. If one fails, the
 * others are backed up nevertheless.
 *
 * @throws UserError when one has failed, or the signal's reason when that is aborted
 */
export async function backup(inputs: BackupInputs, run: Run): Promise<void> {
  if (inputs.databases.kind !== 'one') return (await import('./back-up.ts')).backUp(inputs, run, undefined);
  await using looking = lookingAtHost(inputs, run);
  for (const load of PIECES) {
    await load();
    await setImmediate();
  }
  const { backUp } = await import('./back-up.ts');
  await backUp(inputs, run, looking);
}
