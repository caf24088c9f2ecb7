import { UserError } from '../util/errors.ts';
import { type Command, CommandError, type Host } from './host.ts';
import { run } from './run.ts';
import { shown } from './shown.ts';

/**
 * Whether to become other accounts. `auto`: only where the login account may not; `always`: wherever another account
 * owns the thing; `never`. Root does it without sudo.
 */
export type SudoPolicy = 'auto' | 'always' | 'never';

/** An account that could run a command, with what the command printed. */
export interface Able {
  /** For `Command.as`: undefined when it is the account that logged in. */
  readonly as: string | undefined;
  readonly stdout: string;
}

/** The accounts of a host that this run may act as: the one that logged in, and those that it may become. */
export class Accounts {
  readonly #host: Host;
  readonly #policy: SudoPolicy;
  readonly #granted = new Map<string, Promise<boolean>>();
  /** What sudo said where it refused. */
  readonly #refusals = new Map<string, string>();
  #wholeOutput: Promise<void> | undefined;

  constructor(host: Host, policy: SudoPolicy) {
    this.#host = host;
    this.#policy = policy;
  }

  /** The account that logged in. */
  get login(): string {
    return this.#host.user;
  }

  /** Runs a harmless command as the first of the usable accounts that succeeds with it. */
  async firstAble(candidates: readonly string[], command: Command): Promise<Able | undefined> {
    for await (const as of this.usable(candidates)) {
      try {
        return { as, stdout: await run(this.#host, { ...command, as }) };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
      }
    }
    return undefined;
  }

  /** What would have helped: mostly a line for sudo. */
  sudoersHint(accounts: readonly string[]): string {
    if (this.#policy === 'never') return 'Set sudo to auto, or log in as an account that may.';
    if (this.#host.user === 'root') return `Check that the host has the account ${accounts.join(' or ')}.`;
    const line = `${this.#host.user} ALL=(${accounts.join(',')}) NOPASSWD: ALL`;
    const said = accounts.flatMap((account) => {
      const words = this.#refusals.get(account);
      return words ? [`sudo says for ${account}: ${shown(words)}.`] : [];
    });
    const hint = `If it is a matter of rights, put this line into /etc/sudoers.d/odoo-backup on the host: ${line}`;
    return [...new Set(said), hint].join(' ');
  }

  /**
   * The account that may do what only root may, for `Command.as`: the login account itself where sudo is not wanted.
   */
  get root(): string | undefined {
    return this.#policy === 'never' ? undefined : 'root';
  }

  /** Whether the login account is tried before any other. */
  get isLoginFirst(): boolean {
    return this.#policy !== 'always';
  }

  /**
   * The accounts to try, for `Command.as`: the login account (unless the policy is `always` and there are others),
   * then the given ones in order, as far as it may become them.
   */
  async *usable(candidates: readonly string[]): AsyncGenerator<string | undefined> {
    let selfComesLast = this.#policy === 'always';
    if (!selfComesLast) yield undefined;
    for (const account of new Set(candidates)) {
      if (account === this.#host.user || !(await this.#may(account))) continue;
      selfComesLast = false;
      yield account;
    }
    if (selfComesLast) yield undefined;
  }

  async #may(account: string): Promise<boolean> {
    return this.#policy !== 'never' && (await this.#grants(account));
  }

  #grants(account: string): Promise<boolean> {
    let granted = this.#granted.get(account);
    if (!granted) {
      granted = this.#askFor(account);
      this.#granted.set(account, granted);
    }
    return granted;
  }

  async #askFor(account: string): Promise<boolean> {
    const logging = this.#assertWholeOutput(); // asked at the same time; what it says counts where sudo grants
    logging.catch(() => {});
    try {
      await run(this.#host, { argv: ['true'], as: account });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#refusals.set(account, error.exit.stderr);
      return false;
    }
    await logging;
    return true;
  }

  /**
   * Where sudo writes what commands print into a log of its own, it may lose the end of that and still exit with 0
   * (1.9.13, under load: 14 of 120 outputs of 20 MB): a dump would be cut, and nobody would know.
   *
   * @throws UserError when sudo is told to
   */
  #assertWholeOutput(): Promise<void> {
    this.#wholeOutput ??= this.#askForLogging();
    return this.#wholeOutput;
  }

  async #askForLogging(): Promise<void> {
    if (this.#host.user === 'root') return;
    let settings: string;
    try {
      settings = await run(this.#host, { argv: ['sudo', '-n', '-l'] });
    } catch (error) {
      if (error instanceof CommandError) return; // it may not ask, and so cannot know
      throw error;
    }
    if (!logsOutput(settings)) return;
    throw new UserError(
      `sudo on ${this.#host.label} logs what commands print (log_output), and may lose the end of it`,
      `A dump that was cut would look whole. Put this line into /etc/sudoers.d/odoo-backup on the host: Defaults:${this.#host.user} !log_output`,
    );
  }
}

/** Reads the list that `sudo -l` prints: its own words are translated, the names of settings and tags are not. */
export function logsOutput(list: string): boolean {
  if (/(?<!NO)LOG_OUTPUT:/.test(list)) return true;
  const names = ['log_output', 'log_stdout'];
  const isSet = (name: string) => list.match(new RegExp(`!?\\b${name}\\b`, 'g'))?.at(-1) === name;
  return names.some(isSet) && !/NOLOG_OUTPUT:/.test(list);
}
