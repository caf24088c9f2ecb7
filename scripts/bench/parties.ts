import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { descendantsAmong, processes, readOf } from '../../test/support/processes.ts';

/** Who uses the processors while something is measured, in the order of the page. */
export const PARTIES = ['postgres', 'host', 's3', 'client', 'rest', 'idle'] as const;
export type Party = (typeof PARTIES)[number];

/**
 * Seconds of processor time by party: together the processors of the machine times the seconds that were measured.
 * `host` is sshd and everything that it ran, pg_dump and restic among them. `client` is our program or the rival's
 * programs on the runner, all of their threads and children. `rest` is the kernel's work for nobody in particular, this
 * program, the simulated line, and whatever else the machine did.
 */
export type Parties = Readonly<Record<Party, number>>;

/** What was measured. */
export interface Taken<T> {
  readonly done: T;
  readonly seconds: number;
  /** Undefined where nobody keeps accounts. */
  readonly parties: Parties | undefined;
}

/** The servers of the sandbox, by the command lines of children of this process. */
const SERVERS = {
  postgres: /\bpostgres -D/,
  host: /\bsshd\b/,
  s3: /\b(ceph-mon|ceph-osd|radosgw)\b/,
} as const;
type Server = keyof typeof SERVERS;
const SERVER_NAMES = Object.keys(SERVERS) as Server[];

/** Linux counts processor time for user space in hundredths of a second. */
const TICKS = 100;

/** Processor time so far, in seconds. */
interface Account {
  readonly servers: Readonly<Record<Server, number>>;
  /** The time of everything that this process has started and waited for. */
  readonly ended: number;
  readonly machine: number;
}

/**
 * Accounts of the processor time that the sandbox's servers take: by control groups, which have the time of every
 * process that a server ever started. The times that Linux adds to a parent's would not do: sshd's monitor does not
 * wait for a session whose client has left.
 */
export class Accounts {
  readonly #group: string;

  private constructor(group: string) {
    this.#group = group;
    process.once('exit', () => this.#remove());
  }

  /** @returns undefined where this process may not make control groups */
  static open(): Accounts | undefined {
    const [, root] = / (\/\S+) cgroup2 /.exec(readOf('self', 'mounts')) ?? [];
    const [, own] = /^0::(.*)$/m.exec(readOf('self', 'cgroup')) ?? [];
    if (root === undefined || own === undefined) return undefined;
    const group = join(root, own, `odoo-backup-bench-${process.pid}`);
    try {
      for (const path of [group, ...SERVER_NAMES.map((server) => join(group, server))]) mkdirSync(path);
    } catch {
      return undefined;
    }
    return new Accounts(group);
  }

  /** Runs what is measured. Servers that were started since the last time are put into their groups. */
  async take<T>(work: () => Promise<T>): Promise<Omit<Taken<T>, 'parties'> & { readonly parties: Parties }> {
    await this.#enlist();
    const before = this.#account();
    const started = performance.now();
    const done = await work();
    const seconds = (performance.now() - started) / 1000;
    return { done, seconds, parties: difference(before, this.#account(), seconds) };
  }

  /** Leaves no group behind, when this process exits: its servers have ended by then. */
  #remove(): void {
    for (const path of [...SERVER_NAMES.map((server) => join(this.#group, server)), this.#group]) {
      try {
        rmdirSync(path);
      } catch {
        // Something in it is ending still: an empty group takes nothing.
      }
    }
  }

  async #enlist(): Promise<void> {
    const all = await processes();
    for (const { pid } of all.filter(({ parent }) => parent === process.pid)) {
      const line = readOf(pid, 'cmdline').replaceAll('\0', ' ');
      const server = SERVER_NAMES.find((name) => SERVERS[name].test(line));
      if (!server) continue;
      for (const each of [pid, ...descendantsAmong(all, pid)]) this.#put(each, server);
    }
  }

  #put(pid: number, server: Server): void {
    if (readOf(pid, 'cgroup').includes(`/odoo-backup-bench-${process.pid}/`)) return;
    try {
      writeFileSync(join(this.#group, server, 'cgroup.procs'), String(pid));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended
    }
  }

  #account(): Account {
    const timeOf = (server: Server) => {
      const stat = readFileSync(join(this.#group, server, 'cpu.stat'), 'utf8');
      return Number(/^usage_usec (\d+)$/m.exec(stat)?.[1]) / 1e6;
    };
    // The name of the program, in brackets, may hold anything. Behind it: state, parent, …
    const fields = readOf('self', 'stat')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    return {
      servers: { postgres: timeOf('postgres'), host: timeOf('host'), s3: timeOf('s3') },
      ended: ((fields[13] ?? 0) + (fields[14] ?? 0)) / TICKS,
      machine: busySeconds(),
    };
  }
}

/** Runs what is measured, with or without accounts. */
export async function measured<T>(accounts: Accounts | undefined, work: () => Promise<T>): Promise<Taken<T>> {
  if (accounts) return accounts.take(work);
  const started = performance.now();
  const done = await work();
  return { done, seconds: (performance.now() - started) / 1000, parties: undefined };
}

function difference(before: Account, after: Account, seconds: number): Parties {
  const of = (server: Server) => after.servers[server] - before.servers[server];
  const known = {
    postgres: of('postgres'),
    host: of('host'),
    s3: of('s3'),
    client: after.ended - before.ended,
  };
  const sum = Object.values(known).reduce((total, each) => total + each, 0);
  const rest = Math.max(0, after.machine - before.machine - sum);
  return { ...known, rest, idle: Math.max(0, availableParallelism() * seconds - rest - sum) };
}

/** Seconds that all processors of this machine were busy for so far: the first line of /proc/stat. */
export function busySeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / TICKS;
}
