import { spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import type { Command, Host, Process } from './host.ts';
import { limited } from './limits.ts';
import { LocalProcess } from './local-process.ts';
import { commandLine } from './shell.ts';

/** An account of this machine. */
export interface LocalAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Variables that commands get from this process: its environment holds credentials, and what they run may be hostile.
 */
const PASSED_ON = ['PATH', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH'];

/** This machine, as a host: what runs over SSH elsewhere runs here. Its programs speak English, and know no secrets. */
export class LocalHost implements Host {
  readonly label = 'the runner';
  readonly user: string;
  readonly #account: LocalAccount | undefined;
  readonly #processes = new Set<LocalProcess>();

  /**
   * @param account account to run commands as, which only root may choose; undefined: the one that runs this program
   */
  constructor(account?: LocalAccount) {
    this.user = account?.name ?? ownName();
    this.#account = account;
  }

  start(command: Command): Promise<Process> {
    return limited(() => this.#start(command));
  }

  async #start(command: Command): Promise<LocalProcess> {
    const as = command.as === this.user ? undefined : command.as;
    const { line, preamble } = commandLine({ ...command, as }, this.user);
    const child = spawn('/bin/sh', ['-c', line], {
      cwd: '/',
      env: environment(),
      detached: true, // as sshd does it: a session and a process group of its own
      ...(this.#account && { uid: this.#account.uid, gid: this.#account.gid }),
    });
    const process = new LocalProcess(child, preamble);
    this.#processes.add(process);
    process.exited.catch(() => {}).finally(() => this.#processes.delete(process));
    return process;
  }

  /** Ends what still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes].map((process) => process[Symbol.asyncDispose]()));
  }
}

/** An account without a name, as containers may be told to run as, is called by its number. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

function environment(): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(passed), LC_ALL: 'C' };
}
