import type { RollbackInputs } from '../inputs/restore.ts';
import type { Run } from '../platform/run.ts';
import { ofRollback } from '../restore/request.ts';
import { putBack } from '../restore/run.ts';
import type { Cancellation } from '../util/cancellation.ts';

/**
 * Puts a backup back where it came from: the same host, the same database, as it was. Its UUID stays, nothing is
 * neutralized.
 *
 * @throws UserError, or the signal's reason when that is aborted
 */
export function rollback(inputs: RollbackInputs, run: Run, cancellation: Cancellation): Promise<void> {
  const { database } = inputs.odoo;
  return putBack(inputs, { ...ofRollback(database), target: database }, run, cancellation);
}
