import { appendProof } from '../storage/append-proof.ts';
import { levelOf } from '../storage/proofs.ts';
import type { Receipt } from '../storage/receipt.ts';
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
    receipt = await appendProof(subject.store, subject.key, proof);
    if (!levelOf(receipt)) break;
  }
  return receipt;
}
