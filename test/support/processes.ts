import { type ChildProcess, type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** An account of this machine. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The account that runs the tests. */
export function ownAccount(): Account {
  const { username, uid, gid } = userInfo();
  return { name: username, uid, gid };
}

/** The account that runs the servers: our own, but as root Debian's `postgres`, since PostgreSQL refuses root. */
export async function serverAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return ownAccount();
  const { stdout } = await promisify(execFile)('getent', ['passwd', 'postgres']);
  const [name = '', , uid, gid] = stdout.split(':');
  return { name, uid: Number(uid), gid: Number(gid) };
}

export interface RunOptions {
  readonly as?: Account;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | NodeJS.ReadableStream;
  /** Descriptor of a file that takes the standard output; then none is returned. */
  readonly output?: number;
}

const underway = new Set<ChildProcess>();
let ending = false;

/** Before this process ends on a signal: ends what `run` has started, and lets it start nothing more. */
export function endRuns(): void {
  ending = true;
  for (const child of underway) child.kill('SIGKILL');
}

/** Runs a program to its end and returns its standard output. @throws Error with its standard error when it fails */
export async function run(
  argv: readonly string[],
  { as, env, input, output }: RunOptions = {},
): Promise<string> {
  if (ending) throw new Error('This process is ending');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], {
    ...identity(as),
    cwd: '/',
    env: { ...process.env, ...env },
    stdio: ['pipe', output ?? 'pipe', 'pipe'],
  }) as ChildProcessByStdio<Writable, Readable | null, Readable>;
  underway.add(child);
  const closed = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  }).finally(() => underway.delete(child));
  child.stdin.on('error', () => {}); // the exit code tells
  if (typeof input === 'object') input.pipe(child.stdin);
  else child.stdin.end(input);
  const printed = child.stdout ? buffer(child.stdout) : '';
  const [out, err, ended] = await Promise.all([printed, buffer(child.stderr), closed]);
  if (ended !== 0) throw new Error(`${argv.join(' ')} ended with ${ended}: ${err.toString().trim()}`);
  return out.toString();
}

/** What `spawn` needs to run as that account. Nothing for our own: only root may change it. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account && account.uid !== process.getuid?.() ? { uid: account.uid, gid: account.gid } : {};
}

/** Server processes that are stopped, by process id, when they are disposed of. */
export class Servers implements AsyncDisposable {
  readonly #running: { child: ChildProcess; stopSignal: NodeJS.Signals }[] = [];
  readonly #logs: string;
  #disposed = false;

  /** @param logs the folder for `<name>.log` */
  constructor(logs: string) {
    this.#logs = logs;
  }

  /**
   * Starts a server. It gets `stopSignal` when we dispose of it, and from the kernel when this process dies in any
   * other way (prctl(2), PR_SET_PDEATHSIG). In a session of its own: Ctrl-C is for us to handle.
   */
  start(
    name: string,
    argv: readonly string[],
    options: { as?: Account; stopSignal?: NodeJS.Signals } = {},
  ): ChildProcess {
    if (this.#disposed) throw new Error(`${name} is not started any more`);
    const stopSignal = options.stopSignal ?? 'SIGTERM';
    const child = spawn('setpriv', ['--pdeathsig', stopSignal.slice('SIG'.length), ...argv], {
      ...identity(options.as),
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(join(this.#logs, `${name}.log`));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('error', () => {}); // `untilReady` sees that it is not there
    this.#running.push({ child, stopSignal });
    return child;
  }

  /**
   * Waits for `probe` to answer true.
   *
   * @throws Error with the end of its log when the server ends before, or after 60 s
   */
  async untilReady(name: string, server: ChildProcess, probe: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!(await probe().catch(() => false))) {
      if (hasEnded(server) || Date.now() > deadline) {
        const log = await readFile(join(this.#logs, `${name}.log`), 'utf8').catch(() => '');
        throw new Error(`${name} did not start: ${log.slice(-2000)}`);
      }
      await sleep(25);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const left = await Promise.all(this.#running.map(({ child }) => descendants(child.pid)));
    await Promise.all(this.#running.splice(0).map(({ child, stopSignal }) => stop(child, stopSignal)));
    for (const pid of left.flat()) killIfAlive(pid); // sshd leaves its sessions behind
  }
}

/** Ends a child: the signal first, SIGKILL after 10 s. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const impatient = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(impatient);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with its parent.
  }
}

/** A process of this machine, as /proc shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

/**
 * Every process of this machine. Its files of /proc are read one after the other, for they are there at once: promises
 * take eight times as long, and some tests ask hundreds of times.
 */
export async function processes(): Promise<ProcessEntry[]> {
  await nextTurn(); // who asks in a loop does not keep this process from all else
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const match = /^\d+ \((.*)\) (\S) (\d+) /s.exec(readOf(pid, 'stat')); // proc(5): the name may hold anything
      if (!match || match[2] === 'Z') return [];
      return [{ pid: Number(pid), parent: Number(match[3]), name: match[1] ?? '' }];
    });
}

/** What /proc says of a process; empty when it has ended, or is not ours to look at. */
export function readOf(
  pid: number | string,
  file: 'stat' | 'cmdline' | 'environ' | 'cgroup' | 'mounts',
): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** The command line of every process of this machine, which everybody on it can read. */
export async function commandLines(): Promise<string[]> {
  return (await processes()).map(({ pid }) => readOf(pid, 'cmdline').replaceAll('\0', ' '));
}

/** The processes below one, itself left out. */
export async function descendants(ancestor: number | undefined): Promise<number[]> {
  return ancestor === undefined ? [] : descendantsAmong(await processes(), ancestor);
}

/** The processes below one, among these. */
export function descendantsAmong(all: readonly ProcessEntry[], ancestor: number): number[] {
  const children = all.filter(({ parent }) => parent === ancestor);
  return children.flatMap(({ pid }) => [pid, ...descendantsAmong(all, pid)]);
}

/** Linux gives outgoing connections ports from 32,768 on: one of those may be taken before its server starts. */
const [firstPort, lastPort] = [10_000, 32_767];

/** So many at a time belong to one process. The first of them is not given away: it is the claim. */
const BLOCK = 64;
/** What is left of the blocks that this process has claimed. */
const unused: number[] = [];

/**
 * Ports of 127.0.0.1 that are free, all different. Nobody else who asks gets them, as long as this process lives: a server
 * may be started much later, or again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = unused.shift();
    if (port === undefined) unused.push(...(await claimBlock()));
    else if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** Claims a block, by listening on its first port until this process ends. */
async function claimBlock(): Promise<number[]> {
  const blocks = Math.floor((lastPort + 1 - firstPort) / BLOCK);
  for (;;) {
    const first = firstPort + BLOCK * randomInt(blocks);
    const claim = await listening(first);
    if (!claim) continue;
    claim.unref();
    return Array.from({ length: BLOCK - 1 }, (_, i) => first + 1 + i);
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (!server) return false;
  server.close();
  await once(server, 'close');
  return true;
}

/** A server on a port; undefined where it cannot be had. */
function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1');
    server.once('error', () => resolve(undefined));
    server.once('listening', () => resolve(server));
  });
}
