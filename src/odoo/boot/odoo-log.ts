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
const MOST = { entries: 20, trace: 30, tail: 60, line: 500 } as const;

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
   * What tells why a program has ended: its last traceback with all that follows it, or else its last lines.
   *
   * @param most lines, of which the end counts
   */
  lastWords(most: number): readonly string[] {
    const at = this.#tail.findLastIndex((line) => line.startsWith('Traceback (most recent call last)'));
    return this.#tail.slice(Math.max(0, at)).slice(-most);
  }
}

function pushBounded(lines: string[], line: string, most: number): void {
  lines.push(line);
  if (lines.length > most) lines.shift();
}
