import { quoted } from '../util/controls.ts';
import { ContentError } from '../util/errors.ts';
import { ClientEncodings } from './client-encodings.ts';

/** What the next byte belongs to. `mark` is what ends quotes. */
type ScanState =
  | { readonly in: 'sql' | 'line comment' | 'data' }
  | { readonly in: 'block comment'; readonly depth: number }
  | { readonly in: 'quotes'; readonly mark: string };

/** No word, no command of psql's and no COPY statement of a real dump is longer, in bytes. */
const LONGEST = 2 ** 18;

const NAME = /(?:"(?:[^"]|"")+"|[\w$\x80-\xff]+)/.source;
/** `COPY public.res_partner (id, "Name") FROM stdin;` on a line of its own, as pg_dump writes it. */
const COPY = new RegExp(
  `^copy +${NAME}(?:\\.${NAME})? *(?:\\(${NAME}(?:, *${NAME})*\\))? +from +stdin;(?=\\r?\\n)`,
  'i',
);
const WHOLE_LINE = /^(?:[^"\n]|"[^"]*")*\n/;
const END_OF_DATA = '\n\\.';
const RESTRICT = /^\\(?:un)?restrict [A-Za-z0-9]+\r?$/;
const DOLLAR_MARK = /^\$(?:[A-Za-z_][A-Za-z_0-9]*)?\$/;

const BYTE_ORDER_MARK = Buffer.from('efbbbf', 'hex');
const LF = 10;
const CR = 13;
const DOLLAR = 36;
const STAR = 42;
const SLASH = 47;
const BACKSLASH = 92;

/** What a byte means in SQL. */
const NOTHING = 0;
const LETTER = 1;
const DIGIT = 2;
/** May stand in a word, but not begin one. */
const DOLLAR_SIGN = 3;
/** Something else that matters: see `#token`. */
const SIGN = 4;
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (byte > 127 || /[A-Za-z_]/.test(character)) return LETTER;
  if (/\d/.test(character)) return DIGIT;
  if (byte === DOLLAR) return DOLLAR_SIGN;
  return `'"-/:;()\\`.includes(character) ? SIGN : NOTHING;
});
const kindOf = (byte: number | undefined): number => KINDS[byte ?? 0] ?? NOTHING;
const inWord = (byte: number | undefined): boolean => {
  const kind = kindOf(byte);
  return kind === LETTER || kind === DIGIT || kind === DOLLAR_SIGN;
};

/** What a scanner tells of the dump: where in it something begins and ends, in bytes. */
export interface Told {
  /** A statement with its semicolon, except COPY. */
  readonly statement?: (from: number, to: number) => void;
  /** `\restrict` or `\unrestrict` with its key, without the line break. */
  readonly restrict?: (from: number, to: number) => void;
  /** A COPY statement begins, and the line break before its first row stands there. */
  readonly data?: (from: number, rows: number) => void;
  /** Behind the line `\.` that ends the rows, without its line break. */
  readonly dataEnd?: (at: number) => void;
}

/**
 * Reads SQL as psql does, closely enough to know where psql would see a command of its own: wherever a backslash stands
 * outside of quotes, comments and the data of a COPY.
 * https://git.postgresql.org/gitweb/?p=postgresql.git;a=blob;f=src/fe_utils/psqlscan.l
 *
 * What psql reads in different ways by its version or by standard_conforming_strings is refused. What it reads depends
 * on client_encoding as well: in SJIS, GBK and the like a byte above 127 makes the next one, be it a quote, a part of
 * its character. SQL has ways without end to change that setting (`SELECT query_to_xml('SELECT set_con' || …)`), so it
 * is no use to look for them. Where psql can be restricted (see `restricted`), this scanner is the second wall, and
 * such text passes. Where it cannot, the scanner is the only one, and refuses text that not all encodings read alike.
 */
export class SqlScanner {
  readonly #name: string;
  #state: ScanState = { in: 'sql' };
  readonly #told: Told;
  /** Undefined where psql is restricted. */
  readonly #encodings: ClientEncodings | undefined;
  /** The statement's first words, in lower case. */
  #words: string[] = [];
  /** Offset of its first word in the dump. */
  #begun: number | undefined;
  /** Open parentheses: psql ends no statement within them. */
  #depth = 0;
  /** Offset of `#bytes` in the dump. */
  #offset = 0;
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * @param name of the dump, for messages
   * @param restricted whether the psql that the dump is for runs no command of its own
   */
  constructor(name: string, restricted: boolean, told: Told = {}) {
    this.#name = name;
    this.#told = told;
    this.#encodings = restricted ? undefined : new ClientEncodings();
  }

  /** Where in the dump the unfinished statement begins; undefined: there is none. */
  get begun(): number | undefined {
    return this.#begun;
  }

  /** Whether it is between two statements, where a dump may end. */
  get atRest(): boolean {
    return this.#state.in === 'sql' && this.#words.length === 0 && this.#depth === 0;
  }

  /**
   * Returns how many of the bytes are understood, and harmless. The others have to come again, with more behind them.
   * @throws ContentError where psql would do anything but run SQL
   */
  scan(bytes: Buffer): number {
    this.#bytes = bytes;
    const nul = bytes.indexOf(0);
    if (nul >= 0) this.#refuse(nul, 'a NUL byte, behind which psql does not look');
    // psql leaves it out, so the word behind it is not what it seems to be.
    if (this.#offset === 0 && bytes.indexOf(BYTE_ORDER_MARK) === 0) this.#refuse(0, 'a byte order mark');
    let at = 0;
    while (at < bytes.length) {
      const state = this.#state;
      const next = this.#advance(at);
      if (next === undefined) break;
      this.#assertReadAlike(state, at, next);
      at = next;
    }
    if (bytes.length - at > LONGEST) this.#refuse(at, `no end within ${LONGEST} bytes`);
    this.#offset += at;
    return at;
  }

  /** Makes sure that every client_encoding reads these bytes alike. They were read in `state`. */
  #assertReadAlike(state: ScanState, from: number, to: number): void {
    if (state.in === 'data') this.#encodings?.startLine();
    const hidden = this.#encodings?.findHidden(this.#bytes, from, to, (byte) => matters(state, byte));
    if (hidden === undefined) return;
    const said = this.#quote(Math.max(0, hidden - 30));
    throw new ContentError(
      `${this.#name} is not restored: what psql takes ${said} for depends on the client_encoding, at byte ${this.#offset + hidden}, and this psql cannot be kept from running commands of its own`,
      'Update the PostgreSQL client on the host (13.22, 14.19, 15.14, 16.10, 17.6 or newer), or restore a dump in custom format.',
    );
  }

  /** Reads on from there to where the state changes, or as far as it can. undefined: that takes more bytes. */
  #advance(at: number): number | undefined {
    const state = this.#state;
    switch (state.in) {
      case 'sql':
        return this.#sql(at);
      case 'data':
        return this.#data(at);
      case 'quotes':
        return this.#quotes(at, state.mark);
      case 'line comment':
        return this.#lineComment(at);
      case 'block comment':
        return this.#blockComment(at, state.depth);
    }
  }

  /** One token, and what means nothing before it. */
  #sql(from: number): number | undefined {
    const bytes = this.#bytes;
    let at = from;
    while (at < bytes.length && kindOf(bytes[at]) === NOTHING) at++;
    if (at === bytes.length) return at;
    return this.#token(at) ?? (at > from ? at : undefined);
  }

  #token(at: number): number | undefined {
    const kind = kindOf(this.#bytes[at]);
    if (kind === LETTER || kind === DIGIT) return this.#word(at);
    if (kind === DOLLAR_SIGN) return this.#dollar(at);
    const sign = String.fromCharCode(this.#bytes[at] ?? 0);
    switch (sign) {
      case '\\':
        return this.#command(at);
      case "'":
      case '"':
        this.#state = { in: 'quotes', mark: sign };
        return at + 1;
      case ';':
        if (this.#depth === 0) this.#endStatement(at + 1);
        return at + 1;
      case '(':
        this.#depth += 1;
        return at + 1;
      case ')':
        this.#depth = Math.max(0, this.#depth - 1);
        return at + 1;
      default:
        return this.#pair(at, sign);
    }
  }

  /** `--`, a block comment, `::` or `:name`; else an operator. */
  #pair(at: number, first: string): number | undefined {
    const second = this.#bytes[at + 1];
    if (second === undefined) return undefined;
    const pair = first + String.fromCharCode(second);
    if (/^:[A-Za-z_'"{\x80-\xff]/.test(pair)) this.#refuse(at, 'a variable of psql');
    if (pair === '--') this.#state = { in: 'line comment' };
    if (pair === '/*') this.#state = { in: 'block comment', depth: 1 };
    return ['--', '/*', '::'].includes(pair) ? at + 2 : at + 1;
  }

  #word(at: number): number | undefined {
    const bytes = this.#bytes;
    let end = at + 1;
    while (end < bytes.length && inWord(bytes[end])) end++;
    if (end === bytes.length) return undefined;
    // `1$$` is a number and quotes, `a$$` is a name; what `1a$$` is depends on the version.
    if (kindOf(bytes[at]) === DIGIT && bytes.subarray(at, end).includes(DOLLAR)) {
      this.#refuse(at, 'a number right before a dollar sign');
    }
    const words = this.#words;
    const isRoutine = words[0] === 'create' && words.some((word) => /^(function|procedure)$/.test(word));
    if (words.length < 4 || isRoutine) {
      const word = bytes.toString('latin1', at, Math.min(end, at + 16)).toLowerCase();
      if (words.length === 0 && word === 'copy') return this.#copy(at);
      if (words.length === 0) this.#begun = this.#offset + at;
      // psql from version 14 on ends no statement within such a body.
      if (isRoutine && word === 'begin') this.#refuse(at, 'a function with a body in standard SQL');
      if (words.length < 4) words.push(word);
    }
    return end;
  }

  #endStatement(end: number): void {
    if (this.#begun !== undefined) this.#told.statement?.(this.#begun, this.#offset + end);
    this.#begun = undefined;
    this.#words = [];
  }

  #copy(at: number): number | undefined {
    const text = this.#bytes.toString('latin1', at, at + LONGEST);
    const statement = COPY.exec(text)?.[0];
    if (statement !== undefined && this.#depth === 0) {
      this.#state = { in: 'data' };
      const from = this.#offset + at;
      this.#told.data?.(from, from + statement.length);
      return at + statement.length;
    }
    if (WHOLE_LINE.test(text)) this.#refuse(at, 'a COPY other than COPY … FROM stdin');
    return undefined;
  }

  /** The data's last line is `\.` alone. Begins at the line break before the first. */
  #data(from: number): number | undefined {
    const bytes = this.#bytes;
    let at = bytes.indexOf(END_OF_DATA, from, 'latin1');
    while (at >= 0) {
      const line = bytes.toString('latin1', at + END_OF_DATA.length, at + END_OF_DATA.length + 2);
      if (/^\r?\n/.test(line)) {
        this.#state = { in: 'sql' };
        this.#told.dataEnd?.(this.#offset + at + END_OF_DATA.length);
        return at + END_OF_DATA.length;
      }
      if (line === '' || line === '\r') return at > from ? at : undefined;
      at = bytes.indexOf(END_OF_DATA, at + 1, 'latin1');
    }
    const known = bytes.length - END_OF_DATA.length;
    return known > from ? known : undefined;
  }

  #command(at: number): number | undefined {
    const end = this.#bytes.indexOf(LF, at);
    if (end < 0) return undefined;
    const line = this.#bytes.toString('latin1', at, end);
    if (!RESTRICT.test(line) || !this.atRest) this.#refuse(at, 'a psql command');
    this.#told.restrict?.(this.#offset + at, this.#offset + end);
    return end;
  }

  #dollar(at: number): number | undefined {
    const bytes = this.#bytes;
    let end = at + 1;
    while (kindOf(bytes[end]) === LETTER || kindOf(bytes[end]) === DIGIT) end++;
    if (end >= bytes.length) return undefined;
    const mark = DOLLAR_MARK.exec(bytes.toString('latin1', at, end + 1))?.[0];
    if (mark !== undefined) {
      this.#state = { in: 'quotes', mark };
      return at + mark.length;
    }
    const isMark = bytes[end] === DOLLAR && kindOf(bytes[at + 1]) === LETTER;
    if (isMark) this.#refuse(at, 'dollar quotes of other letters than A to Z');
    return at + 1;
  }

  /** A doubled quote ends them and begins them again, which has the same effect. */
  #quotes(from: number, mark: string): number | undefined {
    const at = this.#bytes.indexOf(mark.length === 1 ? mark.charCodeAt(0) : mark, from);
    if (at < 0) {
      const known = this.#bytes.length - mark.length; // one byte more than the mark's beginning may need
      return known > from ? known : undefined;
    }
    if (mark === "'" && at > from && this.#bytes[at - 1] === BACKSLASH) {
      this.#refuse(at - 1, 'a backslash right before a quote, which ends the text or does not');
    }
    this.#state = { in: 'sql' };
    return at + mark.length;
  }

  /** Ends at a carriage return as well, for psql. */
  #lineComment(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++;
    if (at < bytes.length) this.#state = { in: 'sql' };
    return at;
  }

  /** They nest. */
  #blockComment(from: number, depth: number): number | undefined {
    const bytes = this.#bytes;
    for (let at = from; at + 1 < bytes.length; at++) {
      const step = bytes[at] === SLASH && bytes[at + 1] === STAR ? 1 : -1;
      if (step < 0 && (bytes[at] !== STAR || bytes[at + 1] !== SLASH)) continue;
      this.#state = depth + step === 0 ? { in: 'sql' } : { in: 'block comment', depth: depth + step };
      return at + 2;
    }
    return bytes.length - 1 > from ? bytes.length - 1 : undefined;
  }

  #refuse(at: number, what: string): never {
    throw new ContentError(
      `${this.#name} is not restored: it holds ${what}, at byte ${this.#offset + at}: ${this.#quote(at)}`,
      'A plain dump of an Odoo database holds SQL and data only. Restore a dump in custom format, or one from pg_dump itself.',
    );
  }

  /** The line from there on, for messages. */
  #quote(at: number): string {
    return quoted(
      this.#bytes
        .toString('utf8', at, at + 60)
        .split('\n', 1)
        .join(),
    );
  }
}

/** Whether psql reads on in another way, in that state, if it does not see that byte, which is no line break. */
function matters(state: ScanState, byte: number): boolean {
  switch (state.in) {
    case 'sql':
      return kindOf(byte) !== LETTER && kindOf(byte) !== DIGIT;
    case 'quotes':
      return byte === state.mark.charCodeAt(0);
    case 'line comment':
      return byte === CR;
    case 'block comment':
      return byte === STAR || byte === SLASH;
    case 'data':
      return false;
  }
}
