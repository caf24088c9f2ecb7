import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { archive, keepOnly, slimTables } from './odoo.ts';
import { descendants, processes, run, stop } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

/** A Debian with systemd as its first process, in namespaces of its own, and sshd. */
export interface BootedHost extends AsyncDisposable {
  /** An address that only this machine reaches. */
  readonly host: string;
  readonly port: 22;
  readonly user: 'deploy';
  /** Its host key in known_hosts form. */
  readonly knownHosts: string;
  /** Runs a program inside, as root, and returns its standard output. @throws Error when it fails */
  exec(argv: readonly string[], input?: string | NodeJS.ReadableStream): Promise<string>;
}

/**
 * Such a one with PostgreSQL as Debian sets it up, and `odoo.service`, which serves the database and the filestore and
 * does not start when they do not fit.
 */
export interface SystemdHost extends BootedHost {
  /** Its major version. */
  readonly postgresql: 15 | 17;
  readonly database: 'shop';
  /** 0640, belongs to odoo. Names the database and the port, and no data_dir. */
  readonly conf: '/etc/odoo/odoo.conf';
  readonly filestore: string;
  /** Where Odoo's pages are, from here. */
  readonly url: string;
}

const scripts = join(import.meta.dirname, 'systemd-host');

/** Why this account cannot boot a host on this machine; undefined: it can. */
export function whyNoSystemdHost(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can boot a container';
  const namespaces = ['--mount', '--net', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'];
  const { status, stderr, error } = spawnSync('unshare', namespaces, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return `root may not make namespaces and mounts here: ${error?.message ?? stderr.trim()}`;
}

/** The Debian of a host: 12 with PostgreSQL 15, or 13 with 17. */
export type Suite = 'bookworm' | 'trixie';

/** What tells a test where the images are. */
const variable = (suite: Suite): string => `SYSTEMD_HOST_${suite.toUpperCase()}`;

/**
 * Makes what all hosts start from, where it is not there yet; takes minutes then.
 *
 * @returns the environment of the tests
 */
export async function makeSystemdImages(): Promise<Readonly<Record<string, string>>> {
  const images: Record<string, string> = {};
  for (const suite of ['bookworm', 'trixie'] as const) {
    images[variable(suite)] = await makeImage('systemd-host', archive, suite, keepOnly(slimTables));
  }
  return images;
}

/** Runs the script that makes an image of this kind, and returns what it prints. */
export async function makeImage(kind: string, ...args: readonly string[]): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'odoo-backup-action', kind);
  const script = join(import.meta.dirname, kind, 'image.sh');
  const child = spawn('bash', [script, folder, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const printed = await buffer(child.stdout);
  if ((await ended) !== 0) throw new Error(`The image ${kind} could not be made`);
  return printed.toString().trim();
}

export interface SystemdHostOptions {
  /** What sudo allows deploy, as in sudoers(5). */
  readonly sudoers: string;
  /** Default: bookworm. */
  readonly suite?: Suite;
}

/** Boots a fresh host. Lets in the sandbox's client key. */
export async function startSystemdHost(
  { keys }: Pick<Sandbox, 'keys'>,
  { sudoers, suite = 'bookworm' }: SystemdHostOptions,
): Promise<SystemdHost> {
  const layers = process.env[variable(suite)];
  if (!layers) throw new Error('This test needs a systemd host: run npm run test:hosts');
  const booted = await bootHost(keys, { layers, sudoers });
  return {
    ...booted,
    postgresql: suite === 'trixie' ? 17 : 15,
    database: 'shop',
    conf: '/etc/odoo/odoo.conf',
    filestore: '/var/lib/odoo/.local/share/Odoo/filestore/shop',
    url: `http://${booted.host}:8070`,
  };
}

export interface BootOptions extends Pick<SystemdHostOptions, 'sudoers'> {
  /** Layers of its root file system, as for an overlay's `lowerdir`. */
  readonly layers: string;
  /** A folder that it sees as `/images`: then it may run containers. */
  readonly images?: string;
}

/** Boots a Debian from layers that one of the image scripts has made. */
export async function bootHost(
  keys: Sandbox['keys'],
  { layers, sudoers, images = '' }: BootOptions,
): Promise<BootedHost> {
  const { outside, inside: host } = addresses();
  const script = join(scripts, 'boot.sh');
  const boot = spawn('setpriv', ['--pdeathsig', 'TERM', 'bash', script, layers, outside, host, images], {
    cwd: '/',
    detached: true, // Ctrl-C is for us to handle
  });
  const dispose = () => stop(boot);
  try {
    const key = await readFile(`${keys.plain}.pub`, 'utf8');
    boot.stdin.end(`${sudoers.trim()}\n\n${key}`);
    const init = await firstProcess(boot);
    // PostgreSQL's own programs first: Debian's wrappers around them take longer than most questions.
    const programs = [13, 15, 17].map((version) => `/usr/lib/postgresql/${version}/bin:`).join('');
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const enter = [
      'nsenter',
      '--target',
      String(init),
      '--all',
      '--',
      'env',
      '-i',
      `PATH=${programs}${path}`,
      'LC_ALL=C.UTF-8',
    ];
    const exec: SystemdHost['exec'] = (argv, input) => run([...enter, ...argv], { input });
    await booted(exec);
    const hostKey = await exec(['cat', '/etc/ssh/ssh_host_ed25519_key.pub']);
    return {
      host,
      port: 22,
      user: 'deploy',
      knownHosts: `${host} ${hostKey.split(' ').slice(0, 2).join(' ')}\n`,
      exec,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Two addresses of a network of their own, out of those for tests between devices: RFC 2544, C.2.2. */
function addresses(): { outside: string; inside: string } {
  const first = ((198 << 24) | (18 << 16)) + 4 * randomInt(2 ** 15);
  const [outside = '', inside = ''] = [first + 1, first + 2].map((address) =>
    [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.'),
  );
  return { outside, inside };
}

const BOOT_MS = 300_000;

/** Waits for the host's systemd, and returns its process id. */
async function firstProcess(boot: ChildProcessWithoutNullStreams): Promise<number> {
  let log = '';
  for (const stream of [boot.stdout, boot.stderr]) {
    stream.on('data', (chunk) => {
      log += chunk;
    });
  }
  for (const deadline = Date.now() + BOOT_MS; Date.now() < deadline; await sleep(50)) {
    const below = new Set(await descendants(boot.pid));
    const init = (await processes()).find(({ pid, name }) => below.has(pid) && name === 'systemd');
    if (init) return init.pid;
    if (boot.exitCode !== null) break;
  }
  throw new Error(`The host did not boot: ${log.slice(-2000)}`);
}

async function booted(exec: SystemdHost['exec']): Promise<void> {
  const wait = ['systemctl', 'is-system-running', '--wait'];
  // Until systemd listens, there is nothing to wait for.
  const script = `until ${wait.join(' ')} 2>/dev/null; do
      case $(systemctl is-system-running 2>/dev/null) in degraded) break ;; esac; sleep 0.05
    done`;
  const states = await exec(['timeout', String(BOOT_MS / 1000), 'sh', '-c', script]);
  const state = states.trim().split('\n').at(-1);
  if (state !== 'running') throw new Error(`The host is ${state}: ${await exec(['systemctl', '--failed'])}`);
}
