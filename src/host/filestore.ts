import { createHash, hash } from 'node:crypto';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import type { Accounts } from './accounts.ts';
import { CommandError, type Host } from './host.ts';
import type { OutboundCodec } from './outbound.ts';
import { run } from './run.ts';
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

export interface FilestoreFile {
  /** From the filestore's folder: `ab/abcd…`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
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
export async function listFilestore(filestore: Filestore): Promise<FilestoreFile[]> {
  const argv = [
    'find',
    '-L',
    `${filestore.folder}/`,
    '-ignore_readdir_race',
    '-path',
    `${filestore.folder}/checklist`,
    '-prune',
  ];
  const output = await run(filestore.host, {
    argv: [...argv, '-o', '-type', 'f', '-printf', '%s %P\\0'],
    as: filestore.as,
  }).catch((error) => {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      `The filestore cannot be listed. ${error.message}`,
      `Make every folder of it readable for ${filestore.as ?? filestore.host.user}, the account that reads it.`,
      { cause: error },
    );
  });
  return output
    .split('\0')
    .slice(0, -1)
    .map((line) => {
      const space = line.indexOf(' ');
      return { name: line.slice(space + 1), size: Number(line.slice(0, space)) };
    });
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
 * @param referenced the snapshot's `store_fname` list: which vanished files matter
 * @throws UserError when a file is there and cannot be read
 */
export async function readFilestore(
  filestore: Filestore,
  files: readonly FilestoreFile[],
  referenced: ReadonlySet<string>,
  sink: FilestoreSink,
): Promise<Pick<FilestoreReport, 'files' | 'bytes' | 'lost' | 'corrupt'>> {
  const pass = new Pass(filestore, sink);
  let wanted = files.map((file) => file.name);
  for (const [attempt, delay] of RETRY_DELAYS_MS.entries()) {
    if (wanted.length === 0) break;
    await sleep(delay);
    wanted = await pass.read(wanted, attempt === RETRY_DELAYS_MS.length - 1);
  }
  await assertGone(filestore, wanted);
  return {
    files: pass.files,
    bytes: pass.bytes,
    lost: wanted.filter((name) => referenced.has(name)),
    corrupt: pass.corrupt,
  };
}

/** The files read so far, over all attempts. */
class Pass {
  readonly #filestore: Filestore;
  readonly #sink: FilestoreSink;
  files = 0;
  bytes = 0;
  readonly corrupt: string[] = [];

  constructor(filestore: Filestore, sink: FilestoreSink) {
    this.#filestore = filestore;
    this.#sink = sink;
  }

  /** @returns the names that did not arrive whole */
  async read(names: readonly string[], last: boolean): Promise<string[]> {
    const left = new Set(names);
    for await (const entry of readTar(this.#filestore, names)) {
      if (!left.has(entry.name)) continue;
      const kept =
        entry.size <= HELD_BYTES ? await this.#held(entry, last) : await this.#streamed(entry, last);
      if (!kept) continue;
      left.delete(entry.name);
      this.files += 1;
      this.bytes += entry.size;
    }
    return [...left];
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
