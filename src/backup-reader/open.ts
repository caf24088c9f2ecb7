import type { RangeReader } from '../archive/ranges.ts';
import type { ReadFile } from '../archive/read-entries.ts';
import { readDirectory } from '../archive/reader.ts';
import type { Directory } from '../archive/segment.ts';
import type { BackupDescription } from '../catalog/description.ts';
import type { Receipt } from '../catalog/receipt.ts';
import type { Authorship } from '../catalog/signatures.ts';
import type { Store } from '../s3/store.ts';
import { LONGEST_HEADER } from '../sealing/header.ts';
import type { Identities } from '../sealing/identities.ts';
import { none } from '../util/iterables.ts';
import { type OdooManifest, openDescription, openSealedText, readManifest } from './description.ts';
import { bareDump, type DumpFile, type DumpSource, findDump, memberFile } from './dump.ts';
import { ArchivedFiles, type FilestoreEntry, filestoreOf, readFiles } from './filestore.ts';
import { MemberContents } from './member-contents.ts';
import { type Members, membersOf } from './members.ts';
import { assertCanOpen, Seal, type SealedBackup, sealedBackup } from './seal.ts';
import { parseName, type Selected, type Selection, selectBackup, wrongBackup } from './select.ts';
import { ContentSums } from './sums.ts';

/** A backup that can be restored: what it says of itself, and the way to its content. */
export interface RestoreSource {
  readonly uri: string;
  readonly key: string;
  /** Size of the object in bytes. */
  readonly size: number;
  /** undefined: not verified, which the caller has allowed. */
  readonly receipt: Receipt | undefined;
  /** Who wrote the receipt; undefined: there is none. */
  readonly authorship: Authorship | undefined;
  /** Whether it is sealed, as it shows itself, or as its receipt says. */
  readonly isSealed: boolean;
  /** Newer backups that are not to be trusted, each with the reason. */
  readonly passedOver: readonly string[];
  /** When the backup began. */
  readonly createdAt: Date | undefined;
  /** Database that the backup is of. */
  readonly database: string | undefined;
  /** `17.0` */
  readonly odooVersion: string | undefined;
  /** Description of the backup, only in our own: backup.json, or for a bare dump what its receipt says instead. */
  readonly description: BackupDescription | undefined;
  /** manifest.json of Odoo. */
  readonly manifest: OdooManifest | undefined;
  readonly dump: DumpSource;
  /** By their names; undefined: a backup of the database alone. */
  readonly filestore: ArchivedFiles | undefined;
  /** Files of the filestore that are not restored because of their names. */
  readonly leftOut: readonly string[];
  /** What is in the zip, by names; undefined: the backup is a dump that is an object of its own. */
  readonly members: Members | undefined;
  /** A file of the zip by its name; undefined: there is none. */
  member(name: string): DumpFile | undefined;
  /** Reads files of `filestore`, each checked: see `readFiles`. */
  readFiles(files: Iterable<FilestoreEntry>): AsyncIterable<ReadFile<FilestoreEntry>>;
  /**
   * Makes sure that all of the dump was compared with the receipt: a program may have taken the beginning alone.
   *
   * @throws ContentError when it is not what was written
   */
  assertDump(): Promise<void>;
}

/** What an object holds, and says of itself. */
type Content = Pick<
  RestoreSource,
  | 'database'
  | 'odooVersion'
  | 'description'
  | 'manifest'
  | 'dump'
  | 'filestore'
  | 'leftOut'
  | 'members'
  | 'member'
  | 'readFiles'
>;

/**
 * Finds the backup and opens it.
 * @throws UserError when there is no such backup, or it is not verified and that is not allowed
 * @throws ContentError as `openSelected` does
 */
export async function openSource(
  store: Store,
  selection: Selection,
  identities?: Identities,
): Promise<RestoreSource> {
  return openSelected(store, await selectBackup(store, selection), identities);
}

/** How a backup is opened. */
interface Opening {
  readonly reader: RangeReader;
  readonly uri: string;
  readonly key: string;
  readonly receipt: Receipt | undefined;
  readonly sums: ContentSums;
  readonly sealed: SealedBackup;
  readonly identities: Identities | undefined;
}

/**
 * Reads the directory and the descriptions of a backup, by range. Nothing in it is trusted: see `membersOf`.
 *
 * @throws UserError when it is sealed, and the identities do not open it
 * @throws ContentError when it is not the one of its receipt, or nothing that can be restored
 */
export async function openSelected(
  store: Store,
  { key, receipt, authorship, passedOver = [] }: Selected,
  identities?: Identities,
): Promise<RestoreSource> {
  const uri = store.uri(key);
  const sealed = sealedBackup(uri, receipt);
  assertCanOpen(sealed, identities);
  const reader = await store.range(key);
  if (receipt && receipt.size !== reader.size) {
    throw wrongBackup(uri, `it has ${reader.size} bytes instead of ${receipt.size}`);
  }
  const magic = (await reader.read(0, Math.min(AGE.length, reader.size))).toString('latin1');
  const isZip = magic.startsWith('PK');
  if (receipt?.directory && !isZip) throw wrongBackup(uri, 'it is not a zip archive');
  const sums = new ContentSums(receipt?.sums);
  const opening = { reader, uri, key, receipt, sums, sealed, identities };
  const content = isZip ? await readArchive(opening) : await bareContent(opening, magic === AGE);
  const startedAt = receipt?.startedAt ?? content.description?.startedAt;
  return {
    uri,
    key,
    size: reader.size,
    receipt,
    authorship,
    isSealed: receipt?.sealed !== undefined || magic === AGE || content.members?.isSealed === true,
    passedOver,
    createdAt: startedAt === undefined ? parseName(key)?.at : new Date(startedAt),
    ...content,
    assertDump: () => sums.assertRead(),
  };
}

/** How a file of age begins. */
const AGE = 'age-encryption.org/v1\n';

async function readArchive(opening: Opening): Promise<Content> {
  const { reader, uri, key, receipt, sums } = opening;
  const archive = await readDirectory(reader);
  if (receipt) assertDirectory(receipt, archive.directory, uri);
  const members = await membersOf(archive);
  const manifested = members.get('manifest.json');
  const { description, seal } = await openDescription(opening, members, sums);
  const contents = new MemberContents(reader, { sums, seal, sizes: description?.sealed?.sizes });
  const manifest = manifested && (await readManifest(reader, manifested, sums));
  const database =
    receipt?.database ?? description?.database ?? manifest?.db_name ?? parseName(key)?.database;
  const { corrupt = [] } = description?.filestore ?? {};
  const filestore = await filestoreOf(members, database, corrupt, contents);
  const isEmpty = description?.filestore?.files === 0;
  return {
    database,
    odooVersion: receipt?.odoo?.version ?? description?.odooVersion ?? manifest?.major_version,
    description,
    manifest,
    dump: await findDump(contents, members),
    filestore: filestore?.files ?? (isEmpty ? new ArchivedFiles(members, undefined, []) : undefined),
    leftOut: filestore?.leftOut ?? [],
    members,
    member: (name) => {
      const entry = members.get(name);
      return entry && memberFile(contents, name, entry);
    },
    readFiles: (files) => readFiles(contents, files),
  };
}

async function bareContent(opening: Opening, isSealed: boolean): Promise<Content> {
  const { reader, key, receipt, sums, sealed, identities } = opening;
  const name = key.slice(key.lastIndexOf('/') + 1);
  const start = isSealed ? await reader.read(0, Math.min(LONGEST_HEADER, reader.size)) : undefined;
  const seal = start && (await Seal.open(start, name, sealed, identities));
  const text = receipt?.sealed?.description;
  return {
    database: receipt?.database ?? parseName(key)?.database,
    odooVersion: receipt?.odoo?.version,
    description: seal && text !== undefined ? await openSealedText(text, seal) : receipt?.description,
    manifest: undefined,
    dump: await bareDump(reader, name, sums, seal),
    filestore: undefined,
    leftOut: [],
    members: undefined,
    member: () => undefined,
    readFiles: none,
  };
}

/** @throws ContentError when an archive has another directory than its receipt says: other members, or fewer */
export function assertDirectory({ directory }: Receipt, found: Directory, uri: string): void {
  if (!isSame(directory, found)) throw wrongBackup(uri, 'it has another central directory');
}

function isSame(a: Directory | null, b: Directory): boolean {
  if (a?.sha256 !== undefined && a.sha256 !== b.sha256) return false;
  return a?.md5 === b.md5 && a.offset === b.offset && a.length === b.length && a.entries === b.entries;
}
