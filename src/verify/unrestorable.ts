import { unrestorableProof } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import type { Store } from '../s3/store.ts';
import { UserError } from '../util/errors.ts';

/** The error that an archive is whole, but the database in it cannot be restored as it is. */
export const unrestorableError = (store: Store, receipt: Receipt): UserError =>
  new UserError(
    `${store.uri(receipt.key)} is whole, and it was tested by a restore: ${unrestorableProof(receipt)?.failure}`,
    'Change that in the database that Odoo uses, then make another backup. The archive stays: all rows and files are in it, and its receipt says what keeps them from being restored by themselves.',
  );
