import { appendProof } from '../catalog/append-proof.ts';
import { isUnreadable } from '../catalog/entries.ts';
import { catalogFolder, listBackups, readReceipt } from '../catalog/keys.ts';
import { whichIsMeant } from '../catalog/named-backup.ts';
import { levelOf, pinOf, type Remark } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { whyNotTrusted } from '../catalog/signatures.ts';
import { openSigning } from '../catalog/signing-key.ts';
import type { MarkInputs } from '../inputs/mark.ts';
import type { Run } from '../platform/run.ts';
import { code } from '../report/summary.ts';
import { Store } from '../s3/store.ts';
import { UserError } from '../util/errors.ts';
import { tool } from '../util/version.ts';

/**
 * Writes into the receipt of a backup what a person says of it: that no rule is to delete it, or that it is right that
 * it has less than the ones before it.
 *
 * @throws UserError when there is no such backup; the signal's reason when that is aborted
 */
export async function mark(inputs: MarkInputs, { platform, signal }: Run): Promise<void> {
  const { customer, prefix } = inputs.s3;
  using store = new Store(inputs.s3, signal, platform);
  const folder = store.uri(catalogFolder(prefix, customer));
  const found = await platform.group(`Find the backup: ${inputs.backup} in ${folder}`, () =>
    find(store, inputs),
  );
  const signing = await openSigning(inputs.signing, platform);
  let receipt = found;
  for (const remark of inputs.remarks) {
    const proof = { level: 'upload' as const, at: new Date().toISOString(), tool, remark };
    receipt = await appendProof(store, found.key, proof, signing);
  }
  const uri = store.uri(receipt.key);
  const pin = pinOf(receipt) ?? '';
  platform.output('key', receipt.key);
  platform.output('uri', uri);
  platform.output('database', receipt.database);
  platform.output('json', JSON.stringify({ key: receipt.key, pinned: pin === '' ? null : pin }));
  await platform.summary({
    outcome: 'done',
    title: `${inputs.remarks.map(doneWords).join(', ')}: ${receipt.key}`,
    blocks: [{ kind: 'facts', rows: [['Backup', code(uri)], ...inputs.remarks.flatMap(reasonRow)] }],
  });
}

const doneWords = ({ kind }: Remark): string =>
  ({ pin: 'Pinned', unpin: 'No longer pinned', 'accept-shrink': 'Accepted as it is' })[kind];

const reasonRow = ({ reason }: Remark): [string, string][] => (reason === '' ? [] : [['Reason', reason]]);

/** The newest verified backup, or the one that is named. */
async function find(
  store: Store,
  { s3, database, backup, signing: { signers } }: MarkInputs,
): Promise<Receipt> {
  const all = await listBackups(store, s3.customer, database);
  const meant = backup === 'latest' ? all : all.filter(whichIsMeant(store, backup));
  for (const { archive, receipt: object } of meant) {
    if (!archive || !object) continue;
    try {
      const { receipt, authorship } = await readReceipt(store, object.key, signers, archive.modified);
      if (receipt.key !== archive.key || whyNotTrusted(authorship, signers) !== undefined) continue;
      if (backup !== 'latest' || levelOf(receipt)) return receipt;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
  }
  throw new UserError(
    `There is no ${backup === 'latest' ? 'verified backup' : `backup ${backup}`} of ${database} in ${store.uri(catalogFolder(s3.prefix, s3.customer))}`,
    'Check s3-prefix, customer, database and backup. The command list shows what there is.',
  );
}
