import { ContentError, messageOf, UserError } from '../errors.ts';
import { type Backup, type BackupName, listBackups, readReceipt } from './catalog.ts';
import { errorName, isNotFound } from './failure.ts';
import { inParallel } from './in-parallel.ts';
import { failedProof, type Level, levelOf } from './proofs.ts';
import type { Receipt } from './receipt.ts';
import type { Store, StoredObject } from './store.ts';

/** What lies in the catalog under one name, with its receipt read. */
export interface Entry extends BackupName {
  /** Of the archive; where there is none, of the receipt. */
  readonly key: string;
  readonly archive: StoredObject | undefined;
  /** The object of its own receipt. */
  readonly receiptObject: StoredObject | undefined;
  readonly receipt: ShortReceipt | undefined;
  readonly condition: Condition;
}

/** Without what is long in the receipts of large archives: there may be thousands of them. */
export type ShortReceipt = Omit<Receipt, 'segments'>;

/**
 * What an entry is. `verified`: a backup. `failed`: its receipt says that it did not pass. The others are no backups: an
 * archive `without-receipt` (somebody else's, or of a run that was killed or has not ended), a receipt `without-archive`,
 * one that is `unreadable`, and an archive that its receipt does not speak of, or not any more: `mismatched`.
 */
export type Condition =
  | { readonly kind: 'verified'; readonly level: Level }
  | { readonly kind: 'failed' | 'unreadable' | 'mismatched'; readonly why: string }
  | { readonly kind: 'without-receipt' | 'without-archive' };

/** Requests under way at once: on a long path each of them takes its time. */
export const READERS = 16;

/** All entries of one database, or of every one, newest first. */
export async function takeInventory(store: Store, customer: string, database?: string): Promise<Entry[]> {
  const backups = await listBackups(store, customer, database);
  return inParallel(backups, READERS, (backup) => readEntry(store, backup));
}

/** @throws UserError when S3 does not let it be read; a receipt that is none is a condition of the entry */
export async function readEntry(store: Store, backup: Backup): Promise<Entry> {
  const { archive, receipt: receiptObject, database, at } = backup;
  const key = archive?.key ?? receiptObject?.key ?? '';
  const entry = { key, database, at, archive, receiptObject, receipt: undefined };
  if (!receiptObject) return { ...entry, condition: { kind: 'without-receipt' } };
  let receipt: ShortReceipt;
  try {
    receipt = shortened(await readReceipt(store, receiptObject.key));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { ...entry, condition: { kind: 'unreadable', why: messageOf(error) } };
  }
  if (!archive) return { ...entry, receipt, condition: { kind: 'without-archive' } };
  if (nameOf(receipt.key) !== nameOf(key)) {
    return { ...entry, receiptObject: undefined, condition: { kind: 'without-receipt' } }; // its twin's
  }
  return { ...entry, receipt, condition: judge(receipt, archive, database) };
}

const shortened = ({ segments: _, ...receipt }: Receipt): ShortReceipt => receipt;

/** A matter of this receipt alone: it is none, a lifecycle rule has archived it, or it has gone meanwhile. */
function isUnreadable(error: unknown): boolean {
  if (error instanceof ContentError) return true;
  const cause = error instanceof UserError ? error.cause : undefined;
  return isNotFound(cause) || errorName(cause) === 'InvalidObjectState';
}

/** Without the folder: a catalog may have been copied. */
const nameOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

function judge(receipt: ShortReceipt, archive: StoredObject, database: string): Condition {
  if (receipt.database !== database) {
    return { kind: 'mismatched', why: `its receipt is of the database ${receipt.database}` };
  }
  if (receipt.size !== archive.size) {
    return { kind: 'mismatched', why: `it has ${archive.size} bytes, its receipt says ${receipt.size}` };
  }
  const failure = failedProof(receipt);
  if (failure) return { kind: 'failed', why: `${failure.level}: ${failure.failure}` };
  const level = levelOf(receipt);
  return level ? { kind: 'verified', level } : { kind: 'failed', why: 'its receipt holds no proof' };
}
