import { errorName, isNotFound } from '../s3/sdk-errors.ts';
import type { Store, StoredObject } from '../s3/store.ts';
import { ContentError, messageOf, UserError } from '../util/errors.ts';
import { inParallel } from '../util/in-parallel.ts';
import { daysBetween, isBackdated, isPostdated, isSameTime } from './dating.ts';
import { type Backup, type BackupName, listBackups, readReceipt } from './keys.ts';
import { failedProof, type Level, levelOf, unrestorableProof } from './proofs.ts';
import type { Receipt } from './receipt.ts';
import { type Authorship, type TrustedSigners, whyNotTrusted } from './signatures.ts';

/** What the catalog holds under one name, with its receipt read. */
export interface Entry extends BackupName {
  /** Key of the archive; where there is none, key of the receipt. */
  readonly key: string;
  readonly archive: StoredObject | undefined;
  /** The object of its own receipt. */
  readonly receiptObject: StoredObject | undefined;
  readonly receipt: ShortReceipt | undefined;
  /** Who wrote the receipt, where there is one. */
  readonly authorship?: Authorship;
  readonly condition: Condition;
  /** Why nothing that is deleted may count on it, although it is verified: it takes no slot, and stays. */
  readonly doubt?: string;
}

/** A receipt without the parts that are long for a large archive: there may be thousands of receipts. */
export type ShortReceipt = Omit<Receipt, 'segments' | 'sealed'> & {
  readonly sealed?: Pick<NonNullable<Receipt['sealed']>, 'recipients'>;
};

/**
 * What an entry is. `verified`: a backup. `failed`: its receipt says that it did not pass. The others are no backups:
 * an archive `without-receipt` (somebody else's, or of a run that was killed or has not ended), a receipt
 * `without-archive`, one that is `unreadable`, an archive that its receipt does not speak of, or not any more:
 * `mismatched`, and one whose receipt no trusted signer has signed: `untrusted`.
 */
export type Condition =
  | {
      readonly kind: 'verified';
      readonly level: Level;
      /** Why the database in it cannot be restored as it is. */
      readonly unrestorable?: string;
    }
  | { readonly kind: 'failed' | 'unreadable' | 'mismatched' | 'untrusted'; readonly why: string }
  | { readonly kind: 'without-receipt' | 'without-archive' };

/** Requests under way at once: on a long path each of them takes its time. */
export const READERS = 16;

/** All entries of one database, or of every one, newest first. */
export async function takeInventory(
  store: Store,
  customer: string,
  database?: string,
  signers?: TrustedSigners,
): Promise<Entry[]> {
  const backups = await listBackups(store, customer, database);
  return inParallel(backups, READERS, (backup) => readEntry(store, backup, signers));
}

/** @throws UserError when S3 does not let it be read; an object that is not a receipt is a condition of the entry */
export async function readEntry(store: Store, backup: Backup, signers?: TrustedSigners): Promise<Entry> {
  const { archive, receipt: receiptObject, database, at } = backup;
  const key = archive?.key ?? receiptObject?.key ?? '';
  const entry = { key, database, at, archive, receiptObject, receipt: undefined };
  if (!receiptObject) return { ...entry, condition: { kind: 'without-receipt' } };
  let receipt: ShortReceipt;
  let authorship: Authorship;
  try {
    const read = await readReceipt(store, receiptObject.key, signers, archive?.modified);
    ({ authorship } = read);
    receipt = shortened(read.receipt);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { ...entry, condition: { kind: 'unreadable', why: messageOf(error) } };
  }
  if (!archive) return { ...entry, receipt, authorship, condition: { kind: 'without-archive' } };
  if (nameOf(receipt.key) !== nameOf(key)) {
    return { ...entry, receiptObject: undefined, condition: { kind: 'without-receipt' } }; // it belongs to another archive of that second
  }
  const condition =
    distrust(receipt, archive, authorship, signers) ?? judge(receipt, archive, entry, signers);
  return { ...entry, receipt, authorship, condition, ...doubtOf(store, receipt, archive, at) };
}

/** Without what is long. */
export function shortened({ segments: _, sealed, ...receipt }: Receipt): ShortReceipt {
  return { ...receipt, ...(sealed && { sealed: { recipients: sealed.recipients } }) };
}

/** Whether the error is about this receipt alone: it is no receipt, a lifecycle rule archived it, or it was deleted. */
export function isUnreadable(error: unknown): boolean {
  if (error instanceof ContentError) return true;
  const cause = error instanceof UserError ? error.cause : undefined;
  return isNotFound(cause) || errorName(cause) === 'InvalidObjectState';
}

/** Without the folder: a catalog may have been copied. */
const nameOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

/**
 * The backups of a copied catalog are in doubt too: its objects are as old as the copy. So backups in doubt stay, but
 * push no others out, as forged ones would.
 */
function doubtOf(
  store: Store,
  receipt: ShortReceipt,
  archive: StoredObject,
  at: Date,
): { readonly doubt?: string } {
  const seconds = Object.values(receipt.durations).reduce((sum, each) => sum + each, 0);
  if (isBackdated({ at, archive }, seconds * 1000)) {
    return { doubt: `dated ${daysBetween(at, archive.modified)} before it was stored` };
  }
  const startedAt = new Date(receipt.startedAt);
  if (!isSameTime(startedAt, at)) {
    return { doubt: `its receipt has another date: ${receipt.startedAt.slice(0, 10)}` };
  }
  if (receipt.key !== archive.key || receipt.bucket !== store.options.bucket) {
    return { doubt: `its receipt is for s3://${receipt.bucket}/${receipt.key}` };
  }
  return {};
}

/** A signature binds the key, and with it the customer, the database and the time: not the name of the file alone. */
function distrust(
  receipt: ShortReceipt,
  archive: StoredObject,
  authorship: Authorship,
  signers: TrustedSigners,
): Condition | undefined {
  const why = whyNotTrusted(authorship, signers);
  if (why !== undefined) return { kind: 'untrusted', why: `its receipt ${why}` };
  if (!signers || receipt.key === archive.key) return undefined;
  return { kind: 'untrusted', why: `its receipt was signed for ${receipt.key}` };
}

function judge(
  receipt: ShortReceipt,
  archive: StoredObject,
  { database, at }: BackupName,
  signers: TrustedSigners,
): Condition {
  if (isPostdated({ at, archive })) {
    return {
      kind: 'mismatched',
      why: `it is dated ${daysBetween(at, archive.modified)} after it was stored`,
    };
  }
  if (receipt.database !== database) {
    return { kind: 'mismatched', why: `its receipt is of the database ${receipt.database}` };
  }
  if (receipt.size !== archive.size) {
    return { kind: 'mismatched', why: `it has ${archive.size} bytes, its receipt says ${receipt.size}` };
  }
  const failure = failedProof(receipt);
  if (failure && signers && !failure.signature) {
    return { kind: 'untrusted', why: `who says that it has failed is not known: ${failure.failure}` };
  }
  if (failure) return { kind: 'failed', why: `${failure.level}: ${failure.failure}` };
  const level = levelOf(receipt);
  if (!level) return { kind: 'failed', why: 'its receipt holds no proof' };
  const unrestorable = unrestorableProof(receipt)?.failure;
  return { kind: 'verified', level, ...(unrestorable === undefined ? {} : { unrestorable }) };
}
