import type { BackupInputs } from '../inputs/backup.ts';
import type { Run } from '../platform/run.ts';
import { lookingAtHost } from './logging-in.ts';

/**
 * Backs up one Odoo database, or several, each into an object of its own with a receipt of its own. If one fails, the
 * others are backed up nevertheless.
 *
 * @throws UserError when one has failed, or the signal's reason when that is aborted
 */
export async function backup(inputs: BackupInputs, run: Run): Promise<void> {
  if (inputs.databases.kind !== 'one') return (await import('./back-up.ts')).backUp(inputs, run, undefined);
  await using looking = lookingAtHost(inputs, run);
  await import('../backup/look.ts'); // first: then the host is asked while the rest is loaded
  const { backUp } = await import('./back-up.ts');
  await backUp(inputs, run, looking);
}
