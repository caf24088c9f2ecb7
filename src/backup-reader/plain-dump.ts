import { pipeline, Transform, type TransformCallback } from 'node:stream';
import type { LeavesOut } from '../postgres/statement-filter.ts';
import { ContentError } from '../util/errors.ts';
import { foreignFormat, HEAD_BYTES } from './foreign-formats.ts';
import { SqlScanner } from './sql-scanner.ts';

const COMPLETE = /^-- PostgreSQL database dump complete\r?$/m;
/** After that line come an empty comment and, since PostgreSQL 15.14, `\unrestrict` with a key of 63 characters. */
const TAIL_BYTES = 512;
/** A longer statement is never left out: no GRANT is as long. */
const LONGEST_LEFT_OUT = 2 ** 16;

const BYTE_ORDER_MARK = Buffer.from('efbbbf', 'hex');
/** What `pg_dump --clean` begins with, such as `ALTER TABLE public.t ALTER COLUMN id DROP DEFAULT;`. */
const DROPS = /^(?:DROP|ALTER (?:TABLE|DOMAIN) [^;]* DROP) [^;]*;$/i;
const DROPS_PUBLIC = /^DROP SCHEMA (?:IF EXISTS )?(?:public|"public");$/i;
const CREATES_PUBLIC = /^CREATE SCHEMA (?:public|"public");$/i;
const DATABASE = /^CREATE DATABASE\s/i;
const INSERT = /^INSERT INTO\s/i;
const TABLE_NAME = /((?:"(?:[^"]|"")+"|[^\s"().;]+)(?:\.(?:"(?:[^"]|"")+"|[^\s"().;]+))?)/.source;
/** Neither a partitioned table, which has no rows of its own, nor a foreign one. */
const TABLE = new RegExp(`^CREATE (?:UNLOGGED )?TABLE ${TABLE_NAME} \\((?![^]*\\)\\s*PARTITION BY )`, 'i');
const COPY = new RegExp(`^COPY +${TABLE_NAME}`, 'i');
const MAKES_TABLE = /^CREATE (?:UNLOGGED |FOREIGN )?TABLE\s/i;
/** What is only said of a table that is there. */
const FOR_TABLE = /^(?:INSERT INTO\s|CREATE (?:UNIQUE )?INDEX\s|ALTER TABLE [^;]*\sADD CONSTRAINT\s)/i;
const ODOO_TABLE = 'ir_module_module';

/** How a plain dump is to pass. */
export interface PlainDumpOptions {
  /** Is asked for each statement whether it is left out. */
  readonly leavesOut?: LeavesOut;
  /** Whether psql runs no command of its own: see `restricted`. Default: it may run them. */
  readonly restricted?: boolean;
  /**
   * Is told at the end which tables the dump makes and has no rows for: pg_dump writes a COPY also for an empty one. Where
   * rows come as INSERT, no table can be told from an empty one, and it is told none.
   */
  readonly withoutRows?: (tables: readonly string[]) => void;
  /** Whether it is all of a dump, which makes the tables that it fills. Default: it may be a part of one. */
  readonly isWhole?: boolean;
}

/**
 * Passes a plain dump on its way to psql through, as long as it is SQL and data only. psql is a programming language of
 * its own: `\!` runs a shell command, `\connect` leaves for another database. No byte goes on before it is known to be
 * harmless. psql has to run with ON_ERROR_STOP=1: a COPY that fails would else make commands of its data.
 *
 * A byte order mark is left out, and so are `\restrict` and `\unrestrict`: older versions of psql do not know them, and
 * the dump's own key must not end a restriction of ours. The statements of `pg_dump --clean` that drop what is not
 * there are left out as well.
 *
 * Fails with a ContentError at the first other command of psql, at a COPY other than pg_dump's own `COPY … FROM
 * stdin;`, at what psql reads in different ways (see `SqlScanner`), and at the end when pg_dump's last words are
 * missing.
 *
 * @param name of the dump, for messages
 */
export function plainDumpFilter(name: string, passage: PlainDumpOptions = {}): Transform {
  const filter = new PlainDumpFilter(name, passage);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(() => filter.pass(chunk), done);
    },
    flush(done) {
      attempt(() => filter.end(), done);
    },
  });
}

/** One entry of a dump in another format, as pg_restore prints it, on its way to psql. */
export const entryAsPlain = (sql: AsyncIterable<Buffer>, passage: PlainDumpOptions): AsyncIterable<Buffer> =>
  pipeline(sql, plainDumpFilter('the entry', passage), () => {}); // its error comes out at its end

function attempt(body: () => Buffer, done: TransformCallback): void {
  try {
    done(null, body());
  } catch (error) {
    done(error as Error);
  }
}

class PlainDumpFilter {
  readonly #name: string;
  readonly #leavesOut: LeavesOut | undefined;
  readonly #withoutRows: PlainDumpOptions['withoutRows'];
  readonly #isWhole: boolean;
  readonly #scanner: SqlScanner;
  /** Read, not yet passed on: understood up to `#understood`; then the beginning of a word whose end has not come. */
  #held: Buffer = Buffer.alloc(0);
  #understood = 0;
  /** Whether its first bytes have been looked at. */
  #isSql = false;
  /** Offset of `#held` in the dump. */
  #offset = 0;
  #tail: Buffer = Buffer.alloc(0);
  /** How many statements have made something. */
  #created = 0;
  #dropsPublic = false;
  #makesTables = false;
  /** Tables that it makes; of these, those whose rows have not come. */
  readonly #tables = new Set<string>();
  readonly #rowless = new Set<string>();
  #holdsRows = false;
  #hasInserts = false;
  /** Statements within `#held` that are left out. */
  #cuts: [from: number, to: number][] = [];

  constructor(
    name: string,
    { leavesOut, restricted = false, withoutRows, isWhole = false }: PlainDumpOptions,
  ) {
    this.#name = name;
    this.#leavesOut = leavesOut;
    this.#withoutRows = withoutRows;
    this.#isWhole = isWhole;
    this.#scanner = new SqlScanner(name, restricted, {
      statement: (from, to) => this.#judge(from, to),
      restrict: (from, to) => this.#cuts.push([from - this.#offset, to - this.#offset]),
      data: (from, rows) => {
        this.#assertTables();
        this.#holdsRows = true;
        const copy = this.#held.toString('utf8', from - this.#offset, rows - this.#offset);
        this.#rowless.delete(plainName(COPY.exec(copy)?.[1]));
      },
    });
  }

  /** @returns what is known to be harmless by now */
  pass(chunk: Buffer): Buffer {
    this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    if (!this.#isSql) {
      if (this.#held.length < HEAD_BYTES) return Buffer.alloc(0);
      this.#begin();
    }
    return this.#advance();
  }

  #begin(): void {
    assertSql(this.#name, this.#held.subarray(0, HEAD_BYTES));
    this.#isSql = true;
    if (this.#held.indexOf(BYTE_ORDER_MARK) === 0) this.#held = this.#held.subarray(BYTE_ORDER_MARK.length);
  }

  #advance(): Buffer {
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
    if (!this.#isSql) this.#begin();
    // A line break ends every word.
    const rest = Buffer.concat([this.#held.subarray(this.#understood), Buffer.from('\n')]);
    const known = this.#scanner.scan(rest);
    const end = Buffer.concat([this.#tail, this.#held]).toString('latin1');
    if (known !== rest.length || !this.#scanner.atRest || !COMPLETE.test(end)) throw incomplete(this.#name);
    const hasRows = this.#holdsRows || this.#hasInserts;
    if (this.#tables.has(ODOO_TABLE) && !hasRows) throw schemaOnly(this.#name);
    if (!this.#hasInserts) this.#withoutRows?.([...this.#rowless]);
    return this.#withoutCuts(this.#held.length);
  }

  /** A statement that may have to be left out waits until it is whole. */
  #passable(): number {
    const { begun } = this.#scanner;
    if (begun === undefined) return this.#understood;
    const at = begun - this.#offset;
    return this.#understood - at > LONGEST_LEFT_OUT ? this.#understood : Math.max(0, at);
  }

  #judge(from: number, to: number): void {
    const [start, end] = [from - this.#offset, to - this.#offset];
    if (start < 0 || end - start > LONGEST_LEFT_OUT) return; // its beginning has gone on already, or might have
    const statement = this.#held.toString('utf8', start, end);
    if (this.#isForAnotherDatabase(statement) || this.#leavesOut?.(statement)) this.#cuts.push([start, end]);
  }

  /** Whether it clears what a database held before; ours is new. @throws ContentError when it makes a database */
  #isForAnotherDatabase(statement: string): boolean {
    if (DATABASE.test(statement)) throw withCreate(this.#name);
    this.#makesTables ||= MAKES_TABLE.test(statement);
    if (FOR_TABLE.test(statement)) this.#assertTables();
    this.#hasInserts ||= INSERT.test(statement);
    if (this.#created === 0 && DROPS.test(statement)) {
      this.#dropsPublic ||= DROPS_PUBLIC.test(statement);
      return true;
    }
    if (!/^CREATE\s/i.test(statement)) return false;
    this.#created += 1;
    const table = plainName(TABLE.exec(statement)?.[1]);
    if (table !== '') {
      this.#tables.add(table);
      this.#rowless.add(table);
    }
    return this.#dropsPublic && CREATES_PUBLIC.test(statement);
  }

  /** @throws ContentError where a table is needed, and it has made none */
  #assertTables(): void {
    if (this.#isWhole && !this.#makesTables) throw withoutTables(this.#name);
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

/** `res_users` for `public.res_users` and `"public"."res_users"`. */
const plainName = (written = ''): string =>
  written
    .replaceAll(/"((?:[^"]|"")+)"/g, (_, name: string) => name.replaceAll('""', '"'))
    .replace(/^public\./, '');

/** @throws ContentError when what begins so is known to be something else */
export function assertSql(name: string, head: Buffer): void {
  const format = foreignFormat(head);
  if (format) throw new ContentError(`${name} is not restored: it is ${format.is}`, format.hint);
}

function incomplete(name: string): ContentError {
  return new ContentError(
    `${name} is not complete: pg_dump ends a plain dump with "PostgreSQL database dump complete", and this one does not.`,
    'The backup was cut short when it was made. Choose another backup.',
  );
}

const withCreate = (name: string): ContentError =>
  new ContentError(
    `${name} is not restored: it makes a database of its own (CREATE DATABASE), as pg_dump --create writes it, and a restore decides itself which one it goes into.`,
    "Make one without --create; or take out what comes before the dump itself: sed '1,/^\\\\connect /d' DUMP",
  );

const schemaOnly = (name: string): ContentError =>
  new ContentError(
    `${name} is not restored: it holds the tables of Odoo and not one row, as pg_dump --schema-only writes it.`,
    'Choose another backup, or make one without --schema-only.',
  );

const withoutTables = (name: string): ContentError =>
  new ContentError(
    `${name} is not restored: it makes no table, as pg_dump --data-only or --section writes it.`,
    'Choose another backup, or make one of the whole database, without such options.',
  );
