import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { run, Servers } from '../../test/support/processes.ts';
import type { Sandbox } from '../../test/support/sandbox.ts';

/** The line between the runner (and S3 beside it) and the Odoo host, with an sshd at its other end. */
export interface Link extends AsyncDisposable {
  readonly title: string;
  readonly host: string;
  readonly port: number;
  /** In known_hosts form. */
  readonly knownHosts: string;
  /** What has come from the host so far, in bytes; undefined where nobody counts. */
  received(): Promise<number | undefined>;
}

const roundTripMs = 80;
const mbit = 200;
const [here, there] = ['10.213.80.1', '10.213.80.2'];

export function loopback({ ssh }: Sandbox): Link {
  const { host, port, knownHosts } = ssh;
  return {
    title: 'loopback',
    host,
    port,
    knownHosts,
    received: async () => undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Why there can be no long line here; undefined where there can. */
export async function wanObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'it needs root, for a network namespace';
  const programs = run([
    'sh',
    '-c',
    'command -v cc && command -v ip && command -v nsenter && test -e /dev/net/tun',
  ]);
  const found = await programs.then(() => true).catch(() => false);
  return found ? undefined : 'it needs cc, ip, nsenter and /dev/net/tun';
}

/**
 * A line of 80 ms and 200 Mbit/s to a network namespace that holds nothing but an sshd. PostgreSQL is reached from
 * there through its Unix socket, to which namespaces mean nothing; so it may stay where it is.
 */
export async function wan(sandbox: Sandbox): Promise<Link> {
  const { folder, account, ssh } = sandbox;
  const program = join(folder, 'wanlink');
  await run(['cc', '-O2', '-pthread', '-o', program, join(import.meta.dirname, 'wanlink.c')]);
  const servers = new Servers(folder);
  try {
    const line = servers.start('wanlink', [program, here, there, String(roundTripMs / 2), String(mbit)]);
    const up = async () => (await readFile(join(folder, 'wanlink.log'), 'utf8')) === 'up\n';
    await servers.untilReady('wanlink', line, up);
    const config = join(folder, 'ssh', `sshd-${ssh.port}.conf`);
    const sshd = servers.start('sshd-wan', [
      ...['nsenter', `--net=/proc/${line.pid}/ns/net`],
      // nsenter is for root only; changing the account clears what Servers asked the kernel for.
      ...[
        'setpriv',
        '--pdeathsig',
        'TERM',
        `--reuid=${account.uid}`,
        `--regid=${account.gid}`,
        '--init-groups',
      ],
      ...['/usr/sbin/sshd', '-D', '-e', '-f', config, '-o', `ListenAddress=${there}:${ssh.port}`],
    ]);
    await servers.untilReady('sshd-wan', sshd, () => listens(there, ssh.port));
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
  return {
    title: `${roundTripMs} ms, ${mbit} Mbit/s`,
    host: there,
    port: ssh.port,
    knownHosts: ssh.knownHosts.replaceAll(`[${ssh.host}]`, `[${there}]`),
    received: async () => Number(await readFile('/sys/class/net/bench-wan/statistics/rx_bytes', 'utf8')),
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  };
}

async function listens(host: string, port: number): Promise<boolean> {
  const socket = createConnection(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
