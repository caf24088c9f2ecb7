import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { DirectoryEntry } from '../archive/central-directory.ts';
import { readEntries } from '../archive/read-entries.ts';
import type { RangeReader } from '../archive/reader.ts';
import { sha1Of } from '../odoo/filestore.ts';
import { isPrintable, quoted } from '../util/controls.ts';
import { ContentError } from '../util/errors.ts';
import type { Members } from './members.ts';

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

export interface ArchivedFilestore {
  /** By their names. */
  readonly files: ReadonlyMap<string, FilestoreEntry>;
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
 * @throws ContentError when there are several and none is the database's
 */
export function filestoreOf(
  members: Members,
  database: string | undefined,
  corrupt: readonly string[],
): ArchivedFilestore | undefined {
  const all = [...members].filter(([name]) => name.startsWith(FOLDER));
  if (all.length === 0) return undefined;
  const known = new Set(corrupt);
  const prefix =
    FOLDER +
    databaseFolder(
      all.map(([name]) => name.slice(FOLDER.length)),
      database,
    );
  const files = new Map<string, FilestoreEntry>();
  const leftOut: string[] = [];
  for (const [path, entry] of all) {
    const name = path.slice(prefix.length);
    if (!path.startsWith(prefix) || name.startsWith(CHECKLIST)) continue;
    if (!isPrintable(name)) leftOut.push(name);
    else files.set(name, { name, sha1: known.has(name) ? undefined : sha1Of(name), size: entry.size, entry });
  }
  return { files, leftOut };
}

/** Some programs archive the database's folder, others the one above it, with one folder a database. */
function databaseFolder(names: readonly string[], database: string | undefined): string {
  if (names.some((name) => sha1Of(name))) return '';
  const folders = new Set<string>();
  for (const name of names) {
    const slash = name.indexOf('/');
    if (slash > 0 && sha1Of(name.slice(slash + 1))) folders.add(name.slice(0, slash + 1));
  }
  const [only = '', ...others] = folders;
  if (others.length === 0) return only;
  if (database !== undefined && folders.has(`${database}/`)) return `${database}/`;
  throw new ContentError(
    `The archive holds the filestores of several databases, and none is ${database ?? 'known to be the right one'}: ${[...folders].slice(0, 10).map(quoted).join(', ')}`,
    'Choose a backup of this database alone.',
  );
}

/**
 * Reads files of the filestore, in the order of the archive: neighbouring ones with one request, several requests at
 * once. Each is checked against the SHA-1 in its name: a buffer before it is given, a stream at its end. A stream has
 * to be read before the next file is taken.
 *
 * @throws UserError that names the file which is not what it should be
 */
export async function* readFiles(
  reader: RangeReader,
  files: Iterable<FilestoreEntry>,
): AsyncGenerator<{ readonly file: FilestoreEntry; readonly content: Buffer | Readable }> {
  const wanted = new Map(Array.from(files, (file) => [file.entry, file]));
  for await (const { entry, content } of readEntries(reader, wanted.keys())) {
    const file = wanted.get(entry);
    if (!file) continue;
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
    `The file ${name} of the archived filestore is not what its name says: it has another SHA-1.`,
    'It was torn when the backup was made, or changed since. Choose another backup.',
  );
}
