import { UserError } from '../errors.ts';
import type { Command, Host } from './host.ts';
import { CommandError } from './host.ts';
import { run } from './run.ts';

/** `auto`: only where the login account may not; `always`: wherever another account owns the thing; `never`. */
export type SudoPolicy = 'auto' | 'always' | 'never';

/** An account that could run a command, with what the command printed. */
export interface Able {
  /** For `Command.as`: undefined when it is the account that logged in. */
  readonly as: string | undefined;
  readonly stdout: string;
}

/** The accounts of a host that this run may act as: the one that logged in, and those that sudo grants. */
export class Accounts {
  readonly #host: Host;
  readonly #policy: SudoPolicy;
  readonly #granted = new Map<string, Promise<boolean>>();

  constructor(host: Host, policy: SudoPolicy) {
    this.#host = host;
    this.#policy = policy;
  }

  /**
   * Runs a harmless command as the first account that succeeds with it: the login account (unless the policy
   * is `always`), then the given ones in order, as far as sudo grants them.
   */
  async firstAble(candidates: readonly string[], command: Command): Promise<Able | undefined> {
    for (const as of await this.#usable(candidates)) {
      try {
        return { as, stdout: await run(this.#host, { ...command, as }) };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
      }
    }
    return undefined;
  }

  /** Whether commands can run as this account: it is the login account, or sudo grants it. */
  async may(account: string): Promise<boolean> {
    return account === this.#host.user || (this.#policy !== 'never' && (await this.#grants(account)));
  }

  /** The `Command.as` for an account. @throws UserError when sudo does not grant it */
  async become(account: string): Promise<string | undefined> {
    if (account === this.#host.user) return undefined;
    if (await this.may(account)) return account;
    throw new UserError(
      this.#policy === 'never'
        ? `This step has to run as ${account} on ${this.#host.label}, and sudo is set to never`
        : `sudo does not let ${this.#host.user} run commands as ${account} on ${this.#host.label}`,
      this.sudoersHint([account]),
    );
  }

  /** The sudoers line that would have helped. */
  sudoersHint(accounts: readonly string[]): string {
    if (this.#policy === 'never') return 'Set sudo to auto, or log in as an account that may.';
    const line = `${this.#host.user} ALL=(${accounts.join(',')}) NOPASSWD: ALL`;
    return `If it is a matter of rights, put this line into /etc/sudoers.d/odoo-backup on the host: ${line}`;
  }

  async #usable(candidates: readonly string[]): Promise<(string | undefined)[]> {
    const others: string[] = [];
    for (const account of new Set(candidates)) {
      if (account !== this.#host.user && (await this.may(account))) others.push(account);
    }
    const self = this.#policy === 'always' && others.length > 0 ? [] : [undefined];
    return [...self, ...others];
  }

  #grants(account: string): Promise<boolean> {
    let granted = this.#granted.get(account);
    if (!granted) {
      granted = run(this.#host, { argv: ['true'], as: account }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof CommandError) return false;
          throw error;
        },
      );
      this.#granted.set(account, granted);
    }
    return granted;
  }
}
