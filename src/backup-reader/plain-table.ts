import { MOST_SEEN, type TableName, type TablePiece, type TableSearch } from '../postgres/table-pieces.ts';
import { SqlScanner } from './sql-scanner.ts';

/** No statement that makes a table is longer, in bytes. */
const LONGEST_STATEMENT = 2 ** 20;
const NAME = /(?:"(?:[^"]|"")+"|[^\s."(]+)/.source;
const NAMED = `(${NAME}(?:\\.${NAME})?)\\s`;
const CREATE_TABLE = new RegExp(`^CREATE (?:UNLOGGED |FOREIGN )?TABLE ${NAMED}`, 'i');
const COPY = new RegExp(`^COPY +${NAMED}`, 'i');

const SETTINGS = [
  ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'],
  ...['client_encoding', 'standard_conforming_strings', 'check_function_bodies', 'xmloption', 'row_security'],
  ...['client_min_messages', 'escape_string_warning', 'default_tablespace', 'default_table_access_method'],
];
/** What sets a session of pg_dump's up. */
const SESSION = new RegExp(
  `^(?:SET (?:${SETTINGS.join('|')}) = [^;]*|SELECT pg_catalog\\.set_config\\('search_path', '[^']*', false\\));$`,
);

/** What the scanner has told. Offsets in the dump. */
type ScanEvent =
  | { readonly kind: 'statement'; readonly from: number; readonly to: number }
  | { readonly kind: 'copy'; readonly from: number; readonly rows: number }
  | { readonly kind: 'end'; readonly at: number };

/**
 * One table of a plain dump, as pg_dump has written it. The dump is read no further than where the rows end.
 *
 * @param name of the dump, for messages
 */
export function searchPlainTable(name: string, dump: AsyncIterable<Buffer>, wanted: TableName): TableSearch {
  const seen = new Set<string>();
  return { seen, pieces: new PlainTableSearch(name, wanted, seen).all(dump) };
}

class PlainTableSearch {
  readonly #wanted: TableName;
  readonly #seen: Set<string>;
  readonly #scanner: SqlScanner;
  readonly #events: ScanEvent[] = [];
  /** Read, and still needed; it is understood up to `#understood`. */
  #held: Buffer = Buffer.alloc(0);
  #understood = 0;
  /** Offset of `#held` in the dump. */
  #offset = 0;
  /** Up to where the rows have been given, as an offset in the dump; undefined: they have not begun. */
  #given: number | undefined;
  #isMade = false;

  constructor(name: string, wanted: TableName, seen: Set<string>) {
    this.#wanted = wanted;
    this.#seen = seen;
    const push = (event: ScanEvent) => void this.#events.push(event);
    this.#scanner = new SqlScanner(name, true, {
      statement: (from, to) => push({ kind: 'statement', from, to }),
      data: (from, rows) => push({ kind: 'copy', from, rows }),
      dataEnd: (at) => push({ kind: 'end', at }),
    });
  }

  async *all(dump: AsyncIterable<Buffer>): AsyncGenerator<TablePiece> {
    for await (const chunk of dump) {
      this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
      this.#understood += this.#scanner.scan(this.#held.subarray(this.#understood));
      for (const event of this.#events.splice(0)) {
        const hadRows = this.#given !== undefined;
        yield* this.#take(event);
        if (hadRows && event.kind === 'end') return;
      }
      if (this.#given !== undefined) yield* this.#rows(this.#offset + this.#understood);
      this.#forget();
    }
  }

  *#take(event: ScanEvent): Generator<TablePiece> {
    switch (event.kind) {
      case 'statement':
        if (this.#given === undefined) yield* this.#statement(event.from, event.to);
        return;
      case 'copy': {
        const bytes = this.#bytes(event.from, event.rows);
        if (!this.#isWanted(COPY.exec(bytes.toString('utf8'))?.[1])) return;
        yield { part: 'copy', bytes: Buffer.concat([bytes, Buffer.from('\n')]) };
        this.#given =
          event.rows + (this.#bytes(event.rows, event.rows + 2).toString('latin1') === '\r\n' ? 2 : 1);
        return;
      }
      case 'end':
        if (this.#given !== undefined) {
          yield* this.#rows(event.at);
          yield { part: 'rows', bytes: Buffer.from('\n\n\n') };
        }
    }
  }

  *#statement(from: number, to: number): Generator<TablePiece> {
    if (from < this.#offset || to - from > LONGEST_STATEMENT) return;
    const bytes = this.#bytes(from, to);
    const text = bytes.toString('utf8');
    if (!this.#isMade && SESSION.test(text)) {
      yield { part: 'session', bytes: Buffer.concat([bytes, Buffer.from('\n')]) };
    }
    const named = CREATE_TABLE.exec(text)?.[1];
    if (named === undefined) return;
    const { schema, table } = parsedName(named);
    if (this.#seen.size < MOST_SEEN) this.#seen.add(`${schema}.${table}`);
    if (this.#isMade || !this.#isWanted(named)) return;
    this.#isMade = true;
    yield { part: 'definition', bytes: Buffer.concat([bytes, Buffer.from('\n\n')]) };
  }

  *#rows(to: number): Generator<TablePiece> {
    const from = this.#given ?? to;
    if (to <= from) return;
    this.#given = to;
    yield { part: 'rows', bytes: this.#bytes(from, to) };
  }

  #bytes = (from: number, to: number): Buffer => this.#held.subarray(from - this.#offset, to - this.#offset);

  #isWanted(named: string | undefined): boolean {
    if (named === undefined) return false;
    const { schema, table } = parsedName(named);
    return schema === this.#wanted.schema && table === this.#wanted.table;
  }

  /** Keeps what is not understood yet, and the statement that it belongs to. */
  #forget(): void {
    const begun = (this.#scanner.begun ?? Infinity) - this.#offset;
    const isLong = this.#understood - begun > LONGEST_STATEMENT;
    const end = Math.max(0, isLong ? this.#understood : Math.min(begun, this.#understood));
    this.#held = Buffer.from(this.#held.subarray(end));
    this.#offset += end;
    this.#understood -= end;
  }
}

/** A name in SQL. Without its schema it is of a time when pg_dump set the search path: of `public`, for Odoo. */
function parsedName(named: string): TableName {
  const [first = '', second] = Array.from(named.matchAll(new RegExp(NAME, 'g')), ([part]) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part,
  );
  return second === undefined ? { schema: 'public', table: first } : { schema: first, table: second };
}
