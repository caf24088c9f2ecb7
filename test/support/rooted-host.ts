import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { descendants, freePorts, run, stop } from './processes.ts';
import { rootedImage } from './rooted-image.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * A host as found in the field, where the tests run as root: one logs in as `deploy`, who may become others through
 * sudo; Odoo is the system user `odoo`; PostgreSQL lets accounts in over its socket as the role of their own name
 * (`local all all peer`). Everything of it lives in namespaces of its own and ends with them.
 */
export interface RootedHost extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Root is let in as well. */
  readonly user: 'deploy';
  /** Its host key in known_hosts form. */
  readonly knownHosts: string;
  readonly database: string;
  /** 0640, belongs to odoo. It names no data_dir. */
  readonly conf: '/etc/odoo/odoo.conf';
  /** 0700, belongs to odoo. */
  readonly filestore: string;
  /**
   * Runs a program inside, as root, and returns its standard output.
   *
   * @param output descriptor of a file that takes the standard output instead
   * @throws Error when it fails
   */
  exec(argv: readonly string[], input?: string | NodeJS.ReadableStream, output?: number): Promise<string>;
}

export interface RootedHostOptions {
  /** What sudo allows, as in sudoers(5). */
  readonly sudoers?: string;
  /** A file system of so many MiB at /tmp, to be filled up. */
  readonly tmpMiB?: number;
  /** Programs that are not installed. */
  readonly without?: readonly string[];
}

/** Starts such a host, with the slim fixture's Odoo on it. Lets in the sandbox's client key. @throws Error unless root */
export async function startRootedHost(
  sandbox: Sandbox,
  { sudoers = 'deploy ALL=(postgres,odoo) NOPASSWD: ALL', tmpMiB, without = [] }: RootedHostOptions = {},
): Promise<RootedHost> {
  if (process.getuid?.() !== 0) throw new Error('A rooted host needs root: it has accounts of its own');
  const host = await bootRootedHost(sandbox, sudoers, await rootedImage(sandbox));
  try {
    for (const program of without) await host.exec(['sh', '-c', HIDE, 'sh', program]);
    if (tmpMiB) await host.exec(['mount', '-o', `remount,size=${tmpMiB}m`, '/tmp']);
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

/** @param image Odoo, its database and its filestore, as a tar archive; undefined: the host has none */
export async function bootRootedHost(
  { keys, postgres }: Pick<Sandbox, 'keys' | 'postgres'>,
  sudoers: string,
  image: string | undefined,
): Promise<RootedHost> {
  const [port = 0] = await freePorts(1);
  const script = join(import.meta.dirname, 'rooted-host.sh');
  const unshare = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const inside = ['bash', script, String(port), postgres.bin, image === undefined ? 'empty' : 'image'];
  const outside = spawn('setpriv', ['--pdeathsig', 'KILL', ...unshare, ...inside], {
    detached: true,
    cwd: '/',
  });
  const dispose = () => stop(outside, 'SIGKILL');
  try {
    const key = await readFile(`${keys.plain}.pub`, 'utf8');
    outside.stdin.on('error', () => {}); // how the host ended tells
    outside.stdin.write(`${sudoers.trim()}\n\n${key}`);
    if (image === undefined) outside.stdin.end();
    else createReadStream(image).pipe(outside.stdin);
    const hostKey = await ready(outside);
    const [first] = await descendants(outside.pid);
    const enter = ['nsenter', '--target', String(first), '--mount', '--pid', '--root', '--wd', '--'];
    return {
      host: '127.0.0.1',
      port,
      user: 'deploy',
      knownHosts: `[127.0.0.1]:${port} ${hostKey}\n`,
      database: 'prod',
      conf: '/etc/odoo/odoo.conf',
      filestore: '/var/lib/odoo/.local/share/Odoo/filestore/prod',
      exec: (argv, input, output) => run([...enter, ...argv], { input, output }),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What is no regular file that may be executed, no shell finds. */
const HIDE = 'while path=$(command -v "$1"); do mount --bind /dev/null "$path"; done';

/** Waits for the script's word, and returns the host key that comes with it. */
async function ready(outside: ChildProcessWithoutNullStreams): Promise<string> {
  let log = '';
  outside.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const lines = createInterface({ input: outside.stdout });
  for await (const line of lines) if (line.startsWith('ready ')) return line.slice('ready '.length);
  throw new Error(`The rooted host did not start: ${log.slice(-2000)}`);
}
