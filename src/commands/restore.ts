import type { RestoreInputs } from '../inputs/restore.ts';
import type { Platform } from '../platform/platform.ts';
import { putBack } from '../restore/run.ts';
import type { Cancellation } from '../util/cancellation.ts';

/**
 * Makes a copy from a backup: under another name, or on another host. It gets a UUID of its own and is neutralized
 * before it takes its name, unless told otherwise.
 *
 * @throws UserError, or the signal's reason when that is aborted
 */
export function restore(
  inputs: RestoreInputs,
  platform: Platform,
  cancellation: Cancellation,
): Promise<void> {
  const { replace, neutralize, newUuid } = inputs;
  const names = { source: inputs.odoo.database, target: inputs.targetDatabase };
  return putBack(inputs, names, { inPlace: false, replace, neutralize, newUuid }, platform, cancellation);
}
