import type { Command, Host, Process } from '../host.ts';
import { wait } from '../limits.ts';
import { LostConnectionError } from './errors.ts';

/**
 * A host that is logged in to once more where the connection is gone. What ran on the lost connection has failed; later
 * commands run on the new one: those that undo what was begun need it.
 */
export class ReconnectingHost implements Host {
  readonly label: string;
  readonly user: string;
  readonly #connect: () => Promise<Host>;
  #connection: Host;
  #reconnecting: Promise<Host> | undefined;

  /** @param connect logs in to the same host as `connection` */
  constructor(connection: Host, connect: () => Promise<Host>) {
    this.label = connection.label;
    this.user = connection.user;
    this.#connection = connection;
    this.#connect = connect;
  }

  get atOnce(): number | undefined {
    return this.#connection.atOnce;
  }

  /** Settles as that of the current connection does. */
  get proven(): Promise<void> | undefined {
    return this.#connection.proven;
  }

  async start(command: Command): Promise<Process> {
    const connection = this.#connection;
    try {
      return await connection.start(command);
    } catch (error) {
      if (!(error instanceof LostConnectionError)) throw error;
      return (await this.#replace(connection)).start(command);
    }
  }

  /** Several commands may find out at once. */
  async #replace(lost: Host): Promise<Host> {
    if (this.#connection !== lost) return this.#connection;
    this.#reconnecting ??= this.#connect().finally(() => {
      this.#reconnecting = undefined;
    });
    this.#connection = await wait(this.#reconnecting);
    return this.#connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }
}
