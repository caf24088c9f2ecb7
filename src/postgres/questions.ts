import { unlimited, wait } from '../host/limits.ts';
import type { PsqlSession } from './session.ts';
import type { Sql } from './sql.ts';

/**
 * Questions to one database, which share a session: to log in takes longer than to answer most of them. A question
 * changes nothing, in the session neither; what does has a session of its own (`runSql`).
 */
export class Questions {
  readonly #open: () => Promise<PsqlSession>;
  readonly #keptMs: number;
  #session: Promise<PsqlSession> | undefined;
  #unanswered = 0;
  #end: NodeJS.Timeout | undefined;

  /**
   * @param open opens a session in the database
   * @param keptMs how long it is kept for the next question. Then it ends: a server has few sessions, and sshd few
   * channels.
   */
  constructor(open: () => Promise<PsqlSession>, keptMs: number) {
    this.#open = open;
    this.#keptMs = keptMs;
  }

  /**
   * The rows of a query of one text column without line breaks. It may be asked before earlier ones are answered.
   *
   * @throws SqlError when the session has ended: by this question, by another one, or from outside
   */
  async ask(query: Sql): Promise<string[]> {
    clearTimeout(this.#end);
    this.#unanswered++;
    this.#session ??= this.#start();
    const session = this.#session;
    try {
      // The session outlasts the limit of who asks first.
      return await wait((await wait(session)).lines(query));
    } catch (error) {
      this.#leave(session);
      throw error;
    } finally {
      this.#unanswered--;
      if (this.#unanswered === 0)
        this.#end = setTimeout(() => this.#leave(this.#session), this.#keptMs).unref();
    }
  }

  #start(): Promise<PsqlSession> {
    const session = unlimited(this.#open);
    session.then(
      ({ ended }) => ended.then(() => this.#leave(session)),
      () => {}, // told to who asks
    );
    return session;
  }

  /** Asks nothing more of a session, which then ends; what it was asked it may still answer. */
  #leave(session: Promise<PsqlSession> | undefined): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    session?.then(
      (each) => each.finish(),
      () => {},
    );
  }
}
