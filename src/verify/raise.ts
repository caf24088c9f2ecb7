import { appendProof } from '../catalog/append-proof.ts';
import { levelOf, type Proof, unrestorableProof } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import type { Run } from '../platform/run.ts';
import { UserError } from '../util/errors.ts';
import type { LookOptions } from './options.ts';
import { prove } from './prove.ts';
import type { Subject } from './subject.ts';

/**
 * Each rests on the one before: a restore does not look at every file, and an Odoo that answers has not counted its rows.
 */
function stepsTo(options: LookOptions): readonly LookOptions[] {
  switch (options.level) {
    case 'contents':
      return [options];
    case 'restore':
      return [{ ...options, level: 'contents' }, options];
    case 'boot':
      return [...stepsTo({ ...options, level: 'restore' }), options];
  }
}

/**
 * Proves an archive up to a level, and writes each proof into its receipt, also one that says that it has failed.
 *
 * @returns the receipt as it is now
 * @throws whatever kept it from finding out: the receipt then says what was found out until then
 */
export async function raise(subject: Subject, options: LookOptions, run: Run): Promise<Receipt> {
  let { receipt } = subject;
  for (const step of stepsTo(options)) {
    const proof = await prove({ ...subject, receipt }, step, run);
    receipt = await write(proof, subject);
    if (!levelOf(receipt) || unrestorableProof(receipt)) break;
  }
  return receipt;
}

/** Writes a proof into the receipt. Reports a failed archive even if the receipt cannot be written. */
async function write(proof: Proof, { store, key, signing }: Subject): Promise<Receipt> {
  try {
    return await appendProof(store, key, proof, signing);
  } catch (cause) {
    if (proof.failure === undefined) throw cause;
    const hint = cause instanceof UserError ? ` ${cause.hint}` : '';
    throw new UserError(
      `${store.uri(key)} has failed: ${proof.failure} Its receipt does not say so, and still counts`,
      `Do not rely on this archive, and delete it or its receipt.${hint}`,
      { cause },
    );
  }
}
