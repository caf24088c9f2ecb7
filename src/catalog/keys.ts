import type { Store, StoredObject, StoreOptions } from '../s3/store.ts';
import { isPrintable } from '../util/controls.ts';
import { isPostdated } from './dating.ts';
import { levelOf } from './proofs.ts';
import { parseReceipt, type Receipt } from './receipt.ts';
import { type Authorship, checkAuthorship, type TrustedSigners, whyNotTrusted } from './signatures.ts';

/** Where the archives of a customer are. Credentials are not here: the SDK's own chain finds them. */
export interface CatalogOptions extends StoreOptions {
  /** The part of the key that tells customers apart. */
  readonly customer: string;
}

/** A zip, or for a database alone a bare dump, which may be sealed. A sealed zip is a zip. */
export type ArchiveExtension = '.zip' | '.dump' | '.sql.gz' | '.dump.age' | '.sql.gz.age';

/** What a key says. */
export interface BackupName {
  readonly database: string;
  /** When the backup began, to the second. */
  readonly at: Date;
}

/** What the bucket holds of one backup. It counts as one only with its receipt. */
export interface Backup extends BackupName {
  readonly archive: StoredObject | undefined;
  readonly receipt: StoredObject | undefined;
}

/** The folder of a customer's backups. `prefix` is empty or ends in a slash. */
export function catalogFolder(prefix: string, customer: string): string {
  return `${prefix}${customer}/backups/`;
}

/** `{folder}{database}_{YYYY-MM-DD_HH-MM-SS}{extension}`, in UTC. */
export function archiveKey(
  folder: string,
  { database, at }: BackupName,
  extension: ArchiveExtension,
): string {
  const timestamp = at.toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
  return `${folder}${database}_${timestamp}${extension}`;
}

/** PostgreSQL's NAMEDATALEN - 1, in bytes. */
const LONGEST_NAME = 63;

const keyEnd =
  /^(?<database>.+)_(?<day>\d{4}-\d\d-\d\d)_(?<time>\d\d-\d\d-\d\d)(?<extension>\.zip|\.dump(?:\.age)?|\.sql\.gz(?:\.age)?|\.json)$/s;

/**
 * Parses the key of a backup; undefined for any other key, and for a name that no database can have. A database's name
 * may itself end like a timestamp: the last counts.
 */
export function parseKey(folder: string, key: string): (BackupName & { isReceipt: boolean }) | undefined {
  const found = key.startsWith(folder) ? keyEnd.exec(key.slice(folder.length))?.groups : undefined;
  if (!found) return undefined;
  const { database = '', day, time, extension } = found;
  if (!isPrintable(database) || Buffer.byteLength(database) > LONGEST_NAME) return undefined;
  const iso = `${day}T${time?.replaceAll('-', ':')}.000Z`;
  const at = new Date(iso);
  if (Number.isNaN(at.getTime()) || at.toISOString() !== iso) return undefined; // such as 30 February
  return { database, at, isReceipt: extension === '.json' };
}

/** The key of the receipt that belongs to an archive's key. */
export function receiptKey(archiveKey: string): string {
  return archiveKey.replace(/(\.zip|(\.dump|\.sql\.gz)(\.age)?)$/, '.json');
}

/** The backups of one database, or of all, newest first. */
export async function listBackups(store: Store, customer: string, database?: string): Promise<Backup[]> {
  const folder = catalogFolder(store.options.prefix, customer);
  const archives: (BackupName & { archive: StoredObject })[] = [];
  const receipts = new Map<string, BackupName & { receipt: StoredObject }>();
  for await (const object of store.list(database === undefined ? folder : `${folder}${database}_`)) {
    const name = parseKey(folder, object.key);
    // The database's name begins with the prefix that was asked for, and may be longer.
    if (!name || (database !== undefined && name.database !== database)) continue;
    const { isReceipt, ...id } = name;
    if (isReceipt) receipts.set(object.key, { ...id, receipt: object });
    else archives.push({ ...id, archive: object });
  }
  // Two archives of one second, such as a zip and a bare dump, share a receipt: it says whose it is.
  const withArchive = archives.map((each) => {
    const { receipt } = receipts.get(receiptKey(each.archive.key)) ?? {};
    return { ...each, receipt };
  });
  for (const { receipt } of withArchive) if (receipt) receipts.delete(receipt.key);
  const alone = [...receipts.values()].map((each) => ({ ...each, archive: undefined }));
  return [...withArchive, ...alone].sort(newestFirst);
}

/** Equal times in the order of their keys, so that every run sees the same. */
function newestFirst(a: Backup, b: Backup): number {
  const key = ({ archive, receipt }: Backup) => (archive ?? receipt)?.key ?? '';
  return b.at.getTime() - a.at.getTime() || (key(a) < key(b) ? -1 : 1);
}

/**
 * The receipts of those backups whose archive is there, has not failed a proof, and is not dated in its future, each
 * read when it is taken; where signers are named, of those that one of them has signed.
 */
export async function* passedReceipts(
  store: Store,
  backups: Iterable<Backup>,
  signers?: TrustedSigners,
): AsyncGenerator<Receipt> {
  for (const backup of backups) {
    const { archive, receipt: object } = backup;
    if (!archive || !object || isPostdated(backup)) continue;
    const { receipt, authorship } = await readReceipt(store, object.key, signers, archive.modified);
    if (whyNotTrusted(authorship, signers) !== undefined) continue;
    if (receipt.key === archive.key && levelOf(receipt)) yield receipt;
  }
}

/** The newest receipt whose archive is there and has not failed a proof; undefined when there is none. */
export async function latestReceipt(
  store: Store,
  customer: string,
  database: string,
): Promise<Receipt | undefined> {
  const backups = await listBackups(store, customer, database);
  for await (const receipt of passedReceipts(store, backups)) return receipt;
  return undefined;
}

/** A receipt as it was read, with the proofs that count, and what is known of who wrote it. */
export interface ReadReceipt {
  readonly receipt: Receipt;
  readonly authorship: Authorship;
}

/**
 * @param storedAt when S3 took the archive
 * @throws UserError when there is none, or it is not one
 */
export async function readReceipt(
  store: Store,
  key: string,
  signers?: TrustedSigners,
  storedAt?: Date,
): Promise<ReadReceipt> {
  const value = await store.getJson(key);
  return checkAuthorship(value, parseReceipt(value, store.uri(key)), signers, storedAt);
}

/** Writes the receipt beside its archive, which makes that a backup. Returns the receipt's key. */
export async function writeReceipt(store: Store, receipt: Receipt): Promise<string> {
  const key = receiptKey(receipt.key);
  await store.putJson(key, receipt);
  return key;
}
