import { explaining } from '../host/explaining.ts';
import type { Process } from '../host/host.ts';
import type { Decoder } from '../util/decode.ts';
import { UserError } from '../util/errors.ts';
import { connectHint } from './connect-hints.ts';
import { decodeLockRoom, LOCK_ROOM, type LockRoom } from './lock-room.ts';
import { READING_HINT, STANDBY_CONFLICT } from './reading-hints.ts';
import { asJson, decodeRows } from './rows.ts';
import type { Postgres } from './server.ts';
import type { PsqlSession } from './session.ts';
import { identifier, list, qualified, type Sql, sql } from './sql.ts';
import { SqlError } from './sql-error.ts';
import { SQL_STATE } from './sql-states.ts';

/**
 * One instant of a database: a read-only transaction that stays open and whose exported snapshot pg_dump and every
 * query here share (https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION).
 *
 * No query leaves a lock behind. A transaction keeps those of every table and index that it has looked at, and the
 * server has as many as `max_locks_per_transaction` lets: a database of some thousand tables would use them up, and
 * Odoo would have none.
 */
export class Snapshot implements AsyncDisposable {
  readonly postgres: Postgres;
  readonly database: string;
  /** For `pg_dump --snapshot`. */
  readonly id: string;
  /**
   * true: a superuser reads a database in which something belongs to a role that is not a superuser. Then only
   * PostgreSQL's own tables may be queried: where a query names a table, its planner evaluates what the owner has put
   * into indexes and statistics, with the rights of the role that asks. COPY of a table evaluates nothing.
   */
  readonly onlyCopies: boolean;
  /** The encoding of the database, by PostgreSQL’s name of it: `UTF8`. */
  readonly encoding: string;
  /** What pg_dump would take of the server's locks; undefined: it is not known. */
  readonly lockRoom: LockRoom | undefined;
  /** Dumps that were begun ahead, by their command. */
  readonly begun = new Map<string, Promise<Process>>();
  readonly #session: PsqlSession;

  private constructor(
    session: PsqlSession,
    facts: Pick<Snapshot, 'postgres' | 'database' | 'id' | 'onlyCopies' | 'encoding' | 'lockRoom'>,
  ) {
    this.postgres = facts.postgres;
    this.database = facts.database;
    this.id = facts.id;
    this.onlyCopies = facts.onlyCopies;
    this.encoding = facts.encoding;
    this.lockRoom = facts.lockRoom;
    this.#session = session;
  }

  /**
   * @param limitMs how long one query may take, and may wait for a lock; default: any time
   * @throws UserError when the server refuses
   */
  static async open(postgres: Postgres, database: string, limitMs = 0): Promise<Snapshot> {
    const session = await postgres.openSession(database);
    try {
      const [, [id], [onlyCopies], [encoding = 'UTF8'], room] = await Promise.all([
        ask(
          session,
          sql`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = ${limitMs}`,
        ),
        ask(session, sql`SELECT pg_export_snapshot()`),
        ask(session, WATCHED),
        ask(session, sql`SELECT getdatabaseencoding()`),
        ask(session, withoutLocks(asJson(LOCK_ROOM))),
      ]);
      if (!id)
        throw new UserError('PostgreSQL exported no snapshot', 'Check the log of the PostgreSQL server.');
      const [lockRoom] = decodeRows(decodeLockRoom, room);
      return new Snapshot(session, {
        postgres,
        database,
        id,
        onlyCopies: onlyCopies === 't',
        encoding,
        lockRoom,
      });
    } catch (error) {
      await session[Symbol.asyncDispose]();
      const { cause } = error as Error;
      if (cause instanceof SqlError && cause.sqlState === undefined)
        throw await notLetIn(postgres, database, cause);
      throw error;
    }
  }

  /**
   * The rows of a query.
   *
   * @param row decodes the object that `row_to_json` makes of one
   * @throws UserError when the server refuses the query, or a row is not as it must be
   */
  async rows<Row>(row: Decoder<Row>, query: Sql): Promise<Row[]> {
    return decodeRows(row, await this.lines(asJson(query)));
  }

  /** Rows of a query of one text column without line breaks. @throws UserError when the server refuses it */
  lines(query: Sql): Promise<string[]> {
    return ask(this.#session, withoutLocks(query));
  }

  /** The same, for more rows than should be held. @param take is given each as it comes */
  each(query: Sql, take: (line: string) => void): Promise<void> {
    return told(this.#session.each(withoutLocks(query), take));
  }

  /**
   * All rows of columns of a table, as text, by COPY. A view is refused.
   *
   * @param take is given each as it comes
   * @throws UserError when the server refuses it
   */
  eachCopied(
    table: readonly [schema: string, name: string],
    columns: readonly string[],
    take: (row: readonly (string | null)[]) => void,
  ): Promise<void> {
    const copy = sql`COPY ${qualified(...table)} (${list(columns.map(identifier))}) TO STDOUT`;
    return this.each(copy, (line) => take(line.split('\t').map(copiedText)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const unused = [...this.begun.values()];
    this.begun.clear();
    const endings = unused.map(async (begun) =>
      (await begun.catch(() => undefined))?.[Symbol.asyncDispose](),
    );
    await Promise.all([...endings, this.#session[Symbol.asyncDispose]()]);
  }
}

/**
 * Undone as a subtransaction, a query gives its locks back at once
 * (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES).
 */
const withoutLocks = (query: Sql): Sql =>
  sql`SAVEPOINT one; ${query}; ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one`;

/**
 * A superuser may own the database and others what is in it. What belongs to nobody else has no line in pg_shdepend.
 */
const WATCHED = sql`SELECT me.rolsuper AND (NOT owner.rolsuper OR EXISTS (
      SELECT FROM pg_shdepend JOIN pg_roles other ON other.oid = refobjid
       WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND dbid = d.oid AND NOT other.rolsuper))
  FROM pg_roles me, pg_database d JOIN pg_roles owner ON owner.oid = datdba
  WHERE me.rolname = session_user AND datname = current_database()`;

/** A value of COPY's text format (https://www.postgresql.org/docs/current/sql-copy.html). */
function copiedText(value: string): string | null {
  if (value === '\\N') return null;
  return value.replaceAll(/\\(.)/g, (_, sign: string) => ESCAPES[sign] ?? sign);
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

const ask = (session: PsqlSession, query: Sql): Promise<string[]> => told(session.lines(query));

const told = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch(
    explaining((error) => [
      `PostgreSQL ended the backup's session. ${error.message}`,
      HINTS[(error instanceof SqlError && error.sqlState) || ''] ?? READING_HINT,
    ]),
  );

/** psql ended without a SQLSTATE: there was no session yet, or none any more. */
async function notLetIn(postgres: Postgres, database: string, cause: SqlError): Promise<UserError> {
  const hint = await connectHint(postgres, database);
  return new UserError(
    hint === undefined
      ? `PostgreSQL ended the backup's session. ${cause.message}`
      : `PostgreSQL does not let this run into the database ${database}. ${cause.message}`,
    hint ??
      'Its own words say why. If it takes no more connections, end some, or raise the limit: ALTER ROLE … CONNECTION LIMIT, max_connections.',
    { cause },
  );
}

const STANDBY = `A standby ${STANDBY_CONFLICT}`;

const HINTS: Readonly<Record<string, string>> = {
  [SQL_STATE.serializationFailure]: STANDBY,
  [SQL_STATE.deadlock]: STANDBY,
  [SQL_STATE.lockNotAvailable]: 'A migration holds a lock on a table: make the backup after it.',
  [SQL_STATE.insufficientPrivilege]:
    'The role has to be allowed to read every table, with all of its rows: GRANT SELECT; where row-level security hides some, let their owner make the backup, or ALTER ROLE … BYPASSRLS.',
};
