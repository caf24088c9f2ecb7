import type { BackupInputs } from '../inputs/backup.ts';
import type { Run } from '../platform/run.ts';
import { loggingIn } from './logging-in.ts';

/**
 * Backs up one Odoo database, or several, each into an object of its own with a receipt of its own. If one fails, the
 * others are backed up nevertheless.
 *
 * @throws UserError when one has failed, or the signal's reason when that is aborted
 */
export async function backup(inputs: BackupInputs, run: Run): Promise<void> {
  await using login = inputs.databases.kind === 'one' ? loggingIn(inputs.ssh, run) : undefined;
  const { backUp } = await import('./back-up.ts');
  await backUp(inputs, run, login?.take);
}
