import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { DirectoryEntry } from '../archive/central-directory.ts';
import type { ReadFile } from '../archive/read-entries.ts';
import type { WantedFiles } from '../odoo/file-list.ts';
import { sha1Of } from '../odoo/filestore.ts';
import { BitSet } from '../util/bit-set.ts';
import { isPrintable, quoted } from '../util/controls.ts';
import { ContentError } from '../util/errors.ts';
import { Turns } from '../util/turns.ts';
import type { MemberContents } from './member-contents.ts';
import type { Member, Members } from './members.ts';

/** A file of the filestore in an archive. */
export interface FilestoreEntry {
  /** Path from the filestore's folder: `ab/abcd…`. */
  readonly name: string;
  /**
   * What the content must have, by the name; undefined for another name, and for files that the backup found corrupt.
   */
  readonly sha1: string | undefined;
  /** In bytes. */
  readonly size: number;
  readonly entry: DirectoryEntry;
}

/** The filestore of an archive: files by their names, and by the numbers that they have in the archive. */
export class ArchivedFiles implements WantedFiles {
  /** Number of files. */
  size = 0;
  /** Total size in bytes. */
  bytes = 0;
  readonly #members: Members;
  /** What comes before their names in the archive. */
  readonly #folder: string;
  readonly #corrupt: ReadonlySet<string>;
  readonly #contents: EntrySizes;
  /** In bytes, by number. */
  readonly #sizes: Uint32Array;
  /** Sizes of the files that are too large for `#sizes`, by number. */
  readonly #large = new Map<number, number>();
  readonly #numbers: BitSet;

  /** @param folder what comes before the names in the archive; undefined: no file is in it */
  constructor(
    members: Members,
    folder: string | undefined,
    corrupt: readonly string[],
    contents = AS_STORED,
  ) {
    this.#contents = contents;
    this.#members = members;
    this.#folder = folder ?? FOLDER;
    this.#corrupt = new Set(corrupt);
    this.#sizes = new Uint32Array(folder === undefined ? 0 : members.numbers);
    this.#numbers = new BitSet(this.#sizes.length);
  }

  /** Takes a file of the archive. */
  add({ number, entry }: Member): void {
    this.#numbers.add(number);
    const size = this.#contents.sizeOf(entry);
    this.#sizes[number] = size;
    if (size > 0xffffffff) this.#large.set(number, size);
    this.size += 1;
    this.bytes += size;
  }

  numbers(): BitSet {
    return this.#numbers;
  }

  has(name: string): boolean {
    return this.indexOf(name) >= 0;
  }

  indexOf(name: string): number {
    const number = this.#members.numberOf(this.#folder + name);
    return number >= 0 && this.#numbers.has(number) ? number : -1;
  }

  sizeAt(number: number): number {
    return this.#large.get(number) ?? this.#sizes[number] ?? 0;
  }

  get(name: string): FilestoreEntry | undefined {
    if (!this.has(name)) return undefined;
    const entry = this.#members.get(this.#folder + name);
    return entry && this.#entryOf(name, entry);
  }

  /** The file of the filestore that has this name in the archive; undefined: there is none. */
  named(path: string): FilestoreEntry | undefined {
    return path.startsWith(this.#folder) ? this.get(path.slice(this.#folder.length)) : undefined;
  }

  /** The file of the filestore that a file of the archive is; undefined: it is none. */
  of({ name, number, entry }: Member): FilestoreEntry | undefined {
    return this.#numbers.has(number) ? this.#entryOf(name.slice(this.#folder.length), entry) : undefined;
  }

  *keys(): Generator<string> {
    for (const { name } of this.values()) yield name;
  }

  /** In the order of their bytes in the archive. */
  *values(wanted: BitSet = this.#numbers): Generator<FilestoreEntry> {
    for (const member of this.#members.all(wanted)) {
      const file = this.of(member);
      if (file) yield file;
    }
  }

  #entryOf(name: string, entry: DirectoryEntry): FilestoreEntry {
    const sha1 = this.#corrupt.has(name) ? undefined : sha1Of(name);
    return { name, sha1, size: this.#contents.sizeOf(entry), entry };
  }
}

/** How large the content of entries is. */
type EntrySizes = Pick<MemberContents, 'sizeOf'>;

const AS_STORED: EntrySizes = { sizeOf: ({ size }) => size };

export interface ArchivedFilestore {
  readonly files: ArchivedFiles;
  /** Names that are not restored: they hold control characters, which no file name of Odoo does. */
  readonly leftOut: readonly string[];
}

const FOLDER = 'filestore/';
/** The folder of Odoo's garbage collector. */
const CHECKLIST = 'checklist/';

/**
 * The filestore of an archive; undefined when it has none.
 *
 * @param database tells which of several databases' filestores is meant
 * @param corrupt files whose content was not what their names say when the backup was made
 * @param contents tells the sizes; default: those that the zip says
 * @throws ContentError when there are several and none is the database's; the reason of the members' signal
 */
export async function filestoreOf(
  members: Members,
  database: string | undefined,
  corrupt: readonly string[],
  contents = AS_STORED,
): Promise<ArchivedFilestore | undefined> {
  const folder = await folderOf(members, database);
  if (folder === undefined) return undefined;
  const files = new ArchivedFiles(members, folder, corrupt, contents);
  const leftOut: string[] = [];
  const turns = new Turns(members.signal);
  for (const member of members.all()) {
    if (turns.isDue()) await turns.take();
    const name = member.name.slice(folder.length);
    if (!member.name.startsWith(folder) || name.startsWith(CHECKLIST)) continue;
    if (isPrintable(name)) files.add(member);
    else leftOut.push(name);
  }
  return { files, leftOut };
}

/**
 * What comes before the names of a filestore: some programs archive the database's folder, others the one above it, with
 * one folder a database. undefined: there is no filestore.
 */
async function folderOf(members: Members, database: string | undefined): Promise<string | undefined> {
  const folders = new Set<string>();
  const turns = new Turns(members.signal);
  let isThere = false;
  for (const path of members.keys()) {
    if (turns.isDue()) await turns.take();
    if (!path.startsWith(FOLDER)) continue;
    isThere = true;
    const name = path.slice(FOLDER.length);
    if (sha1Of(name)) return FOLDER;
    const slash = name.indexOf('/');
    if (slash > 0 && sha1Of(name.slice(slash + 1))) folders.add(name.slice(0, slash + 1));
  }
  if (!isThere) return undefined;
  const [only = '', ...others] = folders;
  if (others.length === 0) return FOLDER + only;
  if (database !== undefined && folders.has(`${database}/`)) return `${FOLDER}${database}/`;
  throw new ContentError(
    `The archive holds the filestores of several databases, and none is ${database ?? 'known to be the right one'}: ${[...folders].slice(0, 10).map(quoted).join(', ')}`,
    'Choose a backup of this database alone.',
  );
}

/**
 * Reads files of the filestore: those that lie beside each other with one request, if they come in the order of the
 * archive; several requests at once. Each is checked against the SHA-1 in its name: a buffer before it is given, a stream at its end. A stream has
 * to be read before the next file is taken.
 *
 * @throws UserError that names the file which is not what it should be
 */
export async function* readFiles(
  contents: MemberContents,
  files: Iterable<FilestoreEntry>,
): AsyncGenerator<ReadFile<FilestoreEntry>> {
  for await (const { file, content } of contents.read(files)) {
    const checked = checkedContent(file, content);
    try {
      yield { file, content: checked };
    } finally {
      if (!Buffer.isBuffer(checked)) checked.destroy();
    }
  }
}

/** @throws UserError for a buffer that has another SHA-1 than its name says; a stream fails at its end */
export function checkedContent<T extends Buffer | Readable>(file: FilestoreEntry, content: T): T | Readable {
  if (file.sha1 === undefined) return content;
  if (!Buffer.isBuffer(content)) return Readable.from(hashed(file, content), { objectMode: false });
  if (hash('sha1', content, 'hex') !== file.sha1) throw corrupt(file);
  return content;
}

/** Reads a file to its end. @throws ContentError when it has another SHA-1 than its name says */
export async function checkFile(
  file: FilestoreEntry,
  content: Buffer | AsyncIterable<Buffer>,
): Promise<void> {
  if (Buffer.isBuffer(content)) checkedContent(file, content);
  else for await (const _ of file.sha1 === undefined ? content : hashed(file, content));
}

async function* hashed(file: FilestoreEntry, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const sha1 = createHash('sha1');
  for await (const chunk of content) {
    sha1.update(chunk);
    yield chunk;
  }
  if (sha1.digest('hex') !== file.sha1) throw corrupt(file);
}

function corrupt({ name }: FilestoreEntry): ContentError {
  return new ContentError(
    `The file ${name} of the archived filestore is not what its name says: its SHA-1 is different.`,
    'It was incomplete when the backup was made, or has changed since. Choose another backup.',
  );
}
