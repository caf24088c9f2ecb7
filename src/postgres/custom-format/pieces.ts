import type { BlockHead, DataBlocks } from './blocks.ts';
import { decompressedData } from './compression.ts';
import { DumpCopy } from './dump-copy.ts';
import type { TocEntry } from './entries.ts';
import { Gathered } from './gathered.ts';
import { LargeObjectSql } from './large-objects.ts';
import type { OpenDump } from './open.ts';
import { outOfOrder, readsBlock, restoredEntries } from './restored.ts';
import { beginning, type DumpSession, ending, sessionOf } from './session.ts';
import { SqlWriter } from './sql.ts';

/** Bytes for the dump in custom format, for the same dump as SQL, or for both. */
export interface DumpPiece {
  readonly to: 'dump' | 'sql' | 'both';
  readonly bytes: Buffer;
  /** To be called when nobody needs the bytes any more: their memory is used again then. */
  readonly release?: () => void;
}

/** The most bytes of a piece for both. */
const PIECE_BYTES = 256 * 1024;
/** Fewer bytes than these are no piece of their own: they are deflated twice, with what stands beside them. */
const SMALLEST_BYTES = 32 * 1024;

/**
 * A dump, which is read through, as two: itself, and the SQL that pg_restore of pg_dump's version makes of it with
 * `--no-owner`. What large tables hold is in both. In the dump that comes of it, head and table of contents are pg_dump's own;
 * rows have been put together in larger chunks, which pg_restore passes over faster than pg_dump's chunk for each row.
 *
 * Of a compressed dump, which is only read, come no pieces except those of the SQL.
 *
 * @throws ContentError when the dump is not whole, or its data are in another order than its entries
 */
export async function* dumpPieces(dump: OpenDump): AsyncGenerator<DumpPiece> {
  yield* new DumpSplitter(dump).all();
}

/** The SQL alone. */
export async function* plainSql(dump: OpenDump): AsyncGenerator<Buffer> {
  for await (const { to, bytes } of dumpPieces(dump)) if (to !== 'dump') yield bytes;
}

/** Takes a dump apart. What is small waits in `#dump` and `#sql` until there is enough of it. */
class DumpSplitter {
  readonly #from: OpenDump;
  readonly #blocks: DataBlocks;
  readonly #session: DumpSession;
  readonly #dump: DumpCopy;
  readonly #sql = new Gathered(PIECE_BYTES);
  /** What has been read of the data. It is given away as a piece, unless it holds little. */
  #buffer: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  /** Those of pieces that were released. */
  readonly #spare: Buffer[] = [];

  constructor(from: OpenDump) {
    this.#from = from;
    this.#blocks = from.blocks;
    this.#session = sessionOf(from.name, from.contents);
    this.#dump = new DumpCopy(from.contents.head, PIECE_BYTES);
  }

  async *all(): AsyncGenerator<DumpPiece> {
    const { name, contents, start } = this.#from;
    const writer = new SqlWriter(name, contents, this.#session.searchPath !== undefined);
    this.#dump.add(start);
    this.#sql.addText(beginning(this.#session, contents.head));
    for (const { entry, parts } of restoredEntries(this.#from)) {
      if (parts.definition) yield* this.#texts(writer.entry(entry, ''));
      if (parts.data && entry.hasData) {
        yield* this.#texts(writer.entry(entry, 'Data for '));
        yield* this.#texts(writer.data(entry));
        if (readsBlock(entry, parts)) yield* this.#dataOf(entry);
      } else if (parts.data && !parts.definition) yield* this.#texts(writer.entry(entry, ''));
      if (parts.statistics) yield* this.#texts(writer.entry(entry, 'Statistics for '));
    }
    for (let block = await this.#blocks.next(); block; block = await this.#blocks.next()) {
      yield* this.#data(block, false);
    }
    this.#sql.addText(ending(this.#session));
    yield* this.#rest();
  }

  *#texts(texts: Iterable<string>): Generator<DumpPiece> {
    for (const text of texts) {
      this.#sql.addText(text);
      yield* this.#enough();
    }
  }

  async *#dataOf(entry: TocEntry): AsyncGenerator<DumpPiece> {
    for (;;) {
      const block = await this.#blocks.next();
      if (!block) throw outOfOrder(this.#from, entry);
      const isMeant = block.id === entry.id;
      yield* this.#data(block, isMeant);
      if (isMeant) return;
    }
  }

  /** @param isSql whether the SQL has it as well */
  async *#data(block: BlockHead, isSql: boolean): AsyncGenerator<DumpPiece> {
    this.#dump.addBlock(block);
    if (block.kind === 'rows') return yield* this.#rows(isSql);
    if (isSql) this.#sql.addText('BEGIN;\n\n');
    for (let oid = await this.#blocks.nextObject(); oid; oid = await this.#blocks.nextObject()) {
      yield* this.#largeObject(oid, isSql);
    }
    this.#dump.addInt(0);
    if (isSql) this.#sql.addText('COMMIT;\n\n');
  }

  async *#rows(isSql: boolean): AsyncGenerator<DumpPiece> {
    for await (const bytes of this.#read()) {
      if (isSql && this.#dump.isWritten && bytes.length >= SMALLEST_BYTES) {
        this.#dump.addInt(bytes.length);
        yield* this.#rest();
        const given = this.#buffer;
        this.#buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
        yield { to: 'both', bytes, release: () => void this.#spare.push(given) };
        continue;
      }
      const kept = Buffer.from(bytes);
      this.#dump.addChunk(kept);
      if (isSql) this.#sql.add(kept);
      yield* this.#enough();
    }
    this.#dump.addInt(0);
  }

  async *#largeObject(oid: number, isSql: boolean): AsyncGenerator<DumpPiece> {
    const sql = new LargeObjectSql(this.#session.conformingStrings);
    this.#dump.addInt(oid | 0);
    if (isSql) this.#sql.addText(sql.begin(oid));
    for await (const bytes of this.#read()) {
      this.#dump.addChunk(Buffer.from(bytes));
      if (isSql) yield* this.#texts(sql.write(bytes));
      yield* this.#enough();
    }
    this.#dump.addInt(0);
    if (isSql) yield* this.#texts([sql.end()]);
  }

  /** The data that come next, in `#buffer` where they are not compressed. */
  async *#read(): AsyncGenerator<Buffer> {
    const { name, contents } = this.#from;
    const { compression } = contents.head;
    if (compression !== 'none') return yield* decompressedData(name, this.#blocks, compression);
    for (;;) {
      const length = await this.#blocks.fill(this.#buffer);
      if (length === 0) return;
      yield this.#buffer.subarray(0, length);
    }
  }

  *#enough(): Generator<DumpPiece> {
    if (this.#dump.isFull) yield* piece('dump', this.#dump.take());
    if (this.#sql.isFull) yield* piece('sql', this.#sql.take());
  }

  *#rest(): Generator<DumpPiece> {
    yield* piece('dump', this.#dump.take());
    yield* piece('sql', this.#sql.take());
  }
}

function* piece(to: 'dump' | 'sql', bytes: Buffer | undefined): Generator<DumpPiece> {
  if (bytes) yield { to, bytes };
}
