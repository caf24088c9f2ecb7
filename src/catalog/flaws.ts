import { formatCounted } from '../util/format.ts';
import type { Receipt } from './receipt.ts';

type Flawed = Pick<Receipt, 'filestore' | 'elsewhere' | 'obstacles'>;

/** The number of attachments whose file was not on the host. */
export const missingFiles = ({ filestore }: Flawed): number =>
  filestore ? filestore.missing + filestore.lost : 0;

/** What a person should look at, though the backup is made. */
export function flawsOf(receipt: Flawed): string[] {
  const missing = missingFiles(receipt);
  const elsewhere = Object.values(receipt.elsewhere ?? {}).reduce((total, each) => total + each, 0);
  const storages = Object.keys(receipt.elsewhere ?? {}).join(', ');
  const { corrupt = 0, skipped = 0 } = receipt.filestore ?? {};
  return [
    ...(missing > 0 ? [`${formatCounted(missing, 'attachment')} missing on the host`] : []),
    ...(corrupt > 0 ? [`${formatCounted(corrupt, 'file')} corrupt on the host`] : []),
    ...(skipped > 0 ? [`${formatCounted(skipped, 'file')} on the host left out`] : []),
    ...(elsewhere > 0 ? [`${formatCounted(elsewhere, 'attachment')} in other storages (${storages})`] : []),
    ...(receipt.obstacles ?? []).map((why) => `it may not be restored as it is, because ${why}`),
  ];
}
