import type { RestoreInputs } from '../inputs/restore.ts';
import type { Run } from '../platform/run.ts';
import type { Cancellation } from '../util/cancellation.ts';
import { loggingInForGood } from './logging-in.ts';

/**
 * Makes a copy from a backup: under another name, or on another host. It gets a UUID of its own and is neutralized
 * before it takes its name, unless told otherwise.
 *
 * @throws UserError, or the signal's reason when that is aborted
 */
export async function restore(inputs: RestoreInputs, run: Run, cancellation: Cancellation): Promise<void> {
  const { replace, neutralize, newUuid, afterLoad, skipTables } = inputs;
  const { targetDatabase: target } = inputs;
  const copy = { replace, neutralize, newUuid, afterLoad, skipTables };
  const asked = { source: inputs.odoo.database, target, inPlace: false, ...copy };
  await using login = loggingInForGood(inputs.ssh, run);
  const { putBack } = await import('../restore/run.ts');
  await putBack(inputs, asked, run, { cancellation, connect: login.take });
}
