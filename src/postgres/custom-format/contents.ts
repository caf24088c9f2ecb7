import { listOf } from '../toc-filter.ts';
import { DumpCursor } from './cursor.ts';
import { readEntry, type TocEntry } from './entries.ts';
import type { DumpHead } from './head.ts';
import { partsOf } from './parts.ts';

/** A text of a dump as text. What is no UTF-8 becomes replacement characters. */
export const decoded = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

/** Entries that have been read through once. */
export interface EntryBytes {
  readonly bytes: Buffer;
  /** Where the first one is. */
  readonly from: number;
  readonly count: number;
  /** As they were read; undefined: they are too many to be kept. */
  readonly read?: readonly TocEntry[] | undefined;
}

/**
 * The table of contents of a dump. A large one is kept as its bytes, and read anew each time: a database may have a
 * million objects.
 */
export class TableOfContents {
  readonly head: DumpHead;
  readonly #name: string;
  readonly #bytes: Buffer;
  readonly #from: number;
  readonly #count: number;
  readonly #read: readonly TocEntry[] | undefined;
  #largeObjects: ReadonlyMap<number, TocEntry> | undefined;

  /** @param name of the dump, for messages */
  constructor(name: string, head: DumpHead, { bytes, from, count, read }: EntryBytes) {
    this.#name = name;
    this.head = head;
    this.#bytes = bytes;
    this.#from = from;
    this.#count = count;
    this.#read = read;
  }

  /** The entries, in their order. */
  *entries(): Generator<TocEntry> {
    if (this.#read) return yield* this.#read;
    const cursor = new DumpCursor(this.#name, this.#bytes, this.#from);
    cursor.intSize = this.head.intSize;
    for (let i = 0; i < this.#count; i++) yield readEntry(cursor, this.head);
  }

  /** Bytes of it, with the head of the dump. */
  get size(): number {
    return this.#bytes.length;
  }

  /** The entry that has large objects, by its id. From PostgreSQL 17 on, one has up to a thousand of them. */
  largeObjects(id: number | undefined): TocEntry | undefined {
    this.#largeObjects ??= new Map(
      this.entries()
        .filter(({ kind }) => kind === 'BLOB METADATA')
        .map((entry) => [entry.id, entry] as const),
    );
    return id === undefined ? undefined : this.#largeObjects.get(id);
  }

  /** The entries that pg_restore restores, with their lines as `pg_restore --list` prints them. */
  *lines(): Generator<{ readonly line: string; readonly entry: TocEntry }> {
    for (const entry of this.entries()) {
      if (!partsOf(entry, this.head)) continue;
      const { id, classOid, oid, kind, schema = '-', name, owner = '' } = entry;
      const [place, title, role] = [schema, name, owner].map(inOneLine);
      yield { line: decoded(`${id}; ${classOid} ${oid} ${kind} ${place} ${title} ${role}`), entry };
    }
  }

  /** As `pg_restore --list` prints it. */
  list(): string {
    return listOf([...this.lines().map(({ line }) => line)]);
  }
}

/** As pg_dump's `sanitize_line` has it. */
export const inOneLine = (text: string): string => text.replaceAll(/[\n\r]/g, ' ');
