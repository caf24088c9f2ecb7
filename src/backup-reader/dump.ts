import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import type { DirectoryEntry } from '../archive/central-directory.ts';
import type { RangeReader } from '../archive/ranges.ts';
import { readRange } from '../archive/ranges.ts';
import { quoted } from '../util/controls.ts';
import { ContentError, messageOf } from '../util/errors.ts';
import { HEAD_BYTES } from './foreign-formats.ts';
import type { MemberContents } from './member-contents.ts';
import type { Members } from './members.ts';
import { assertSql, type PlainDumpOptions, plainDumpFilter } from './plain-dump.ts';
import type { Seal } from './seal.ts';
import type { ContentSums } from './sums.ts';

/** One file of a dump. */
export interface DumpFile {
  readonly name: string;
  /** Size in bytes. For a compressed object: its stored size, because its real size is unknown until it is read. */
  readonly size: number;
  /** The content, checked against the archive's directory at its end. */
  open(): Readable;
}

/**
 * A dump for psql, free of what that would take for its own commands, and of what is left out: see `plainDumpFilter`.
 */
export interface PlainDump extends DumpFile {
  readonly kind: 'plain';
  /** Stored by gzip or zstd: it is several times its size. */
  readonly packed: boolean;
  open(passage?: PlainDumpOptions): Readable;
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
 * The dump of any archive. What this program has made is what its names say; of other archives, the first bytes of the
 * dump decide, as of a dump that is an object of its own: it may be packed once more.
 *
 * @throws ContentError when there is none, or several of one kind
 */
export async function findDump(contents: MemberContents, members: Members): Promise<DumpSource> {
  if (members.has('backup.json')) return archivedDump(contents, members);
  const names = [...topLevel(members)].map(([name]) => name);
  const isPacked = !names.some((name) => /\.(?:dump|sql)$/.test(name)) && !members.has('dump/toc.dat');
  const packed = isPacked ? single(topLevel(members).filter(([name]) => PACKED_DUMP.test(name))) : undefined;
  const dump = packed ? memberFile(contents, ...packed) : archivedDump(contents, members);
  if ('kind' in dump && dump.kind === 'directory') return dump;
  const { name } = dump;
  const entry = members.get(name);
  return entry ? knownByContent(memberFile(contents, name, entry)) : archivedDump(contents, members);
}

/** `shop.sql.gz`, `dump.zst`: whatever packs it, its first bytes tell. */
const PACKED_DUMP = /\.(?:sql|dump|backup|pgdump)\.\w+$|^dump\.(?:gz|zst)$/i;

const topLevel = (members: Members): [name: string, entry: DirectoryEntry][] =>
  [...members.others].filter(([name]) => !name.includes('/'));

/** A file of the archive. Whoever wants the content of a dump, or of any file but the filestore's, gets it here. */
export const memberFile = (contents: MemberContents, name: string, entry: DirectoryEntry): DumpFile => ({
  name,
  size: contents.sizeOf(entry),
  open: contents.opener(entry),
});

/**
 * The archive's dump: the one that restores fastest, where there are several.
 * @throws ContentError when there is none, or several of one kind
 */
export function archivedDump(contents: MemberContents, members: Members): DumpSource {
  const file = (name: string, entry: DirectoryEntry) => memberFile(contents, name, entry);
  const top = topLevel(members);
  const custom = single(top.filter(([name]) => name.endsWith('.dump')));
  if (custom) return { kind: 'custom', ...file(...custom) };
  if (members.has('dump/toc.dat')) {
    const files = [...members.others]
      .filter(([name]) => name.startsWith('dump/'))
      .map(([name, entry]) => file(directoryFile(name), entry));
    const size = files.reduce((sum, each) => sum + each.size, 0);
    return {
      kind: 'directory',
      files,
      size,
      readFiles: () => readDirectoryFiles(contents, members, files),
    };
  }
  const plain =
    top.find(([name]) => name === 'dump.sql') ?? single(top.filter(([name]) => name.endsWith('.sql')));
  if (plain) return plainDump(file(...plain), false);
  throw new ContentError(
    'The archive holds no dump of a database: no .dump, no dump/toc.dat, no .sql.',
    `Choose another backup. Its first files are: ${[...members.keys().take(5)].map(quoted).join(', ')}`,
  );
}

async function* readDirectoryFiles(contents: MemberContents, members: Members, files: readonly DumpFile[]) {
  const wanted = function* () {
    for (const file of files) {
      const entry = members.get(`dump/${file.name}`);
      if (entry) yield { ...file, entry };
    }
  };
  for await (const { file, content } of contents.read(wanted())) yield { ...file, content };
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

/** How an object may be packed, by its first bytes. */
const PACKINGS: readonly { readonly magic: Buffer; readonly decoder: () => Gunzip | ZstdDecompress }[] = [
  { magic: Buffer.from('1f8b', 'hex'), decoder: createGunzip },
  { magic: Buffer.from('28b52ffd', 'hex'), decoder: createZstdDecompress },
];
const CUSTOM = Buffer.from('PGDMP');

/**
 * A dump that is an object of its own: SQL, or in custom format; packed with gzip or zstd, or not. Its first bytes
 * decide what it is, not its name.
 *
 * @param seal opens it; undefined: it is not sealed
 * @throws ContentError when it is neither
 */
export async function bareDump(
  reader: RangeReader,
  name: string,
  sums: ContentSums,
  seal: Seal | undefined,
): Promise<DumpSource> {
  const open = sums.watched(name, () =>
    Readable.from(readRange(reader, 0, reader.size), { objectMode: false }),
  );
  if (seal) {
    const size = seal.sizeOf(name, reader.size);
    return knownByContent({ name, size, open: () => seal.unsealed(name, open()) });
  }
  const start = await reader.read(0, Math.min(HEAD_BYTES, reader.size));
  return knownByContent({ name, size: reader.size, open }, start);
}

/** @throws ContentError when it is neither SQL nor in custom format */
async function knownByContent(stored: DumpFile, start?: Buffer): Promise<DumpSource> {
  const { name, size } = stored;
  const first = start ?? (await firstBytes(stored.open(), HEAD_BYTES));
  const packing = PACKINGS.find(({ magic }) => first.subarray(0, magic.length).equals(magic));
  const open = packing ? () => unpacked(name, size, stored.open(), packing.decoder()) : stored.open;
  const head = packing ? await firstBytes(open(), HEAD_BYTES) : first;
  const file = { name, size, open };
  if (head.subarray(0, CUSTOM.length).equals(CUSTOM)) return { kind: 'custom', ...file };
  assertSql(name, head);
  return plainDump(file, packing !== undefined);
}

/** @throws ContentError at its end when the object is cut or damaged */
function unpacked(name: string, size: number, stored: Readable, decoder: Gunzip | ZstdDecompress): Readable {
  const read = async function* () {
    try {
      yield* pipeline(stored, decoder, seenByReader) as AsyncIterable<Buffer>;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!/^(Z|ZSTD)_/.test(code ?? '')) throw error;
      const isCut = code === 'Z_BUF_ERROR';
      throw new ContentError(
        `${name} ${isCut ? 'is cut short: its packed content has no end' : `is damaged: it cannot be unpacked (${messageOf(error)})`}`,
        'Choose another backup, or store this one once more from where it came from.',
        { cause: error },
      );
    }
    // Gunzip reads on there, zstd of Node does not.
    if (decoder.bytesWritten >= size) return;
    throw new ContentError(
      `${name} is packed with zstd in several pieces, of which the first alone can be read`,
      'Pack it in one: zstd -d, then zstd (not pzstd).',
    );
  };
  return Readable.from(read(), { objectMode: false });
}

/** The first bytes, as many as there are. The source is read no further. */
async function firstBytes(source: Readable, wanted: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= wanted) break;
  }
  return Buffer.concat(chunks).subarray(0, wanted);
}

function plainDump(file: DumpFile, packed: boolean): PlainDump {
  const open: PlainDump['open'] = (passage) =>
    pipeline(file.open(), plainDumpFilter(file.name, { ...passage, isWhole: true }), seenByReader);
  return { ...file, kind: 'plain', packed, open };
}

/** An error of a pipeline comes out at its end. */
const seenByReader = (): void => {};
