import { ContentError } from '../../util/errors.ts';

/** How the rows of the table begin in a plain dump; an empty line and the COPY follow. */
const ROWS_BEGIN = Buffer.from('-- Data for Name: ir_attachment; Type: TABLE DATA; Schema: public; Owner: ');
const COPY = /\nCOPY public\.ir_attachment \(([^)]*)\) FROM stdin;\r?\n/;
/** Between the two, in bytes: a role's name, and the columns of a table. */
const LONGEST_HEADER = 64 * 1024;
/** Longest field that is looked at, in bytes: Odoo's own names have 43. */
const LONGEST_FIELD = 4096;
const TAIL_BYTES = 512;
const HEAD_BYTES = 4096;
const TAB = 9;
const LF = 10;

/** pg_dump's last words; since PostgreSQL 15.14 the line that takes back the `\restrict` of the beginning follows. */
const LAST_WORDS =
  /(?:^|\n)--\r?\n-- PostgreSQL database dump complete\r?\n--\s*(?:\\unrestrict (?<key>\w+)\s*)?$/;
const RESTRICT = /^\\restrict (\w+)\r?$/m;

type TextState =
  | { readonly in: 'text' | 'rows' }
  /** What has come after ROWS_BEGIN. */
  | { readonly in: 'header'; readonly bytes: Buffer };

/**
 * Looks at a database as SQL, as pg_dump and pg_restore print it, while it passes: whether it is complete, and which
 * files its attachments name.
 */
export class SqlText {
  /** Names in `ir_attachment.store_fname`, each once; undefined: the table is not there. */
  names: Set<string> | undefined;
  /** Name of the dump, for messages. */
  readonly name: string;
  #state: TextState = { in: 'text' };
  #head: Buffer = Buffer.alloc(0);
  /** The last bytes: words may be cut by the end of a chunk. */
  #tail: Buffer = Buffer.alloc(0);
  /** Position of `store_fname` among the table's columns. */
  #target = -1;
  /** The field under way: its column, and its first bytes if it is looked at. */
  #column = 0;
  #field: Buffer[] = [];
  #fieldBytes = 0;

  constructor(name: string) {
    this.name = name;
  }

  async readAll(chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) this.update(chunk);
  }

  update(chunk: Buffer): void {
    if (this.#head.length < HEAD_BYTES) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, HEAD_BYTES - this.#head.length)]);
    }
    const before = this.#tail;
    for (let rest: Buffer | undefined = chunk; rest; )
      rest = this.#advance(rest, rest === chunk ? before : undefined);
    const tail = Buffer.concat([before.subarray(-TAIL_BYTES), chunk.subarray(-TAIL_BYTES)]);
    this.#tail = tail.subarray(-TAIL_BYTES);
  }

  /** @throws ContentError when it does not end as pg_dump ends it */
  finish(): void {
    const found = LAST_WORDS.exec(this.#tail.toString('latin1'));
    const restricted = RESTRICT.exec(this.#head.toString('latin1'))?.[1];
    if (found && found.groups?.key === restricted) return;
    throw new ContentError(
      `${JSON.stringify(this.name)} is not complete: it does not end with pg_dump's last line.`,
      'It was cut short when it was made. Choose another backup.',
    );
  }

  /** Takes bytes up to where the state changes. Returns the others. */
  #advance(bytes: Buffer, before: Buffer | undefined): Buffer | undefined {
    switch (this.#state.in) {
      case 'text':
        return this.#text(bytes, before);
      case 'header':
        return this.#header(Buffer.concat([this.#state.bytes, bytes]));
      case 'rows':
        return this.#rows(bytes);
    }
  }

  #text(bytes: Buffer, before: Buffer | undefined): Buffer | undefined {
    const overlap = before?.subarray(-(ROWS_BEGIN.length - 1));
    const all = overlap ? Buffer.concat([overlap, bytes]) : bytes;
    const at = all.indexOf(ROWS_BEGIN);
    if (at < 0) return undefined;
    this.#state = { in: 'header', bytes: Buffer.alloc(0) };
    return all.subarray(at + ROWS_BEGIN.length);
  }

  #header(bytes: Buffer): Buffer | undefined {
    const text = bytes.toString('latin1', 0, LONGEST_HEADER);
    const found = COPY.exec(text);
    if (!found) {
      const isLost = bytes.length >= LONGEST_HEADER;
      this.#state = isLost ? { in: 'text' } : { in: 'header', bytes };
      return isLost ? bytes : undefined;
    }
    const columns = (found[1] ?? '').split(', ').map((column) => column.replaceAll('"', ''));
    this.#target = columns.indexOf('store_fname');
    this.names ??= new Set();
    this.#state = { in: 'rows' };
    this.#column = 0;
    this.#clearField();
    return bytes.subarray(found.index + found[0].length);
  }

  /** https://www.postgresql.org/docs/current/sql-copy.html: what a value has of tabs and line breaks is escaped. */
  #rows(bytes: Buffer): Buffer | undefined {
    for (let at = 0; at < bytes.length; at++) {
      const start = at;
      while (at < bytes.length && bytes[at] !== TAB && bytes[at] !== LF) at++;
      if (this.#column === 0 || this.#column === this.#target) this.#keep(bytes.subarray(start, at));
      if (at === bytes.length) return undefined;
      const isLast = this.#endField(bytes[at] === LF);
      if (isLast) {
        this.#state = { in: 'text' };
        return bytes.subarray(at + 1);
      }
    }
    return undefined;
  }

  #keep(part: Buffer): void {
    if (part.length === 0 || this.#fieldBytes > LONGEST_FIELD) return;
    this.#field.push(Buffer.from(part.subarray(0, LONGEST_FIELD)));
    this.#fieldBytes += part.length;
  }

  /** Returns whether that was the line behind the last row. */
  #endField(endsRow: boolean): boolean {
    const column = this.#column;
    this.#column = endsRow ? 0 : column + 1;
    if (column !== 0 && column !== this.#target) return false;
    const value = Buffer.concat(this.#field).toString('utf8');
    this.#clearField();
    if (column === 0 && endsRow && value === '\\.') return true;
    if (column === this.#target && value !== '\\N' && value !== '') this.names?.add(unescaped(value));
    return false;
  }

  #clearField(): void {
    this.#field = [];
    this.#fieldBytes = 0;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const unescaped = (value: string): string =>
  value.includes('\\') ? value.replaceAll(/\\(.)/gs, (_, sign: string) => ESCAPES[sign] ?? sign) : value;
