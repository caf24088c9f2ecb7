import { assertCanOpen, sealedBackup } from '../backup-reader/seal.ts';
import { takeInventory } from '../catalog/entries.ts';
import { catalogFolder, readReceipt } from '../catalog/keys.ts';
import { failedProof, unrestorableProof } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { openSigning } from '../catalog/signing-key.ts';
import type { VerifyInputs } from '../inputs/verify.ts';
import type { Run } from '../platform/run.ts';
import { Store } from '../s3/store.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import { chooseEntries, type Which } from '../verify/choose.ts';
import { assertProvable } from '../verify/prove.ts';
import { raise } from '../verify/raise.ts';
import { verifiedJson, verifyOutputs, verifySummary } from '../verify/summary.ts';
import { unrestorableError } from '../verify/unrestorable.ts';

/**
 * Looks at archives in the bucket again, closer than before, and writes into their receipts what it finds. If one
 * fails, the others are looked at nevertheless.
 *
 * @throws UserError when one has failed, or could not be looked at; the signal's reason when that is aborted
 */
export async function verify(inputs: VerifyInputs, run: Run): Promise<void> {
  const { platform, signal } = run;
  const { customer, prefix } = inputs.s3;
  using store = new Store(inputs.s3, signal, platform);
  const folder = store.uri(catalogFolder(prefix, customer));
  const chosen = await platform.group(
    `Find what to verify: ${whichWords(inputs.which)} in ${folder}`,
    async () => {
      const entries = await takeInventory(store, customer, inputs.database, inputs.signing.signers);
      const found = chooseEntries(store, entries, inputs.which, inputs.signing.signers);
      platform.info(
        `${formatCounted(found.length, 'archive')} of ${formatCounted(entries.length, 'entry', 'entries')}`,
      );
      return found;
    },
  );
  if (chosen.length === 0) throw nothingFound(inputs, folder);

  const signing = await openSigning(inputs.signing, platform);
  const { identities } = inputs;
  for (const { key, receipt } of chosen) {
    await assertProvable(inputs.proof, receipt);
    assertCanOpen(sealedBackup(store.uri(key), receipt), identities);
  }
  const verified: Receipt[] = [];
  for (const { key, receiptObject } of chosen) {
    if (!receiptObject) continue;
    const receipt = await raise(
      { store, key, receipt: (await readReceipt(store, receiptObject.key)).receipt, signing, identities },
      inputs.proof,
      run,
    );
    const failure = failedProof(receipt)?.failure;
    if (failure !== undefined) platform.warning(`${store.uri(key)} has failed: ${failure}`);
    const unrestorable = unrestorableProof(receipt)?.failure;
    if (unrestorable !== undefined) platform.warning(`${store.uri(key)} is whole. ${unrestorable}`);
    verified.push(receipt);
  }
  for (const [name, value] of Object.entries(verifyOutputs(store, verified))) platform.output(name, value);
  platform.output('json', JSON.stringify(verified.map(verifiedJson)));
  await platform.summary(verifySummary(store, inputs.proof.level, verified));
  const failed = verified.filter(failedProof);
  if (failed.length > 0) throw failedError(store, failed, verified.length);
  const [unrestorable] = verified.filter(unrestorableProof);
  if (unrestorable) throw unrestorableError(store, unrestorable);
}

function whichWords(which: Which): string {
  if (which.kind === 'named') return which.backup;
  return which.kind === 'oldest' ? `the ${which.count} verified the longest ago` : 'latest';
}

function nothingFound({ which, database }: VerifyInputs, folder: string): UserError {
  const what = which.kind === 'named' ? `backup ${which.backup}` : 'verified backup';
  return new UserError(
    `There is no ${what}${database === undefined ? '' : ` of ${database}`} in ${folder}`,
    'Check s3-prefix, customer, database and backup. The command list shows what there is.',
  );
}

function failedError(store: Store, failed: readonly Receipt[], all: number): UserError {
  const lines = failed.map((receipt) => `${store.uri(receipt.key)}: ${failedProof(receipt)?.failure}`);
  return new UserError(
    all === 1
      ? `The archive has failed: ${lines.join()}`
      : [`${failed.length} of ${all} archives have failed:`, ...lines].join('\n  '),
    'Their receipts say so now, and they no longer count as backups. Make a new one, and find out what changed them.',
  );
}
