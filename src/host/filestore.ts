import { createHash, hash } from 'node:crypto';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Marks } from '../archive/marks.ts';
import { UserError } from '../errors.ts';
import type { Accounts } from './accounts.ts';
import type { FileList, FilestoreFile } from './file-list.ts';
import { CommandError, type Host } from './host.ts';
import type { OutboundCodec } from './outbound.ts';
import { records, run } from './run.ts';
import { readTar, type TarEntry } from './tar.ts';

/** A database's filestore on the host: content-addressed, `xx/<sha1 of the content>`. */
export interface Filestore {
  readonly host: Host;
  readonly folder: string;
  /** The account that may read it, for `Command.as`. */
  readonly as: string | undefined;
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
}

/**
 * Finds the filestore's folder and the account that may read it.
 *
 * @param folders candidates, in order
 * @param readers accounts to try after the login account
 * @returns undefined when none of the folders is there
 * @throws UserError when nobody who can be asked may look
 */
export async function findFilestore(
  host: Host,
  accounts: Accounts,
  folders: readonly string[],
  readers: readonly string[],
): Promise<Filestore | undefined> {
  const open =
    'for d do if [ -d "$d" ] && [ -r "$d" ] && [ -x "$d" ]; then printf %s "$d"; exit 0; fi; done; exit 3';
  const found = await accounts.firstAble(readers, { argv: ['sh', '-c', open, 'sh', ...folders] });
  if (found) return { host, folder: found.stdout, as: found.as };

  // Not there, or where nobody may look? It is not there when somebody sees that it is not.
  const absent = `for d do [ ! -e "$d" ] || exit 3
    while [ ! -d "$d" ]; do d=$(dirname -- "$d"); done
    [ -x "$d" ] || exit 3; done`;
  if (await accounts.firstAble(readers, { argv: ['sh', '-c', absent, 'sh', ...folders] })) return undefined;
  throw new UserError(
    `filestore: ${host.user} may not look into ${folders.join(' or ')} on ${host.label}`,
    accounts.sudoersHint([readers.find((each) => each !== host.user) ?? 'root']),
  );
}

/**
 * Every regular file of the filestore, without `checklist/`, the folder of Odoo's garbage collector.
 *
 * @throws UserError when a folder of it cannot be read
 */
export async function* listFilestore(filestore: Filestore): AsyncGenerator<FilestoreFile> {
  const argv = [
    'find',
    '-L',
    `${filestore.folder}/`,
    '-ignore_readdir_race',
    '-path',
    `${filestore.folder}/checklist`,
    '-prune',
  ];
  const command = { argv: [...argv, '-o', '-type', 'f', '-printf', '%s %P\\0'], as: filestore.as };
  try {
    for await (const record of records(filestore.host, command, '\0')) {
      const space = record.indexOf(' ');
      yield { name: record.slice(space + 1), size: Number(record.slice(0, space)) };
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      `The filestore cannot be listed. ${error.message}`,
      `Make every folder of it readable for ${filestore.as ?? filestore.host.user}, the account that reads it.`,
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
 * files are read again; what stays torn is kept and reported.
 *
 * @param referenced numbers of the files that the snapshot's attachments name: which vanished ones matter
 * @throws UserError when a file is there and cannot be read
 */
export async function readFilestore(
  filestore: Filestore,
  list: FileList,
  referenced: Marks,
  sink: FilestoreSink,
): Promise<Pick<FilestoreReport, 'files' | 'bytes' | 'lost' | 'corrupt'>> {
  const pass = new Pass(filestore, list, sink);
  for (const [attempt, delay] of RETRY_DELAYS_MS.entries()) {
    if (pass.left.count === 0) break;
    await sleep(delay);
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
  readonly left: Marks;
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
    for await (const entry of readTar(this.#filestore, names)) {
      const number = this.#list.indexOf(entry.name);
      if (!this.left.has(number)) continue;
      const kept =
        entry.size <= HELD_BYTES ? await this.#held(entry, last) : await this.#streamed(entry, last);
      if (!kept) continue;
      this.left.delete(number);
      this.files += 1;
      this.bytes += entry.size;
    }
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

/** Files that are there all the same could not be read: a backup without them would be one with holes. */
async function assertGone(filestore: Filestore, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const script =
    'cd -- "$1" && xargs -0 -n 200 sh -c \'for f do [ ! -e "$f" ] || printf "%s\\n" "$f"; done\' sh';
  const there = await run(
    filestore.host,
    { argv: ['sh', '-c', script, 'sh', filestore.folder], as: filestore.as },
    { input: names.join('\0') },
  );
  const unreadable = there.split('\n').filter(Boolean);
  if (unreadable.length > 0) {
    throw new UserError(
      `${unreadable.length} files of the filestore cannot be read, the first one ${filestore.folder}/${unreadable[0]}`,
      `Make them readable for ${filestore.as ?? filestore.host.user}, the account that reads the filestore.`,
    );
  }
}
