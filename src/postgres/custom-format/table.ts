import type { TableName, TablePiece, TableSearch } from '../table-pieces.ts';
import { MOST_SEEN } from '../table-pieces.ts';
import { decompressedData } from './compression.ts';
import { decoded } from './contents.ts';
import type { TocEntry } from './entries.ts';
import type { OpenDump } from './open.ts';
import { outOfOrder } from './restored.ts';
import { beginning, sessionOf } from './session.ts';
import { SqlWriter } from './sql.ts';

/** Reads the rows of an entry of a dump in directory format, which are in a file of their own. */
export type ReadRows = (entry: TocEntry) => AsyncIterable<Buffer>;

const TABLES = new Set(['TABLE', 'FOREIGN TABLE']);

/**
 * One table of a dump, as pg_restore prints it: its definition and its rows, without indexes, constraints and defaults
 * that have an entry of their own. The dump is read no further than where the rows end.
 *
 * @param readRows for a dump in directory format
 */
export function searchTable(dump: OpenDump, wanted: TableName, readRows?: ReadRows): TableSearch {
  const seen = new Set<string>();
  return { seen, pieces: piecesOf(dump, wanted, seen, readRows) };
}

async function* piecesOf(
  dump: OpenDump,
  wanted: TableName,
  seen: Set<string>,
  readRows: ReadRows | undefined,
): AsyncGenerator<TablePiece> {
  const { name, contents } = dump;
  const { definition, data } = entriesOf(dump, wanted, seen);
  if (!definition && !data) return;
  const session = sessionOf(name, contents);
  const writer = new SqlWriter(name, contents, session.searchPath !== undefined);
  const piece = (part: TablePiece['part'], texts: Iterable<string>): TablePiece => ({
    part,
    bytes: Buffer.from([...texts].join(''), 'latin1'),
  });
  yield piece('session', [beginning({ ...session, key: undefined }, contents.head)]);
  if (definition) yield piece('definition', writer.entry(definition, ''));
  if (!data) return;
  yield piece('copy', [
    ...writer.entry({ ...data, definition: undefined }, 'Data for '),
    ...writer.data(data),
  ]);
  for await (const bytes of readRows ? readRows(data) : rowsOf(dump, data)) yield { part: 'rows', bytes };
}

/** What the dump has of the table. */
function entriesOf(
  { contents }: OpenDump,
  { schema, table }: TableName,
  seen: Set<string>,
): { definition?: TocEntry; data?: TocEntry } {
  const found: { definition?: TocEntry; data?: TocEntry } = {};
  for (const entry of contents.entries()) {
    const isTable = TABLES.has(entry.kind);
    if (!isTable && entry.kind !== 'TABLE DATA') continue;
    const [place, name] = [decoded(entry.schema ?? ''), decoded(entry.name)];
    if (isTable && seen.size < MOST_SEEN) seen.add(`${place}.${name}`);
    if (place !== schema || name !== table) continue;
    if (isTable) found.definition ??= entry;
    else if (entry.hasBlock) found.data ??= entry;
  }
  return found;
}

/** The rows of an entry, which lie behind those of others. */
async function* rowsOf(dump: OpenDump, entry: TocEntry): AsyncGenerator<Buffer> {
  const { name, blocks, contents } = dump;
  for (;;) {
    const block = await blocks.next();
    if (!block) throw outOfOrder(dump, entry);
    if (block.id === entry.id) return yield* decompressedData(name, blocks, contents.head.compression);
  }
}
