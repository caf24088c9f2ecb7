import { type DirectoryEntry, damaged } from '../archive/central-directory.ts';
import type { RangeReader } from '../archive/ranges.ts';
import { type ArchiveDirectory, readDirectory } from '../archive/reader.ts';
import { planReuse, type Reuse } from '../archive/reuse.ts';
import { readDescription } from '../backup-reader/description.ts';
import { parseSealedName } from '../backup-reader/sealed-names.ts';
import { listBackups, passedReceipts } from '../catalog/keys.ts';
import type { Format, Receipt } from '../catalog/receipt.ts';
import type { TrustedSigners } from '../catalog/signatures.ts';
import { FileList, type FilestoreFile } from '../odoo/file-list.ts';
import { sha1Of } from '../odoo/filestore.ts';
import type { CopiedFront } from '../s3/server-copy.ts';
import type { ObjectHead, Store } from '../s3/store.ts';
import { openedSize } from '../sealing/chunks.ts';
import type { Recipients } from '../sealing/recipients.ts';
import { BitSet } from '../util/bit-set.ts';
import { messageOf } from '../util/errors.ts';
import type { HostFiles } from './host-files.ts';

/** An earlier archive of the same database, and what of it the new one takes over. */
export interface Base extends CopiedFront {
  readonly reuse: Reuse;
  /** Size of the files that are taken over, in bytes. */
  readonly bytes: number;
  /** When the first archive of this chain of copies was sent as a whole. ISO 8601, UTC. */
  readonly fullAt: string;
}

/** What makes an archive fit to be a base. */
export interface BaseWish {
  readonly customer: string;
  readonly database: string;
  readonly format: Format;
  /** Time after which everything is sent again. */
  readonly fullEveryMs: number;
  /** Whose archives are built upon; undefined: anybody's. */
  readonly signers?: TrustedSigners;
  /** Whom the new archive is sealed for, and so the one that it is built upon; undefined: nobody. */
  readonly recipients?: Recipients | undefined;
}

/** An archive that may become a base: what there is to know of it before the host's files are known. */
export interface BaseCandidate {
  readonly receipt: Receipt;
  readonly etag: string | undefined;
  readonly directory: ArchiveDirectory;
  /** Files in it that were not what their names say. */
  readonly corrupt: ReadonlySet<string>;
  /** Whom it is sealed for. */
  readonly recipients: Recipients | undefined;
}

/** A base, and what it leaves to be read. */
export interface BasePlan {
  readonly base: Base;
  readonly files: HostFiles;
}

/** No base: the reason, as the end of a sentence that begins with `Everything is sent:`. */
export interface NoBase {
  readonly why: string;
  /** There was no backup before. */
  readonly first?: true;
  /** The one before is sealed, and this one is to be in the clear: a variable may be empty that was not meant to be. */
  readonly unsealed?: true | undefined;
  /** The server was recently found unable to copy. */
  readonly cannotCopy?: true | undefined;
  /** The first attempt of this backup has ended in a CopyError. */
  readonly inTurn?: true | undefined;
}

/** Number of archives that are looked at: many of them may have another format, or no filestore. */
const CANDIDATES = 10;
/** Share of the copies that may be gaps. */
const MOST_UNREFERENCED = 0.25;
/** Parts that copies may take of the 10,000 of an object: the rest is for what is sent. */
const MOST_COPIES = 9000;

/**
 * Finds the newest verified archive of the database whose filestore may be taken over. Nothing of this ever keeps a
 * backup from being made: where it fails, everything is sent.
 */
export async function findCandidate(store: Store, wish: BaseWish): Promise<BaseCandidate | NoBase> {
  try {
    return await searchCandidate(store, wish);
  } catch (error) {
    return { why: `the previous backup cannot be reused. ${messageOf(error)}` };
  }
}

async function searchCandidate(store: Store, wish: BaseWish): Promise<BaseCandidate | NoBase> {
  const receipt = await newestFit(store, wish);
  if ('why' in receipt) return receipt;
  const fullAt = fullAtOf(receipt);
  if (Date.now() - Date.parse(fullAt) > wish.fullEveryMs) {
    return { why: `the last full upload was at ${fullAt}, which is longer ago than full-every` };
  }
  if (receipt.upload.cannotCopy) {
    return { why: 'the S3 server cannot copy parts of objects', cannotCopy: true };
  }
  const { key } = receipt;
  // Ceph 16 and 18 decode the name of a copy's source twice; text that is not a valid escape the second time crashes
  // their gateway.
  if (key.includes('%')) return { why: `some S3 servers cannot copy from a name with % in it: ${key}` };
  const head = await store.head(key);
  if (head?.size !== receipt.size) return { why: `${store.uri(key)} is not what its receipt says` };
  if (otherEncryption(store, head)) return { why: `${store.uri(key)} has a different encryption` };
  const { size, etag } = head;
  const read = (offset: number, length: number) => store.read(key, offset, length, etag);
  const reader = { size, signal: store.reading.abortSignal, read };
  const directory = await readDirectory(reader);
  const { md5, sha256 = directory.directory.sha256 } = receipt.directory ?? {};
  if (directory.directory.md5 !== md5 || directory.directory.sha256 !== sha256) {
    return { why: `the directory of ${store.uri(key)} is not what its receipt says` };
  }
  const corrupt = receipt.filestore?.corrupt ? await corruptFiles(reader, directory, receipt) : [];
  if (!corrupt) return { why: `${key} holds too many files that were not what their names say` };
  return { receipt, etag, directory, corrupt: new Set(corrupt), recipients: wish.recipients };
}

/** @param files on the host now */
export async function planBase(candidate: BaseCandidate, files: HostFiles): Promise<BasePlan | NoBase> {
  try {
    return await plan(candidate, files);
  } catch (error) {
    return { why: `${candidate.receipt.key} cannot be reused. ${messageOf(error)}` };
  }
}

async function plan(candidate: BaseCandidate, files: HostFiles): Promise<BasePlan | NoBase> {
  const { receipt, etag, directory, corrupt, recipients } = candidate;
  const { key } = receipt;
  const { list } = files;
  const copied = new BitSet(list.length);
  let bytes = 0;
  const reuse = await planReuse(
    directory,
    receipt.segments,
    (entry) => isWanted(fileOf(entry, recipients), list, corrupt),
    (entry) => {
      const { name, size } = fileOf(entry, recipients);
      copied.add(list.indexOf(name));
      bytes += size;
    },
  );
  if (reuse.copies.length === 0) return { why: `${key} holds nothing large enough to be copied` };
  if (reuse.unreferenced > MOST_UNREFERENCED * reuse.length) {
    return { why: `too much of ${key} belongs to deleted files` };
  }
  if (reuse.copies.length > MOST_COPIES) return { why: 'it would take too many parts' };
  const base = { key, etag, copies: reuse.copies, reuse, bytes, fullAt: fullAtOf(receipt) };
  return { base, files: without(files, copied) };
}

function without({ list, referenced }: HostFiles, copied: BitSet): HostFiles {
  const left = list.numbers();
  for (const number of copied) left.delete(number);
  const files = { list: new FileList(), referenced: new BitSet(left.count) };
  for (const number of left) {
    if (referenced.has(number)) files.referenced.add(files.list.length);
    files.list.add({ name: list.nameAt(number), size: list.sizeAt(number) });
  }
  return files;
}

const fullAtOf = ({ upload, startedAt }: Receipt): string => upload.copied?.fullAt ?? startedAt;

/** @returns undefined where they are not known */
async function corruptFiles(
  reader: RangeReader,
  { entries }: ArchiveDirectory,
  { sealed }: Receipt,
): Promise<readonly string[] | undefined> {
  if (sealed) return sealed.corrupt;
  for (const entry of entries()) {
    if (entry.name !== 'backup.json') continue;
    return (await readDescription(reader, entry)).filestore?.corrupt ?? [];
  }
  throw damaged('it has no backup.json');
}

async function newestFit(
  store: Store,
  { customer, database, format, signers, recipients }: BaseWish,
): Promise<Receipt | NoBase> {
  let others: Receipt | undefined;
  const backups = await listBackups(store, customer, database);
  if (!backups.some(({ receipt }) => receipt)) return { why: 'it is the first backup', first: true };
  const zips = backups.filter(({ archive, receipt }) => receipt && archive?.key.endsWith('.zip'));
  for await (const receipt of passedReceipts(store, zips.slice(0, CANDIDATES), signers)) {
    const hasFilestore = receipt.segments.some(({ kind, units }) => kind === 'filestore' && units.length > 0);
    if (receipt.format !== format || !hasFilestore) continue;
    if (isSealedFor(receipt, recipients)) return receipt;
    others ??= receipt;
  }
  if (others) {
    const unsealed = others.sealed && !recipients ? true : undefined;
    return { why: otherRecipients(others, recipients), unsealed };
  }
  return { why: `there is no verified backup of format ${format} with a filestore to build upon` };
}

function isSealedFor({ sealed }: Receipt, recipients: Recipients | undefined): boolean {
  const [theirs, ours] = [new Set(sealed?.recipients), new Set(recipients?.names)];
  return theirs.size === ours.size && [...theirs].every((each) => ours.has(each));
}

function otherRecipients({ key, sealed }: Receipt, recipients: Recipients | undefined): string {
  if (!sealed) return `${key} is not sealed, and this backup is`;
  if (!recipients) return `${key} is sealed, and this backup is not`;
  return `${key} is sealed for other recipients: ${sealed.recipients.join(', ')}`;
}

/** Files are named by their content, and never rewritten: one of the same name and size is the same file. */
function isWanted({ name, size }: FilestoreFile, files: FileList, corrupt: ReadonlySet<string>): boolean {
  const number = files.indexOf(name);
  if (number < 0 || files.sizeAt(number) !== size) return false;
  return sha1Of(name)?.length === 40 && !corrupt.has(name);
}

/** A file of the filestore, by its entry, as it comes out. */
function fileOf({ name, size }: DirectoryEntry, recipients: Recipients | undefined): FilestoreFile {
  const stored = name.slice('filestore/'.length);
  if (!recipients) return { name: stored, size };
  return {
    name: parseSealedName(stored)?.name ?? '',
    size: openedSize(size, recipients.headerLength) ?? -1,
  };
}

function otherEncryption({ options }: Store, head: ObjectHead): boolean {
  const { encryption } = options;
  if (!encryption) return false;
  const keyId = encryption.kind === 'aws:kms' ? encryption.keyId : undefined;
  return head.encryption !== encryption.kind || (keyId !== undefined && !head.kmsKeyId?.endsWith(keyId));
}
