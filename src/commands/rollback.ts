import type { RollbackInputs } from '../inputs/restore.ts';
import type { Run } from '../platform/run.ts';
import { ofRollback } from '../restore/request.ts';
import type { Cancellation } from '../util/cancellation.ts';
import { loggingInForGood } from './logging-in.ts';

/**
 * Puts a backup back where it came from: the same host, the same database, as it was. Its UUID stays, nothing is
 * neutralized.
 *
 * @throws UserError, or the signal's reason when that is aborted
 */
export async function rollback(inputs: RollbackInputs, run: Run, cancellation: Cancellation): Promise<void> {
  const { database } = inputs.odoo;
  await using login = loggingInForGood(inputs.ssh, run);
  const { putBack } = await import('../restore/run.ts');
  await putBack(inputs, { ...ofRollback(database), target: database }, run, {
    cancellation,
    connect: login.take,
  });
}
