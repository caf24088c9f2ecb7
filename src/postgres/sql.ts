import { UserError } from '../util/errors.ts';

/** What a statement may be made of: text, numbers and truth values become literals; SQL stays what it is. */
export type SqlValue = string | number | bigint | boolean | null | Sql;

let make: (text: string) => Sql;

/**
 * SQL text that is safe to give to psql. Only this file makes it: by the tag `sql`, whose own text is a constant of the
 * program, and by the functions below. A string is no SQL, so what comes from a backup, the database or the host cannot
 * become a part of a statement other than as a literal or as a quoted name.
 */
export class Sql {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = sendable(text);
  }

  /** For psql's standard input, and for people. */
  get text(): string {
    return this.#text;
  }

  static {
    make = (text) => new Sql(text);
  }
}

/** SQL of a template. Outside of quotes, the template must not have `:name`, which psql would take for a variable. */
export const sql = (template: TemplateStringsArray, ...values: readonly SqlValue[]): Sql =>
  make(template.reduce((text, part, i) => text + textOf(values[i - 1]) + part));

/**
 * A name as SQL has it: `"prod"`.
 *
 * @throws UserError when PostgreSQL would cut it, or cannot have such a name
 */
export function identifier(name: string): Sql {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > MAX_NAME_BYTES) {
    throw new UserError(
      bytes === 0
        ? 'A name that is empty cannot be used in SQL'
        : `A name of ${bytes} bytes cannot be used in SQL, PostgreSQL would cut it: ${shown(name)}`,
      `A name in PostgreSQL has 1 to ${MAX_NAME_BYTES} bytes. Check where this one comes from: an input, odoo.conf or the backup.`,
    );
  }
  return make(`"${sendable(name).replaceAll('"', '""')}"`);
}

/** Names behind one another, each in the one before it: `"public"."ir_attachment"`. */
export const qualified = (...names: readonly string[]): Sql => join(names.map(identifier), sql`.`);

/** Values with commas between them. */
export const list = (values: readonly SqlValue[]): Sql => join(values, sql`, `);

export const join = (values: readonly SqlValue[], separator: Sql): Sql =>
  make(values.map(textOf).join(separator.text));

/**
 * An object as the server itself names it (`pg_identify_object`): `public.f(integer, "x y".z)`.
 *
 * @throws UserError when it holds anything but names, and the signs between them
 */
export function serverName(text: string): Sql {
  if (!SERVER_NAME.test(text)) {
    throw new UserError(
      `PostgreSQL names an object in a way that cannot be used in SQL: ${shown(text)}`,
      'Names are expected here, quoted where they need it.',
    );
  }
  return make(text);
}

const SERVER_NAME = /^(?:[\p{L}\p{N}_$]+|"(?:[^"]|"")+"|[.,()[\] ])+$/u;

/** PostgreSQL's NAMEDATALEN less the final zero. */
const MAX_NAME_BYTES = 63;

function textOf(value: SqlValue | undefined): string {
  if (value instanceof Sql) return value.text;
  switch (typeof value) {
    case 'string':
      return literal(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`Not a number that SQL has: ${value}`);
      break;
    case 'bigint':
    case 'boolean':
      break;
    default:
      if (value !== null) throw new TypeError(`Not a value that SQL has: ${typeof value}`);
  }
  const text = value === null ? 'NULL' : String(value);
  return text.startsWith('-') ? `(${text})` : text; // -(-1), where --1 would be a comment
}

/** A text as SQL has it, whatever `standard_conforming_strings` says, as libpq's PQescapeLiteral. */
const literal = (text: string): string => `E'${sendable(text).replace(/['\\]/g, '$&$&')}'`;

/**
 * psql drops what follows a NUL in a piece of what it reads: half of an escaped quote can be lost that way, and the
 * rest of a literal becomes commands. Half of a surrogate pair has no UTF-8.
 *
 * @throws UserError naming the text
 */
function sendable(text: string): string {
  const problem = text.includes('\0')
    ? 'a NUL character (U+0000)'
    : text.isWellFormed()
      ? undefined
      : 'half of a character (a lone surrogate)';
  if (problem === undefined) return text;
  throw new UserError(
    `A text with ${problem} cannot be sent to PostgreSQL, and nothing of it was: ${shown(text)}`,
    'No genuine backup, database or host has such a text. Find out who made it before you go on.',
  );
}

/** The part of a text that an error shows: escapes instead of what a log does not take. */
const shown = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

/**
 * A connection string that names a database and nothing else: pg_restore and vacuumdb read a name with `=` in it as a
 * connection string (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE).
 */
export const conninfo = (database: string): string => `dbname='${database.replace(/['\\]/g, '\\$&')}'`;

/** A list in pieces of so many, for queries that would else be too long. */
export const inChunks = <T>(list: readonly T[], length: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / length) }, (_, i) => list.slice(i * length, (i + 1) * length));

/** The database in which what concerns the whole server is done: a session in another would block its rename. */
export const MAINTENANCE_DATABASE = 'postgres';

/** Where a database is that was created with no other tablespace. */
export const DEFAULT_TABLESPACE = 'pg_default';
