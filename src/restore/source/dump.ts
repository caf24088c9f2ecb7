import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { DirectoryEntry } from '../../archive/central-directory.ts';
import { readEntries } from '../../archive/entries.ts';
import { openEntry } from '../../archive/entry.ts';
import { readRange } from '../../archive/ranges.ts';
import type { RangeReader } from '../../archive/reader.ts';
import { quoted } from '../../controls.ts';
import { ContentError } from '../../errors.ts';
import type { LeavesOut } from '../../host/statement-filter.ts';
import { plainDumpFilter } from '../plain-dump.ts';
import type { Members } from './members.ts';

/** One file of a dump. */
export interface DumpFile {
  readonly name: string;
  /** In bytes. Of a compressed object: as it is stored, since nobody knows more before it is read. */
  readonly size: number;
  /** The content, checked against the archive's directory at its end. */
  open(): Readable;
}

/** A dump for psql, free of what that would take for its own commands, and of what is left out: see `plainDumpFilter`. */
export interface PlainDump extends DumpFile {
  readonly kind: 'plain';
  /** Stored by gzip: it is several times its size. */
  readonly packed: boolean;
  open(leavesOut?: LeavesOut): Readable;
}

/** The database: for psql, or for pg_restore (the file names of `directory` are relative to the folder). */
export type DumpSource =
  | PlainDump
  | ({ readonly kind: 'custom' } & DumpFile)
  | {
      readonly kind: 'directory';
      readonly files: readonly DumpFile[];
      readonly size: number;
      /** All of them, in the order of the archive: neighbouring ones with one request, several requests at once. */
      readFiles(): AsyncIterable<DumpFile & { readonly content: Buffer | Readable }>;
    };

/**
 * The archive's dump: the one that restores fastest, where there are several.
 * @throws ContentError when there is none, or several of one kind
 */
export function archivedDump(reader: RangeReader, members: Members): DumpSource {
  const file = (name: string, entry: DirectoryEntry): DumpFile => ({
    name,
    size: entry.size,
    open: () => openEntry(reader, entry),
  });
  const top = [...members].filter(([name]) => !name.includes('/'));
  const custom = single(top.filter(([name]) => name.endsWith('.dump')));
  if (custom) return { kind: 'custom', ...file(...custom) };
  if (members.has('dump/toc.dat')) {
    const files = [...members]
      .filter(([name]) => name.startsWith('dump/'))
      .map(([name, entry]) => file(directoryFile(name), entry));
    const size = files.reduce((sum, each) => sum + each.size, 0);
    return { kind: 'directory', files, size, readFiles: () => readDirectoryFiles(reader, members, files) };
  }
  const plain =
    top.find(([name]) => name === 'dump.sql') ?? single(top.filter(([name]) => name.endsWith('.sql')));
  if (plain) return plainDump(file(...plain), false);
  throw new ContentError(
    'The archive holds no dump of a database: no .dump, no dump/toc.dat, no .sql.',
    `Choose another backup. Its first files are: ${[...members.keys()].slice(0, 5).map(quoted).join(', ')}`,
  );
}

async function* readDirectoryFiles(reader: RangeReader, members: Members, files: readonly DumpFile[]) {
  const wanted = new Map<DirectoryEntry, DumpFile>();
  for (const file of files) {
    const entry = members.get(`dump/${file.name}`);
    if (entry) wanted.set(entry, file);
  }
  for await (const { entry, content } of readEntries(reader, wanted.keys())) {
    const file = wanted.get(entry);
    if (file) yield { ...file, content };
  }
}

function single<T extends readonly [name: string, entry: DirectoryEntry]>(
  found: readonly T[],
): T | undefined {
  if (found.length <= 1) return found[0];
  const names = found.map(([name]) => quoted(name)).join(', ');
  throw new ContentError(`The archive holds several dumps: ${names}`, 'Choose a backup of one database.');
}

/** pg_dump's own names: `toc.dat`, `3456.dat.gz`, `blobs_12.toc`. */
export function directoryFile(name: string): string {
  const file = name.slice('dump/'.length);
  if (/^\w[\w.]*$/.test(file)) return file;
  throw new ContentError(
    `${quoted(name)} is no file of a dump in directory format.`,
    'Choose another backup.',
  );
}

const GZIP = Buffer.from('1f8b', 'hex');
const CUSTOM = Buffer.from('PGDMP');
/** How many first bytes of an object tell what it is. */
export const MAGIC_LENGTH = 5;

/** A dump that is an object of its own. `magic` are its first bytes: they decide, not the object's name. */
export function bareDump(reader: RangeReader, name: string, magic: Buffer): DumpSource {
  const stored = (): Readable => Readable.from(readRange(reader, 0, reader.size), { objectMode: false });
  const file = { name, size: reader.size };
  if (magic.equals(CUSTOM)) return { kind: 'custom', ...file, open: stored };
  if (!magic.subarray(0, GZIP.length).equals(GZIP)) return plainDump({ ...file, open: stored }, false);
  return plainDump({ ...file, open: () => pipeline(stored(), createGunzip(), seenByReader) }, true);
}

function plainDump(file: DumpFile, packed: boolean): PlainDump {
  const open: PlainDump['open'] = (leavesOut) =>
    pipeline(file.open(), plainDumpFilter(file.name, leavesOut), seenByReader);
  return { ...file, kind: 'plain', packed, open };
}

/** An error of a pipeline comes out at its end. */
const seenByReader = (): void => {};
