import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { UserError } from '../errors.ts';
import { CommandError, type Process } from './host.ts';
import { type Postgres, PSQL_OPTIONS } from './postgres.ts';

/**
 * One instant of a database: a read-only transaction that stays open and whose exported snapshot pg_dump and
 * every query here share (https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION).
 */
export class Snapshot implements AsyncDisposable {
  readonly postgres: Postgres;
  readonly database: string;
  /** For `pg_dump --snapshot`. */
  readonly id: string;
  readonly #session: Session;

  private constructor(postgres: Postgres, database: string, id: string, session: Session) {
    this.postgres = postgres;
    this.database = database;
    this.id = id;
    this.#session = session;
  }

  /** @throws CommandError when the server refuses */
  static async open(postgres: Postgres, database: string): Promise<Snapshot> {
    const session = await Session.open(postgres, database);
    try {
      // A server may be set to end idle transactions and slow statements: not this one.
      await session.lines('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0');
      await session.lines('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const [id] = await session.lines('SELECT pg_export_snapshot()');
      if (!id)
        throw new UserError('PostgreSQL exported no snapshot', 'Check the log of the PostgreSQL server.');
      return new Snapshot(postgres, database, id, session);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Rows of a query, each as the object that `row_to_json` makes of it. */
  async rows<Row>(sql: string): Promise<Row[]> {
    const lines = await this.#session.lines(`SELECT row_to_json(r) FROM (${sql}) r`);
    return lines.map((line) => JSON.parse(line) as Row);
  }

  /** Rows of a query of one text column without line breaks. */
  lines(sql: string): Promise<string[]> {
    return this.#session.lines(sql);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }
}

/** A psql that stays open: statements on its standard input, rows and an end mark on its standard output. */
class Session implements AsyncDisposable {
  readonly #process: Process;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: Process) {
    this.#process = process;
    this.#lines = linesOf(process.stdout);
    process.stdin.on('error', () => {}); // A psql that ended says why by its exit, in lines().
    process.exited.catch(() => {}); // Awaited in lines(), where the failure belongs.
  }

  static async open(postgres: Postgres, database: string): Promise<Session> {
    const command = postgres.command('psql', [...PSQL_OPTIONS, '-f', '-'], database);
    return new Session(
      await postgres.host.start({ ...command, env: { ...command.env, PGCLIENTENCODING: 'UTF8' } }),
    );
  }

  async lines(sql: string): Promise<string[]> {
    const end = randomUUID();
    this.#process.stdin.write(`${sql};\nSELECT '${end}';\n`);
    const lines: string[] = [];
    for (;;) {
      const next = await this.#lines.next();
      if (next.done) {
        throw new CommandError({ argv: ['psql'] }, await this.#process.exited);
      }
      if (next.value === end) return lines;
      lines.push(next.value);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#process[Symbol.asyncDispose]());
  }
}

/** Not node:readline: that never tells of an error of its input. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const text of stream.setEncoding('utf8')) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
