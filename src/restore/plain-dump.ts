import { Transform, type TransformCallback } from 'node:stream';
import { ContentError } from '../errors.ts';
import type { LeavesOut } from '../host/statement-filter.ts';
import { SqlScanner } from './sql-scanner.ts';

const COMPLETE = /^-- PostgreSQL database dump complete\r?$/m;
/** After that line come an empty comment and, since PostgreSQL 15.14, `\unrestrict` with a key of 63 characters. */
const TAIL_BYTES = 512;
/** A longer statement is never left out: no GRANT is as long. */
const LONGEST_LEFT_OUT = 2 ** 16;

/**
 * Passes a plain dump on its way to psql through, as long as it is SQL and data only. psql is a programming language of
 * its own: `\!` runs a shell command, `\connect` leaves for another database. No byte goes on before it is known to be
 * harmless. psql has to run with ON_ERROR_STOP=1: a COPY that fails would else make commands of its data.
 *
 * Fails with a ContentError at the first psql command (`\restrict` and `\unrestrict` apart, which only take rights away),
 * at a COPY other than pg_dump's own `COPY … FROM stdin;`, at what psql versions or settings read in different ways, and
 * at the end when pg_dump's last words are missing.
 *
 * @param name of the dump, for messages
 * @param leavesOut is asked for each statement; left out itself: everything passes unchanged
 */
export function plainDumpFilter(name: string, leavesOut?: LeavesOut): Transform {
  const filter = new PlainDump(name, leavesOut);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(() => filter.pass(chunk), done);
    },
    flush(done) {
      attempt(() => filter.end(), done);
    },
  });
}

function attempt(body: () => Buffer, done: TransformCallback): void {
  try {
    done(null, body());
  } catch (error) {
    done(error as Error);
  }
}

class PlainDump {
  readonly #name: string;
  readonly #leavesOut: LeavesOut | undefined;
  readonly #scanner: SqlScanner;
  /** Read, not yet passed on: understood up to `#understood`; then the beginning of a word whose end has not come. */
  #held: Buffer = Buffer.alloc(0);
  #understood = 0;
  /** Of `#held` in the dump. */
  #offset = 0;
  #tail: Buffer = Buffer.alloc(0);
  /** Statements within `#held` that are left out. */
  #cuts: [from: number, to: number][] = [];

  constructor(name: string, leavesOut: LeavesOut | undefined) {
    this.#name = name;
    this.#leavesOut = leavesOut;
    this.#scanner = new SqlScanner(name, leavesOut && ((from, to) => this.#judge(from, to)));
  }

  /** @returns what is known to be harmless by now */
  pass(chunk: Buffer): Buffer {
    this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#understood += this.#scanner.scan(this.#held.subarray(this.#understood));
    const end = this.#passable();
    const passed = this.#withoutCuts(end);
    this.#held = Buffer.from(this.#held.subarray(end));
    this.#offset += end;
    this.#understood -= end;
    this.#tail = Buffer.from(Buffer.concat([this.#tail, passed.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES));
    return passed;
  }

  /** @returns the rest. @throws ContentError when the dump is not complete */
  end(): Buffer {
    // A line break ends every word.
    const rest = Buffer.concat([this.#held.subarray(this.#understood), Buffer.from('\n')]);
    const known = this.#scanner.scan(rest);
    const end = Buffer.concat([this.#tail, this.#held]).toString('latin1');
    if (known !== rest.length || !this.#scanner.atRest || !COMPLETE.test(end)) throw incomplete(this.#name);
    return this.#held;
  }

  /** A statement that may have to be left out waits until it is whole. */
  #passable(): number {
    const { begun } = this.#scanner;
    if (!this.#leavesOut || begun === undefined) return this.#understood;
    const at = begun - this.#offset;
    return this.#understood - at > LONGEST_LEFT_OUT ? this.#understood : Math.max(0, at);
  }

  #judge(from: number, to: number): void {
    const [start, end] = [from - this.#offset, to - this.#offset];
    if (start < 0 || end - start > LONGEST_LEFT_OUT) return; // its beginning has gone on already, or might have
    if (this.#leavesOut?.(this.#held.toString('utf8', start, end))) this.#cuts.push([start, end]);
  }

  #withoutCuts(end: number): Buffer {
    if (this.#cuts.length === 0) return this.#held.subarray(0, end);
    const pieces: Buffer[] = [];
    let at = 0;
    for (const [from, to] of this.#cuts) {
      pieces.push(this.#held.subarray(at, from));
      at = to;
    }
    this.#cuts = [];
    return Buffer.concat([...pieces, this.#held.subarray(at, end)]);
  }
}

function incomplete(name: string): ContentError {
  return new ContentError(
    `${name} is not complete: pg_dump ends a plain dump with "PostgreSQL database dump complete", and this one does not.`,
    'The backup was cut short when it was made. Choose another backup.',
  );
}
