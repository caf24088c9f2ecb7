import type { Command, Host, Process } from '../host.ts';
import { probe } from './probe.ts';

/**
 * A host whose login shell is tried while the first commands are on their way already: that saves their round trip. None
 * of them is handed out before it is known that the shell runs what it is given, and what is secret waits for that.
 */
export class ProbedHost implements Host {
  readonly label: string;
  readonly user: string;
  readonly proven: Promise<void>;
  readonly #host: Host;
  /** Settles when the probe is on its way: where only one command may run, that is the first. */
  readonly #begun: Promise<void>;

  /**
   * @param timeoutMs of the probe
   * @param cancel ends the probe
   */
  constructor(host: Host, timeoutMs: number, cancel?: AbortSignal) {
    this.label = host.label;
    this.user = host.user;
    this.#host = host;
    const begun = Promise.withResolvers<void>();
    this.#begun = begun.promise;
    this.proven = probe(host, timeoutMs, begun.resolve, cancel).finally(begun.resolve);
    this.proven.catch(() => {}); // `start` throws it
  }

  get atOnce(): number | undefined {
    return this.#host.atOnce;
  }

  async start(command: Command): Promise<Process> {
    await (command.secretEnv === undefined ? this.#begun : this.proven);
    const process = await this.#host.start(command);
    try {
      await this.proven;
      return process;
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#host[Symbol.asyncDispose]());
  }
}
