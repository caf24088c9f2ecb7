import { randomBytes } from 'node:crypto';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { DumpSource } from '../backup-reader/dump.ts';
import type { RestoreSource } from '../backup-reader/open.ts';
import { plainDumpFilter } from '../backup-reader/plain-dump.ts';
import { searchPlainTable } from '../backup-reader/plain-table.ts';
import { counting, type Progress } from '../platform/progress.ts';
import { canDecompress } from '../postgres/custom-format/compression.ts';
import { openDump } from '../postgres/custom-format/open.ts';
import { sessionOf } from '../postgres/custom-format/session.ts';
import { searchTable } from '../postgres/custom-format/table.ts';
import type { TableName, TableSearch } from '../postgres/table-pieces.ts';
import { quoted } from '../util/controls.ts';
import { ContentError, messageOf, UserError } from '../util/errors.ts';
import { formatCounted, formatNames } from '../util/format.ts';
import { tableWords } from './request.ts';

/** One table of a backup's dump, which is read while the pieces are taken. */
export interface DumpedTable extends TableSearch {
  /** Whether the psql that the dump is for knows `\restrict`. */
  readonly isRestricted: boolean;
  /**
   * To be called before what was taken is used. Where a trusted signer's receipt has the SHA-256 of the dump, the rest of
   * it is read: only its end shows that nobody has changed it.
   *
   * @throws ContentError when somebody has
   */
  finish(): Promise<void>;
}

type SourceOfTables = Pick<RestoreSource, 'dump' | 'member' | 'authorship'>;

/**
 * Looks for a table in the dump of a backup, whatever its format, and has `use` take what it holds. No more of the dump
 * is read than `use` needs.
 *
 * @param progress is told the bytes of the dump that have passed
 */
export async function withTable<T>(
  { dump, member, authorship }: SourceOfTables,
  wanted: TableName,
  progress: Pick<Progress, 'add'>,
  use: (table: DumpedTable) => Promise<T>,
): Promise<T> {
  const isSigned = authorship?.kind === 'signed' && authorship.principals !== undefined;
  const plain = (sqlName: string, sql: Readable) => {
    const counted = new DumpChunks(sql, progress, isSigned);
    const search = searchPlainTable(sqlName, counted.withoutEnd(), wanted);
    return use({ isRestricted: false, ...search, finish: () => counted.finish() }).finally(() =>
      sql.destroy(),
    );
  };
  if (dump.kind === 'plain') return plain(dump.name, dump.open({ restricted: true }));
  const name = dump.kind === 'custom' ? dump.name : 'dump/toc.dat';
  const head = dump.kind === 'custom' ? dump : fileOf(dump, 'toc.dat');
  const content = head.open();
  const chunks = new DumpChunks(content, progress, isSigned);
  try {
    const open = await openDump(name, chunks.all);
    const why = open.kind === 'unknown' ? open.why : unreadable(open.contents.head.compression);
    if (open.kind === 'known' && why === undefined) {
      const isRestricted = sessionOf(name, open.contents).key !== undefined;
      const readRows =
        dump.kind === 'directory' ? ({ id }: { id: number }) => rowsFile(dump, id, progress) : undefined;
      return await use({
        isRestricted,
        ...searchTable(open, wanted, readRows),
        finish: () => chunks.finish(),
      });
    }
    const sql = member('dump.sql');
    if (!sql) throw unknownDump(name, why ?? '');
    const checked = pipeline(sql.open(), plainDumpFilter(sql.name, { restricted: true }), () => {});
    return await plain(sql.name, checked);
  } finally {
    content.destroy();
  }
}

/** The bytes of a dump, which are read as far as they are needed, or to their end. */
class DumpChunks {
  readonly all: AsyncGenerator<Buffer>;
  readonly #toEnd: boolean;

  constructor(content: AsyncIterable<Buffer>, progress: Pick<Progress, 'add'>, toEnd: boolean) {
    this.all = counted(content, progress);
    this.#toEnd = toEnd;
  }

  /** Whoever has read enough of them does not end them. */
  withoutEnd(): AsyncIterable<Buffer> {
    return { [Symbol.asyncIterator]: () => ({ next: () => this.all.next() }) };
  }

  async finish(): Promise<void> {
    if (this.#toEnd) while (!(await this.all.next()).done);
  }
}

const counted = (bytes: AsyncIterable<Buffer>, progress: Pick<Progress, 'add'>): AsyncGenerator<Buffer> =>
  counting(bytes, progress, ({ length }) => length);

const unreadable = (compression: Parameters<typeof canDecompress>[0]): string | undefined =>
  canDecompress(compression) ? undefined : `is compressed with ${compression}`;

const unknownDump = (name: string, why: string): UserError =>
  new UserError(
    `${quoted(name)} ${why}, which this program does not read`,
    'Fetch the whole archive, and use pg_restore: pg_restore --table=NAME --file=-',
  );

/** How pg_dump ends the name of a file of a dump in directory format, and what opens it. */
const DECODERS = [
  ['', undefined],
  ['.gz', createGunzip],
  ['.zst', createZstdDecompress],
] as const;

type DirectorySource = Extract<DumpSource, { kind: 'directory' }>;

function fileOf(dump: DirectorySource, name: string) {
  const file = dump.files.find((each) => each.name === name);
  if (file) return file;
  throw new ContentError(`The archive has no ${quoted(`dump/${name}`)}.`, 'Choose another backup.');
}

/** The rows of an entry. pg_dump names the file by the id: `3456.dat.gz`. */
async function* rowsFile(
  dump: DirectorySource,
  id: number,
  progress: Pick<Progress, 'add'>,
): AsyncGenerator<Buffer> {
  for (const [ending, decoder] of DECODERS) {
    const file = dump.files.find(({ name }) => name === `${id}.dat${ending}`);
    if (!file) continue;
    const content = counted(file.open(), progress);
    if (!decoder) return yield* content;
    try {
      return yield* pipeline(content, decoder(), () => {}) as AsyncIterable<Buffer>;
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new ContentError(
        `${quoted(`dump/${file.name}`)} cannot be decompressed: ${messageOf(error)}`,
        'It was damaged or changed since the backup. Choose another backup.',
        { cause: error },
      );
    }
  }
  throw unknownDump(`dump/${id}.dat`, 'is not there, or is compressed with lz4');
}

/**
 * The table as SQL that psql runs: what sets the session up, the table, its rows.
 *
 * @throws UserError where the dump has no such table
 */
export async function* tableSql(table: DumpedTable, wanted: TableName): AsyncGenerator<Buffer> {
  const { isRestricted } = table;
  const key = isRestricted ? randomBytes(32).toString('hex').slice(1) : undefined;
  const begin = key === undefined ? '' : `\\restrict ${key}\n\n`;
  const end = key === undefined ? '' : `\\unrestrict ${key}\n`;
  let isFound = false;
  const text = async function* () {
    for await (const { part, bytes } of table.pieces) {
      isFound ||= part !== 'session';
      yield bytes;
    }
    if (!isFound) throw noTable(table, wanted);
    await table.finish();
    yield LAST_WORDS;
  };
  // No byte goes on before it is known that psql takes none of it for a command of its own.
  const filter = plainDumpFilter(`the table ${tableWords(wanted)}`, { restricted: isRestricted });
  let isBegun = false;
  for await (const bytes of pipeline(text(), filter, () => {}) as AsyncIterable<Buffer>) {
    if (!isBegun) yield Buffer.from(begin);
    isBegun = true;
    yield bytes;
  }
  yield Buffer.from(end);
}

const LAST_WORDS = Buffer.from('--\n-- PostgreSQL database dump complete\n--\n\n');
const NAMED = 10;

/** What there is instead: first the tables whose names begin most like the one that was wanted. */
export function noTable({ seen }: Pick<TableSearch, 'seen'>, wanted: TableName): UserError {
  const name = tableWords(wanted);
  const all = [...seen]
    .map((each) => each.replace(/^public\./, ''))
    .sort((a, b) => commonLength(b, name) - commonLength(a, name));
  const there =
    all.length === 0
      ? 'It has none.'
      : `It has ${formatCounted(all.length, 'table')}, such as ${formatNames(all.map(quoted), NAMED)}.`;
  return new UserError(`The dump has no table ${quoted(name)}`, there);
}

/** How many characters two names begin with alike. */
function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
