import { createHash, hash } from 'node:crypto';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Accounts } from '../host/accounts.ts';
import type { OutboundCodec } from '../host/codecs.ts';
import type { Folder } from '../host/folder.ts';
import { CommandError, type Host } from '../host/host.ts';
import { asOwner, type SeenFolder, seeFolder } from '../host/owned-folder.ts';
import { records, run } from '../host/run.ts';
import { readTar, type TarEntry } from '../host/tar.ts';
import { begunInOrder } from '../util/begun.ts';
import type { BitSet } from '../util/bit-set.ts';
import { UserError } from '../util/errors.ts';
import type { FileList, FilestoreFile } from './file-list.ts';

/** A database's filestore on the host: content-addressed, `xx/<sha1 of the content>`. */
export interface Filestore extends Folder {
  /** The account that reads it. */
  readonly account: string;
  /**
   * The user ID whose files are read, where the account that reads is not the owner of the filestore: the owner could
   * have put there what only the reader may read. Absent: whatever is there.
   */
  readonly onlyOf?: number;
  /** Compresses the files on their way. */
  readonly codec?: OutboundCodec;
}

/** What a backup found out about a filestore. Names are relative to its folder. */
export interface FilestoreReport {
  /** Files archived. */
  readonly files: number;
  /** Bytes archived, before compression. */
  readonly bytes: number;
  /** Named by an attachment, not on disk before the backup. */
  readonly missing: readonly string[];
  /** Named by an attachment, on disk before, and gone when it was to be read. */
  readonly lost: readonly string[];
  /** Archived as they are, although their content is not what their name says, however often they are read. */
  readonly corrupt: readonly string[];
  /** On disk and not archived: links, and what no archive can hold. Absent before version 0.3. */
  readonly skipped?: readonly string[];
}

/**
 * Finds the filestore's folder, and the account that reads it: its owner. Where that account cannot be used, another
 * one that may read the folder does it, and reads only the owner's own files.
 *
 * @param folders candidates, in order
 * @param readers accounts to try after the login account
 * @returns undefined when none of the folders is there
 * @throws UserError when no usable account may look, or a folder is not to be trusted
 */
export async function findFilestore(
  host: Host,
  accounts: Accounts,
  folders: readonly string[],
  readers: readonly string[],
): Promise<Filestore | undefined> {
  // Is it missing, or hidden? It is missing only if an account can see that it is.
  let hidden = false;
  for (const look of begunInOrder(folders, (folder) => seeFolder(host, accounts, folder, readers))) {
    const seen = await look;
    if (seen?.exists) {
      const filestore = await reading(host, accounts, seen, readers);
      if (filestore) return filestore;
    }
    hidden ||= !seen || seen.exists;
  }
  if (!hidden) return undefined;
  throw new UserError(
    `filestore: ${host.user} may not look into ${folders.join(' or ')} on ${host.label}`,
    accounts.sudoersHint([readers.find((each) => each !== host.user) ?? 'root']),
  );
}

async function reading(
  host: Host,
  accounts: Accounts,
  seen: SeenFolder,
  readers: readonly string[],
): Promise<Filestore | undefined> {
  const { path, owner, uid } = seen;
  const owned = await asOwner(host, accounts, seen);
  if (owned) return { host, path, account: owner, command: owned.command };
  const open = '[ -r "$1" ] && [ -x "$1" ]';
  const reader = await accounts.firstAble(readers, { argv: ['sh', '-c', open, 'sh', path] });
  if (!reader) return undefined;
  const { as } = reader;
  return { host, path, account: as ?? host.user, onlyOf: Number(uid), command: (argv) => ({ argv, as }) };
}

/** Why something in a filestore's folder is not read. */
export type Skipped =
  /** A symbolic link: it may lead out of the filestore. */
  | 'link'
  /** A socket, a pipe, a device. */
  | 'special'
  /** It belongs to another account than the filestore (see `Filestore.onlyOf`). */
  | 'foreign'
  /** Its name is not UTF-8: no archive and no attachment can name it. */
  | 'name';

/**
 * Every regular file of the filestore, without `checklist/`, the folder of Odoo's garbage collector, and `lost+found/`,
 * that of the file system. No link is followed.
 *
 * @param skip is told what is not read
 * @throws UserError when a folder of it cannot be read
 */
export async function* listFilestore(
  filestore: Folder & Partial<Filestore>,
  skip: (name: string, why: Skipped) => void = () => {},
): AsyncGenerator<FilestoreFile> {
  const script = `cd -- "$1" && exec find -P . -ignore_readdir_race -mindepth 1 \
    '(' -path ./checklist -o -path ./lost+found ')' -prune -o ! -type d -printf '%y %U %s %P\\0'`;
  const command = filestore.command(['sh', '-c', script, 'sh', filestore.path]);
  try {
    for await (const record of records(filestore.host, command, '\0')) {
      const [, type, uid, size, name = ''] = /^(.) (\d+) (\d+) (.*)$/s.exec(record) ?? [];
      if (type === 'l') skip(name, 'link');
      else if (type !== 'f') skip(name, 'special');
      else if (name.includes('\uFFFD')) skip(name, 'name');
      else if (filestore.onlyOf !== undefined && Number(uid) !== filestore.onlyOf) skip(name, 'foreign');
      else yield { name, size: Number(size) };
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      `The filestore cannot be listed. ${error.message}`,
      `Make every folder of it readable for ${filestore.account ?? 'its owner'}, the account that reads it.`,
      { cause: error },
    );
  }
}

/** Where the files of a filestore go. */
export interface FilestoreSink {
  /** Takes a file; resolves when its content was read to its end. */
  add(name: string, content: Buffer | TarEntry['content'], modified: Date): Promise<void>;
  /** Takes back the file added last under this name: its content was not what it should be. */
  drop(name: string): void;
  /** Bytes of content that arrived. */
  progress(bytes: number): void;
  /** Ends the reading, also while the host sends nothing. */
  readonly signal?: AbortSignal;
}

/** Files up to this size are held and checked before they are archived; larger ones while they are. */
const HELD_BYTES = 4 * 1024 * 1024;

/** Odoo writes files in place: one may be caught half-written. By the last attempt it has long been finished. */
const RETRY_DELAYS_MS = [0, 300, 2_000];

/** The names of current and very old Odoo versions: a folder of the first two or three characters. */
export const sha1Of = (name: string): string | undefined =>
  /^([0-9a-f]{2,3})\/(\1[0-9a-f]*)$/.exec(name)?.[2];

/**
 * Streams the files to a sink as one tar, and checks each against the SHA-1 in its name. Torn and vanished
 * files are read again; what stays torn is kept and reported. The list forgets what the sink has: with millions of files,
 * the directory of the archive grows meanwhile.
 *
 * @param referenced numbers of the files that the snapshot's attachments name: which vanished ones matter
 * @throws UserError when a file is there and cannot be read
 */
export async function readFilestore(
  filestore: Filestore,
  list: FileList,
  referenced: BitSet,
  sink: FilestoreSink,
): Promise<Pick<FilestoreReport, 'files' | 'bytes' | 'lost' | 'corrupt'>> {
  const pass = new Pass(filestore, list, sink);
  for (const [attempt, delay] of RETRY_DELAYS_MS.entries()) {
    if (pass.left.count === 0) break;
    await sleep(delay, undefined, { signal: sink.signal });
    await pass.read(attempt === RETRY_DELAYS_MS.length - 1);
  }
  const gone = [...pass.left];
  await assertGone(
    filestore,
    gone.map((number) => list.nameAt(number)),
  );
  const lost = gone.filter((number) => referenced.has(number)).map((number) => list.nameAt(number));
  return { files: pass.files, bytes: pass.bytes, lost, corrupt: pass.corrupt };
}

/** The files read so far, over all attempts. */
class Pass {
  files = 0;
  bytes = 0;
  readonly corrupt: string[] = [];
  /** Numbers of the files that have not arrived whole. */
  readonly left: BitSet;
  readonly #filestore: Filestore;
  readonly #list: FileList;
  readonly #sink: FilestoreSink;

  constructor(filestore: Filestore, list: FileList, sink: FilestoreSink) {
    this.#filestore = filestore;
    this.#list = list;
    this.left = list.numbers();
    this.#sink = sink;
  }

  async read(last: boolean): Promise<void> {
    // What is read is taken out only after its name was sent.
    const names = this.left[Symbol.iterator]().map((number) => this.#list.nameAt(number));
    for await (const entry of readTar(this.#filestore, names, this.#sink.signal)) {
      const number = this.#list.indexOf(entry.name);
      if (!this.left.has(number) || !this.#isItsOwn(entry)) continue;
      const kept =
        entry.size <= HELD_BYTES ? await this.#held(entry, last) : await this.#streamed(entry, last);
      if (!kept) continue;
      this.left.delete(number);
      this.#list.forget(number);
      this.files += 1;
      this.bytes += entry.size;
    }
  }

  /** Asked of what tar has opened: a link that was put in place since the list was made does not deceive it. */
  #isItsOwn({ uid }: TarEntry): boolean {
    const { onlyOf } = this.#filestore;
    return onlyOf === undefined || uid === onlyOf;
  }

  async #held(entry: TarEntry, last: boolean): Promise<boolean> {
    const chunks: Buffer[] = [];
    for await (const chunk of entry.content) chunks.push(chunk as Buffer);
    const content = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    this.#sink.progress(content.length);
    const whole = this.#isWhole(entry.name, hash('sha1', content, 'hex'), last);
    if (whole) await this.#sink.add(entry.name, content, entry.modified);
    return whole;
  }

  async #streamed(entry: TarEntry, last: boolean): Promise<boolean> {
    const sha1 = createHash('sha1');
    const sink = this.#sink;
    const hashed = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sha1.update(chunk);
        sink.progress(chunk.length);
        done(null, chunk);
      },
    });
    entry.content.on('error', (error) => hashed.destroy(error));
    await sink.add(entry.name, entry.content.pipe(hashed), entry.modified);
    const whole = this.#isWhole(entry.name, sha1.digest('hex'), last);
    if (!whole) sink.drop(entry.name);
    return whole;
  }

  #isWhole(name: string, sha1: string, last: boolean): boolean {
    const expected = sha1Of(name);
    if (expected === undefined || expected === sha1) return true;
    if (last) this.corrupt.push(name);
    return last;
  }
}

/** Files that still exist could not be read: a backup without them would be incomplete. */
async function assertGone(filestore: Filestore, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const script = `cd -- "$1" && xargs -0 -n 200 sh -c '
    for f do [ ! -f "$f" ] || [ -L "$f" ] || [ -L "\${f%/*}" ] || printf "%s\\n" "$f"; done' sh`;
  const command = filestore.command(['sh', '-c', script, 'sh', filestore.path]);
  const there = await run(filestore.host, command, { input: names.join('\0') });
  const unreadable = there.split('\n').filter(Boolean);
  if (unreadable.length > 0) {
    throw new UserError(
      `${unreadable.length} files of the filestore cannot be read, the first one ${filestore.path}/${unreadable[0]}`,
      `Make them readable for ${filestore.account}, the account that reads the filestore.`,
    );
  }
}
