import { appendProof } from '../catalog/append-proof.ts';
import { levelOf, type Proof } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { UserError } from '../util/errors.ts';
import { type ProofContext, type Provable, prove, type Subject } from './prove.ts';

/** Each rests on the one before: a restore does not look at every file. */
const steps: Readonly<Record<Provable, readonly Provable[]>> = {
  contents: ['contents'],
  restore: ['contents', 'restore'],
};

/**
 * Proves an archive up to a level, and writes each proof into its receipt, also one that says that it has failed.
 *
 * @returns the receipt as it is now
 * @throws whatever kept it from finding out: the receipt then says what it said before
 */
export async function raise(level: Provable, subject: Subject, context: ProofContext): Promise<Receipt> {
  let { receipt } = subject;
  for (const step of steps[level]) {
    const proof = await prove(step, { ...subject, receipt }, context);
    receipt = await write(proof, subject);
    if (!levelOf(receipt)) break;
  }
  return receipt;
}

/** Writes a proof into the receipt. Reports a failed archive even if the receipt cannot be written. */
async function write(proof: Proof, { store, key }: Subject): Promise<Receipt> {
  try {
    return await appendProof(store, key, proof);
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
