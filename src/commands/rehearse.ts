import type { RehearseInputs } from '../inputs/rehearse.ts';
import type { Run } from '../platform/run.ts';
import { checkLive } from '../rehearsal/live-checks.ts';
import { rehearse as rehearseOnCopy } from '../rehearsal/run.ts';
import type { Cancellation } from '../util/cancellation.ts';

/**
 * Tries a deploy on a neutralized copy of a backup: its migration, Odoo's own start, checks of the data. The Odoo in use
 * is not touched. Or, after a deploy, runs the checks alone on the database in use.
 *
 * @throws UserError where the deploy would fail, or the data is not as it should be; the signal's reason when that is
 * aborted
 */
export const rehearse = (inputs: RehearseInputs, run: Run, cancellation: Cancellation): Promise<void> =>
  inputs.checksOnly ? checkLive(inputs, run) : rehearseOnCopy(inputs, run, cancellation);
