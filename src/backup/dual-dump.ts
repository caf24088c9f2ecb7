import { Readable } from 'node:stream';
import { type DeflateBlock, deflateBlock } from '../archive/deflate-block.ts';
import type { SegmentWriter } from '../archive/segment-writer.ts';
import { openDump } from '../postgres/custom-format/open.ts';
import { type DumpPiece, dumpPieces } from '../postgres/custom-format/pieces.ts';
import { allEnded } from '../util/begun.ts';
import { continued } from '../util/iterables.ts';
import { type Forked, forked } from './forked.ts';
import type { MemberWriter } from './member-writer.ts';
import { type ArchiveOptions, deflateLevel } from './source.ts';

/** Pieces that one of the two entries may be ahead of the other, of 256 KiB or so each. */
const MOST_AHEAD = 8;

/** The two entries that one dump becomes. */
export interface DualEntries {
  /** The dump itself. */
  readonly dump: SegmentWriter;
  readonly dumpName: string;
  readonly sql: SegmentWriter;
  readonly sqlName: string;
  /** Takes the sums of both. */
  readonly members: MemberWriter;
  readonly target: ArchiveOptions;
  /** Ends both. */
  readonly signal: AbortSignal;
  /** Writes the SQL by a pg_dump of its own, for a dump that is not known here. @param why it is not */
  readonly writeSql: (why: string) => Promise<void>;
}

/**
 * Writes a dump in custom format, and the SQL that pg_restore would make of it, at the same time: the database is read
 * once. What large tables hold is deflated once for both.
 *
 * @returns the length of the SQL in bytes; undefined where `writeSql` has written it
 * @throws whatever broke first: the dump, or one of the entries
 */
export async function writeDual(stream: Readable, entries: DualEntries): Promise<number | undefined> {
  const { dump, dumpName, sql, sqlName, members, target, signal, writeSql } = entries;
  const level = deflateLevel(target);
  const how = { deflate: level > 0, modified: target.startedAt };
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const open = await openDump(dumpName, chunks);
  if (open.kind === 'unknown') {
    const all = Readable.from(continued(open.read, chunks), { objectMode: false });
    await allEnded(members.add(dump, dumpName, all, how), writeSql(open.why));
    return undefined;
  }
  let sqlBytes = 0;
  const onSql = (bytes: number) => {
    sqlBytes += bytes;
  };
  const summed = summedPieces(dumpPieces(open), entries, onSql);
  const pieces = level > 0 ? deflatedOnce(summed, level) : whole(summed);
  const { first, second } = forked<Buffer | DeflateBlock>(pieces, MOST_AHEAD, signal);
  await allEnded(
    members.addMeasured(dump, dumpName, first, how),
    members.addMeasured(sql, sqlName, second, how),
  );
  return sqlBytes;
}

const TO = { dump: 'first', sql: 'second', both: 'both' } as const;

async function* summedPieces(
  pieces: AsyncIterable<DumpPiece>,
  { members, dumpName, sqlName }: DualEntries,
  onSql: (bytes: number) => void,
): AsyncGenerator<DumpPiece> {
  const [dump, sql] = [members.begin(dumpName), members.begin(sqlName)];
  for await (const piece of pieces) {
    if (piece.to !== 'sql') dump.update(piece.bytes);
    if (piece.to !== 'dump') {
      sql.update(piece.bytes);
      onSql(piece.bytes.length);
    }
    yield piece;
  }
  dump.end();
  sql.end();
}

async function* deflatedOnce(
  pieces: AsyncIterable<DumpPiece>,
  level: number,
): AsyncGenerator<Forked<Buffer | DeflateBlock>> {
  for await (const { to, bytes, release = () => {} } of pieces) {
    if (to !== 'both') {
      yield { to: TO[to], value: bytes };
      continue;
    }
    const block = deflateBlock(bytes, level);
    block.deflated.then(release, release);
    yield { to: 'both', value: block };
  }
}

async function* whole(pieces: AsyncIterable<DumpPiece>): AsyncGenerator<Forked<Buffer>> {
  for await (const { to, bytes } of pieces) yield { to: TO[to], value: bytes };
}
