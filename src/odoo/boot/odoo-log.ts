import { withoutControls } from '../../util/controls.ts';

/** The levels of Odoo's log that a person should see. */
export type LogLevel = 'WARNING' | 'ERROR' | 'CRITICAL';

/** One message of Odoo's log, with what belongs to it. */
export interface LogEntry {
  readonly level: LogLevel;
  /** Name of the logger: `odoo.modules.loading`. */
  readonly logger: string;
  /** The first line. */
  readonly message: string;
  /** The last lines that follow it, as of a traceback. */
  readonly trace: readonly string[];
}

/** How much is kept. A host, and a database, decide what comes. */
const MOST = { entries: 20, trace: 30, tail: 200, line: 500 } as const;

/** `2026-11-30 09:00:00,123 4711 ERROR shop odoo.modules.registry: Failed to load registry` */
const HEAD = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ ([A-Z]{1,10}) (\S+) ([^\s:]+): ?(.*)$/;

/** The colours that Odoo gives to levels on a terminal. */
const COLOURS = /\x1b\[[\d;]*m/g;

const isLevel = (word: string): word is LogLevel => ['WARNING', 'ERROR', 'CRITICAL'].includes(word);

/** What a program that logs as Odoo does has printed: its warnings and errors, and its last lines. */
export class OdooLog {
  readonly #counts = { WARNING: 0, ERROR: 0, CRITICAL: 0 };
  readonly #entries: { readonly entry: Omit<LogEntry, 'trace'>; readonly trace: string[] }[] = [];
  readonly #tail: string[] = [];
  /** Takes the lines that follow a message; undefined: that message is not kept. */
  #trace: string[] | undefined;

  /** @param line without its end */
  add(line: string): void {
    const text = withoutControls(
      line
        .slice(0, 4 * MOST.line)
        .replaceAll(COLOURS, '')
        .trimEnd(),
    ).slice(0, MOST.line);
    if (text !== '') pushBounded(this.#tail, text, MOST.tail);
    const [, level = '', , logger = '', message = ''] = HEAD.exec(text) ?? [];
    if (level === '') {
      if (this.#trace && text !== '') pushBounded(this.#trace, text, MOST.trace);
      return;
    }
    this.#trace = isLevel(level) ? this.#note({ level, logger, message }) : undefined;
  }

  #note(entry: Omit<LogEntry, 'trace'>): string[] | undefined {
    this.#counts[entry.level] += 1;
    const isError = entry.level !== 'WARNING';
    if (
      this.#entries.filter(({ entry: { level } }) => (level !== 'WARNING') === isError).length >= MOST.entries
    )
      return undefined;
    const trace: string[] = [];
    this.#entries.push({ entry, trace });
    return trace;
  }

  get warnings(): number {
    return this.#counts.WARNING;
  }

  get criticals(): number {
    return this.#counts.CRITICAL;
  }

  /** Number of messages of the levels ERROR and CRITICAL. */
  get errors(): number {
    return this.#counts.ERROR + this.#counts.CRITICAL;
  }

  /** The first warnings, and the first errors, in the order in which they came. */
  get entries(): readonly LogEntry[] {
    return this.#entries.map(({ entry, trace }) => ({ ...entry, trace }));
  }

  /**
   * What tells why a program has ended: its last traceback and what it has said after that, or else its last lines.
   * Messages that tell of nothing unusual, as those of Odoo's end, are left out behind a traceback.
   *
   * @param most lines: of a longer traceback, the first one and the last ones
   */
  lastWords(most: number): readonly string[] {
    const at = this.#tail.findLastIndex(isTraceback);
    if (at < 0) return this.#tail.slice(-most);
    const words = this.#tail.slice(at).filter((line) => isLevel(HEAD.exec(line)?.[1] ?? 'ERROR'));
    return words.length <= most ? words : [...words.slice(0, 1), '…', ...words.slice(2 - most)];
  }
}

const isTraceback = (line: string): boolean => line.startsWith('Traceback (most recent call last)');

/** `psycopg2.errors.UndefinedColumn: column "x" does not exist`, as the last part of a traceback begins. */
const EXCEPTION = /^(?:[A-Za-z_]\w*\.)*[A-Z]\w*[a-z]\w*(?:: |$)/;

/** The line of a traceback that says what went wrong, and not where; undefined: there is none. */
export const exceptionIn = (lines: readonly string[]): string | undefined =>
  lines.findLast((line) => EXCEPTION.test(line));

function pushBounded(lines: string[], line: string, most: number): void {
  lines.push(line);
  if (lines.length > most) lines.shift();
}
