import { isPostdated } from '../catalog/dating.ts';
import { isUnreadable } from '../catalog/entries.ts';
import {
  type Backup,
  type BackupName,
  catalogFolder,
  listBackups,
  parseKey,
  type ReadReceipt,
  readReceipt,
  receiptKey,
} from '../catalog/keys.ts';
import { keyOf, whichIsMeant } from '../catalog/named-backup.ts';
import { failedProof, levelOf, type Proof } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { type Authorship, type TrustedSigners, whyNotTrusted } from '../catalog/signatures.ts';
import type { Store } from '../s3/store.ts';
import { ContentError, UserError } from '../util/errors.ts';
import { formatBytes } from '../util/format.ts';

/** Which backup is meant. */
export interface Selection {
  readonly customer: string;
  /** `latest`, a key, an `s3://` URI, or the time of its key: `2026-11-21_03-22-59`, `2026-11-21T03:22:59Z`. */
  readonly backup: string;
  /** Database whose backups `latest` and a time select from; undefined: any database of the customer. */
  readonly database: string | undefined;
  /**
   * Whether a backup without a receipt, which is not verified, is allowed. `latest` takes one only if no backup has a
   * receipt.
   */
  readonly allowUnverified: boolean;
  /** Whose backups count; undefined: anybody's. `latest` passes over those of others. */
  readonly signers?: TrustedSigners;
}

/** The object to restore. */
export interface Selected {
  readonly key: string;
  /** undefined: not verified, and allowed nevertheless. */
  readonly receipt: Receipt | undefined;
  /** Who wrote the receipt; undefined: there is none. */
  readonly authorship?: Authorship | undefined;
  /** Newer backups that `latest` has passed over, because no trusted signer has signed them, each with the reason. */
  readonly passedOver?: readonly string[];
}

/**
 * @throws UserError when there is no such backup, more than one, or none with a receipt, or one that failed its proof,
 * and that is not allowed
 */
export async function selectBackup(store: Store, selection: Selection): Promise<Selected> {
  const { signers } = selection;
  const named = keyOf(store, selection.backup);
  const { key, passedOver } = named === undefined ? await findBackup(store, selection) : { key: named };
  const head = await store.head(key);
  const read = await receiptOf(store, key, signers, head?.modified);
  if (!head) {
    throw notFound(store, selection, await listBackups(store, selection.customer, selection.database));
  }
  const why = read && whyNotTrusted(read.authorship, signers);
  const receipt = why === undefined ? read?.receipt : undefined; // what it says counts for nothing
  const selected = { key, receipt, authorship: read?.authorship, passedOver };
  if (selection.allowUnverified) return selected;
  if (!read) throw unverified(store.uri(key));
  if (why !== undefined) throw untrusted(store.uri(key), why);
  const failure = failedProof(read.receipt);
  if (failure) throw failed(store.uri(key), failure);
  if (signers && !levelOf(read.receipt)) throw unproven(store.uri(key));
  return selected;
}

async function findBackup(store: Store, selection: Selection): Promise<Pick<Selected, 'key' | 'passedOver'>> {
  const { customer, database, backup } = selection;
  const all = await listBackups(store, customer, database);
  // A backup that is named may have any date; `latest` takes none that is dated later than it was stored.
  const isMeant = (each: Backup) => each.archive !== undefined && (backup !== 'latest' || !isPostdated(each));
  const there = all.filter(isMeant);
  const verified = there.filter(({ receipt }) => receipt);
  const candidates =
    backup === 'latest'
      ? verified.length > 0
        ? verified
        : there
      : there.filter(whichIsMeant(store, backup));
  assertOneDatabase(candidates);
  const passedOver: string[] = [];
  const chosen =
    backup === 'latest' ? await firstPassed(store, verified, selection.signers, passedOver) : undefined;
  const key = (chosen ?? candidates[0])?.archive?.key;
  if (key === undefined) throw notFound(store, selection, all);
  return { key, passedOver: chosen ? passedOver : [] };
}

/**
 * undefined: none has, or there is none.
 *
 * @param passedOver gets those that are not to be trusted
 * @throws UserError where a receipt on the way cannot be read: its backup may be the one that is meant, and an older
 * one is taken only by somebody who names it
 */
async function firstPassed(
  store: Store,
  backups: readonly Backup[],
  signers: TrustedSigners,
  passedOver: string[],
): Promise<Backup | undefined> {
  for (const [i, { receipt, ...backup }] of backups.entries()) {
    if (!receipt) continue;
    try {
      const read = await readReceipt(store, receipt.key, signers, backup.archive?.modified);
      const why = whyNotTrusted(read.authorship, signers) ?? whyNotFailed(read.receipt, signers);
      if (why !== undefined) passedOver.push(`${backup.archive?.key}: its receipt ${why}`);
      else if (levelOf(read.receipt)) return { receipt, ...backup };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const older = await firstReadable(store, backups.slice(i + 1), signers);
      throw new UserError(
        `The latest backup cannot be determined, because a receipt cannot be read: ${store.uri(receipt.key)}`,
        older === undefined
          ? 'No older backup has a readable receipt. You can still name one by its key, with backup and allow-unverified: true.'
          : `Repair or remove the receipt, or name the backup to use. The next older verified one: backup: ${older}`,
        { cause: error },
      );
    }
  }
  return undefined;
}

/** Who writes to the bucket could send a rollback to an older backup this way: it does not count, and is told. */
function whyNotFailed(receipt: Receipt, signers: TrustedSigners): string | undefined {
  const failure = signers && failedProof(receipt);
  return failure && !failure.signature
    ? `says that it has failed, which nobody has signed: ${failure.failure}`
    : undefined;
}

/** Key of the archive. */
async function firstReadable(
  store: Store,
  backups: readonly Backup[],
  signers: TrustedSigners,
): Promise<string | undefined> {
  for (const { receipt, archive } of backups) {
    if (!receipt || !archive) continue;
    try {
      const read = await readReceipt(store, receipt.key, signers, archive.modified);
      if (whyNotTrusted(read.authorship, signers) === undefined && levelOf(read.receipt)) return archive.key;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
  }
  return undefined;
}

function assertOneDatabase(backups: readonly Backup[]): void {
  const databases = [...new Set(backups.map(({ database }) => database))];
  if (databases.length <= 1) return;
  throw new UserError(
    `There are backups of several databases: ${databases.join(', ')}`,
    'Set the input database.',
  );
}

/** undefined: there is none. */
async function receiptOf(
  store: Store,
  key: string,
  signers: TrustedSigners,
  storedAt: Date | undefined,
): Promise<ReadReceipt | undefined> {
  const beside = receiptKey(key);
  if (beside === key || !(await store.head(beside))) return undefined;
  const read = await readReceipt(store, beside, signers, storedAt);
  if (read.receipt.key !== key) throw wrongBackup(store.uri(key), `the receipt is for ${read.receipt.key}`);
  return read;
}

/** A receipt that was written for something else proves nothing. */
export function wrongBackup(uri: string, what: string): ContentError {
  return new ContentError(
    `${uri} is not the archive that the receipt describes: ${what}.`,
    'One of the two was changed or replaced since the backup. Choose another backup.',
  );
}

function unverified(uri: string): UserError {
  return new UserError(
    `${uri} has no receipt: nobody has verified that it is complete, or that this program made it.`,
    'Choose a backup with a receipt. If you trust this one, set allow-unverified: true: it is then restored without verification.',
  );
}

function untrusted(uri: string, why: string): UserError {
  return new UserError(
    `${uri} is not trusted: its receipt ${why}`,
    'Choose another backup, or name who has signed it in trusted-signers. Backups from before signatures have none: to restore from this one anyway, set allow-unverified: true.',
  );
}

function unproven(uri: string): UserError {
  return new UserError(
    `${uri} has no verification signed by a trusted signer.`,
    'Run the command verify on it with a key of trusted-signers, or choose another backup. To restore from this one anyway, set allow-unverified: true.',
  );
}

function failed(uri: string, { level, at, failure }: Proof): UserError {
  return new UserError(
    `${uri} did not pass its verification (${level}) on ${at.slice(0, 10)}: ${failure}`,
    'Choose another backup. To restore from this one anyway, set allow-unverified: true.',
  );
}

/** The catalog is empty: the first backup is still to be made. */
export class NoBackupYetError extends UserError {}

const LISTED = 10;

function notFound(store: Store, { customer, database, backup }: Selection, all: readonly Backup[]) {
  const folder = store.uri(catalogFolder(store.options.prefix, customer));
  const of = database === undefined ? '' : ` of ${database}`;
  const lines = all.slice(0, LISTED).map(({ archive, receipt }) => {
    if (!archive) return `${receipt?.key}: a receipt whose archive is gone`;
    return `${archive.key} (${formatBytes(archive.size)}${receipt ? '' : ', no receipt'})`;
  });
  if (all.length > LISTED) lines.push(`and ${all.length - LISTED} older ones`);
  const there = lines.length > 0 ? ` There are:\n${lines.map((line) => `  ${line}`).join('\n')}` : '';
  const Reason = all.length === 0 ? NoBackupYetError : UserError;
  return new Reason(
    `No backup found${backup === 'latest' ? '' : ` for ${backup}`}${of} in ${folder}.${there}`,
    'Check the S3 bucket, the prefix and the customer name, the database, and that the credentials may read there.',
  );
}

/** What a key says, whatever folder it is in; undefined for one that says nothing. */
export function parseName(key: string): BackupName | undefined {
  return parseKey(key.slice(0, key.lastIndexOf('/') + 1), key);
}
