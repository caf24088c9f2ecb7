import { randomUUID } from 'node:crypto';
import type { Command, Host, Process } from '../host/host.ts';
import { recordsOf, tooMuch } from '../host/records.ts';
import { asking } from '../util/questions.ts';
import { psqlScript } from './psql.ts';
import { type Sql, sql } from './sql.ts';
import { SqlError } from './sql-error.ts';

/** Characters of an answer that is held as a whole. */
const MOST_HELD = 2 ** 28;

/** A psql that stays open: statements on its standard input, rows and an end mark on its standard output. */
export class PsqlSession implements AsyncDisposable {
  readonly #process: Process;
  readonly #lines: AsyncIterator<string>;
  /** Settles when all queries so far have been answered. */
  #earlier: Promise<void> = Promise.resolve();
  /** Settles when the session has ended, however that came. Never rejects. */
  readonly ended: Promise<void>;

  private constructor(process: Process) {
    this.#process = process;
    this.#lines = recordsOf(process.stdout, '\n', 'psql');
    process.stdin.on('error', () => {}); // A psql that ended says why by its exit, in lines().
    // Its failure belongs to lines(), which awaits it.
    this.ended = process.exited.then(
      () => {},
      () => {},
    );
  }

  /** @param psql reads statements from its standard input */
  static async start(host: Host, psql: Command): Promise<PsqlSession> {
    return new PsqlSession(await host.start(psql));
  }

  /** Runs statements that answer nothing, before the queries. */
  begin(...statements: readonly Sql[]): void {
    this.#process.stdin.write(psqlScript(...statements));
  }

  /**
   * Rows of a query of one text column without line breaks. Queries may be asked before earlier ones are answered:
   * over a long line, that saves their round trips.
   *
   * @throws UserError when they are more than anybody has asked for
   * @throws SqlError when the server refuses it, and from then on, for psql ends at the first error
   */
  async lines(query: Sql): Promise<string[]> {
    const lines: string[] = [];
    let length = 0;
    await this.each(query, (line) => {
      length += line.length + 1;
      if (length > MOST_HELD) throw tooMuch('psql', 'more than 256 MiB');
      lines.push(line);
    });
    return lines;
  }

  /** The same, for more rows than should be held. @param take is given each as it comes */
  async each(query: Sql, take: (line: string) => void): Promise<void> {
    const end = randomUUID();
    this.#process.stdin.write(psqlScript(query, sql`SELECT ${end}`));
    const answered = asking('host', 'psql session');
    const answer = this.#earlier.then(() => this.#linesUntil(end, take));
    this.#earlier = answer.catch(() => {}).finally(answered);
    return answer;
  }

  async #linesUntil(end: string, take: (line: string) => void): Promise<void> {
    for (;;) {
      const next = await this.#lines.next();
      if (next.done) {
        throw new SqlError({ argv: ['psql'] }, await this.#process.exited);
      }
      if (next.value === end) return;
      take(next.value);
    }
  }

  /** Nothing more is asked: the session ends by itself once it has answered. */
  finish(): void {
    this.#process.stdin.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#process[Symbol.asyncDispose]());
  }
}
