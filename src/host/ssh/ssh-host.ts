import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { messageOf, UserError } from '../../util/errors.ts';
import { asking } from '../../util/questions.ts';
import type { Command, Host, Process } from '../host.ts';
import { limited } from '../limits.ts';
import { commandLine } from '../shell.ts';
import { type Hop, labelOf, lostError } from './errors.ts';
import { SpareChannels } from './spare-channels.ts';
import { SshProcess } from './ssh-process.ts';
import { begin, openSession } from './ssh2-internals.ts';

/** One SSH connection of the chain that leads to the host. */
export interface Link {
  readonly hop: Hop;
  /** TCP for the first link, a channel of the previous link for the others. */
  readonly socket: Duplex;
  readonly client: Client;
}

const GOODBYE_MS = 1000;
/** How long a command waits for a channel. */
const CROWDED_MS = 30_000;
/** The same where none of ours runs: sshd may count one that has just ended. */
const ALONE_MS = 2000;
const CROWDED_PAUSE_MS = 50;
/**
 * Sessions that every command of the program needs at least: a backup holds a session of psql and the stream of a dump
 * or of files, and asks something beside them. More are faster.
 */
const FEWEST_SESSIONS = 3;

/**
 * Whether the server refused to open a channel, by SSH_OPEN_CONNECT_FAILED (as OpenSSH does) or …_RESOURCE_SHORTAGE
 * (RFC 4254, section 5.1).
 */
const isCrowded = (error: unknown): boolean => {
  const { cause } = error as { readonly cause?: { readonly reason?: unknown } };
  return cause?.reason === 2 || cause?.reason === 4;
};

/** A host that is logged in to. When any link of the chain breaks, all that runs on the host fails with one error. */
export class SshHost implements Host {
  readonly label: string;
  readonly user: string;
  readonly #links: readonly Link[];
  readonly #client: Client;
  readonly #watches: NodeJS.Timeout[] = [];
  readonly #processes = new Set<SshProcess>();
  readonly #spare: SpareChannels;
  /** Commands that have asked for a channel and have no answer yet. */
  #asking = 0;
  /** Rejects when the connection is gone; never resolves. */
  readonly #gone = Promise.withResolvers<never>();
  #end: Error | undefined;

  /**
   * @param links from here to the host, at least one
   * @param silenceMs a link that brings nothing for this long is lost
   */
  constructor(links: readonly Link[], silenceMs: number) {
    const last = links.at(-1);
    if (!last) throw new TypeError('A host is at the end of at least one link');
    this.#links = links;
    this.#client = last.client;
    this.label = labelOf(last.hop);
    this.user = last.hop.user;
    this.#gone.promise.catch(() => {}); // `start` awaits it
    for (const link of links) this.#watch(link, silenceMs);
    this.#spare = new SpareChannels(this.#client, () => this.#processes.size + this.#asking);
    this.#spare.topUp();
  }

  /** Bytes that come count as life, not only answers to keepalives: those may queue behind megabytes of data. */
  #watch({ hop, socket, client }: Link, silenceMs: number): void {
    let cause = new Error('the host closed it');
    client.on('error', (error) => {
      cause = error;
    });
    const ended = () => this.#lose(lostError(hop, cause));
    client.on('end', ended).on('close', ended);
    const silence = new Error(`nothing was heard from it for ${silenceMs / 1000} s`);
    const timer = setTimeout(() => this.#lose(lostError(hop, silence)), silenceMs);
    socket.on('data', () => timer.refresh());
    this.#watches.push(timer);
  }

  #lose(error: Error): void {
    if (this.#end) return;
    this.#end = error;
    this.#gone.reject(error);
    for (const process of this.#processes) process.fail(error);
    this.#hangUp();
  }

  #hangUp(): void {
    for (const timer of this.#watches) clearTimeout(timer);
    for (const link of this.#links.toReversed()) link.socket.destroy();
  }

  get atOnce(): number {
    return this.#spare.mostAtOnce;
  }

  start(command: Command): Promise<Process> {
    return limited(() => this.#start(command));
  }

  async #start(command: Command): Promise<SshProcess> {
    const as = command.as === this.user ? undefined : command.as;
    const { line, preamble } = commandLine({ ...command, as }, this.user);
    // sshd takes MaxSessions channels at once, 10 unless it is told otherwise: then one of ours has to end first.
    for (const asked = Date.now(); ; await sleep(CROWDED_PAUSE_MS)) {
      if (this.#end) throw this.#end;
      const alone = this.#processes.size + this.#asking === 0;
      this.#asking++;
      try {
        return await Promise.race([this.#exec(command, line, preamble), this.#gone.promise]);
      } catch (error) {
        if (!isCrowded(error)) throw error;
        if (Date.now() - asked > (alone ? ALONE_MS : CROWDED_MS)) throw this.#crowded(command, error);
      } finally {
        this.#asking--;
      }
    }
  }

  async #exec(command: Command, line: string, preamble: string): Promise<SshProcess> {
    const channel = this.#spare.take() ?? (await this.#open(command));
    const answered = asking('host', [command.argv[0], command.as].filter(Boolean).join(' as '));
    let process: SshProcess | undefined;
    const refused = () => process?.fail(this.#notStarted(command, new Error('the server refuses it')));
    begin(channel, line, refused);
    process = new SshProcess(channel, preamble);
    process.answers.finally(answered);
    this.#processes.add(process);
    process.exited
      .catch(() => {})
      .finally(() => {
        this.#processes.delete(process);
        if (!this.#end) this.#spare.topUp();
      });
    this.#spare.topUp();
    return process;
  }

  async #open(command: Command): Promise<ClientChannel> {
    const answered = asking('host', 'channel');
    try {
      return await openSession(this.#client);
    } catch (error) {
      throw this.#notStarted(command, error);
    } finally {
      answered();
    }
  }

  #notStarted(command: Command, cause: unknown): UserError {
    return new UserError(
      `${this.label} did not start ${command.argv[0]}: ${messageOf(cause)}`,
      'Check on the host that the account may run commands (login shell, ForceCommand).',
      { cause },
    );
  }

  #crowded(command: Command, cause: unknown): UserError {
    const running = this.#processes.size;
    if (running === 0) {
      return new UserError(
        `${this.label} lets this account run no commands at all`,
        'MaxSessions of its sshd is 0, as for accounts that only forward ports: set it to 10, which is its default.',
        { cause },
      );
    }
    return new UserError(
      `${this.label} runs no more than ${running} commands at once, and did not start ${command.argv[0]}`,
      `At least ${Math.max(running + 1, FEWEST_SESSIONS)} are needed: set MaxSessions of its sshd to 10, which is its default.`,
      { cause },
    );
  }

  /** Ends what still runs and says goodbye to sshd, whose own goodbye nobody waits for. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes].map((process) => process[Symbol.asyncDispose]()));
    if (this.#end) return;
    this.#end = new Error(`The connection to ${this.label} was closed`);
    const said = once(this.#links[0]?.socket as Duplex, 'finish').catch(() => {});
    for (const { client } of this.#links.toReversed()) client.end();
    await Promise.race([said, sleep(GOODBYE_MS, undefined, { ref: false })]);
    this.#hangUp();
  }
}
