import { once } from 'node:events';
import { chown, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { type Account, freePorts, run, Servers } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

/** An sshd that lets one account in, by key. */
export interface SshServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: string;
  readonly hostKeys: HostKeys;
  /** Its host keys in known_hosts form: `[127.0.0.1]:port type key`, one a line. */
  readonly knownHosts: string;
  /** TMPDIR of everything that runs over it, and of nothing else. */
  readonly tmp: string;
  readonly pid: number;
}

export interface HostKeys {
  /** Paths of the private keys: ed25519, ecdsa, rsa. */
  readonly paths: readonly string[];
  /** `type key` of each, as known_hosts and authorized_keys have it. */
  readonly publicKeys: readonly string[];
  /** `SHA256:…` of each. */
  readonly fingerprints: readonly string[];
}

/** The client's keys. The servers let in the first two. */
export interface ClientKeys {
  /** Path of a private key without passphrase. */
  readonly plain: string;
  /** Path of a private key with one. */
  readonly encrypted: string;
  readonly passphrase: string;
  /** Path of a private key that no server lets in. */
  readonly unknown: string;
}

/** Makes the client's keys in `folder`, and its `authorized_keys` for the servers. */
export async function createClientKeys(folder: string, account: Account): Promise<ClientKeys> {
  const passphrase = 'correct horse battery staple';
  const [plain, encrypted, unknown] = await Promise.all([
    createKey(join(folder, 'client'), 'ed25519', account),
    createKey(join(folder, 'client-encrypted'), 'ed25519', account, passphrase),
    createKey(join(folder, 'client-unknown'), 'ed25519', account),
  ]);
  const authorized = await Promise.all([plain, encrypted].map((path) => readFile(`${path}.pub`, 'utf8')));
  await writeFile(join(folder, 'authorized_keys'), authorized.join(''));
  return { plain, encrypted, passphrase, unknown };
}

/** Makes a server's keys: `<folder>/<name>-<type>`. */
export async function createHostKeys(folder: string, name: string, account: Account): Promise<HostKeys> {
  const types = ['ed25519', 'ecdsa', 'rsa'];
  const paths = await Promise.all(
    types.map((type) => createKey(join(folder, `${name}-${type}`), type, account)),
  );
  const publicKeys = await Promise.all(paths.map((path) => readFile(`${path}.pub`, 'utf8')));
  const fingerprints = await Promise.all(paths.map((path) => run(['ssh-keygen', '-l', '-f', `${path}.pub`])));
  return {
    paths,
    publicKeys: publicKeys.map((line) => line.split(' ').slice(0, 2).join(' ')),
    fingerprints: fingerprints.map((line) => line.split(' ')[1] ?? ''),
  };
}

async function createKey(path: string, type: string, account: Account, passphrase = ''): Promise<string> {
  const bits = type === 'rsa' ? ['-b', '2048'] : []; // the default takes a second of work
  await run(['ssh-keygen', '-q', '-t', type, ...bits, '-N', passphrase, '-C', 'sandbox', '-f', path], {
    as: account,
  });
  return path;
}

interface SshdOptions {
  readonly account: Account;
  readonly hostKeys: HostKeys;
  /** What its sessions get besides TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
  /** Lines of sshd_config that go before all others, and so count. */
  readonly settings?: string;
}

/** Starts an sshd with the `authorized_keys` in `folder`. */
export async function startSshd(
  servers: Servers,
  folder: string,
  { account, hostKeys, env, settings = '' }: SshdOptions,
): Promise<SshServer> {
  const [port = 0] = await freePorts(1);
  const name = `sshd-${port}`;
  const tmp = await mkdtemp(join(folder, 'tmp-'));
  await chown(tmp, account.uid, account.gid);
  const config = join(folder, `${name}.conf`);
  await writeFile(
    config,
    `${settings}
ListenAddress 127.0.0.1:${port}
${hostKeys.paths.map((path) => `HostKey ${path}`).join('\n')}
AuthorizedKeysFile ${join(folder, 'authorized_keys')}
AllowUsers ${account.name}
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitUserRC no
PidFile none
LogLevel VERBOSE
SetEnv ${Object.entries({ ...env, TMPDIR: tmp })
      .map((each) => each.join('='))
      .join(' ')}
`,
  );
  const sshd = servers.start(name, ['/usr/sbin/sshd', '-D', '-e', '-f', config], { as: account });
  await servers.untilReady(name, sshd, () => greets(port));
  const knownHosts = hostKeys.publicKeys.map((key) => `[127.0.0.1]:${port} ${key}\n`).join('');
  return { host: '127.0.0.1', port, user: account.name, hostKeys, knownHosts, tmp, pid: sshd.pid ?? 0 };
}

async function greets(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    const [greeting] = await once(socket, 'data');
    return String(greeting).startsWith('SSH-2.0');
  } finally {
    socket.destroy();
  }
}

/**
 * An sshd of one test's own (with the sandbox's keys), so that the test can tell what it left behind.
 * @param env of everything that runs over it
 * @param settings lines of sshd_config that count more than the sandbox's
 */
export async function startOwnSshd(
  { folder, account, ssh }: Sandbox,
  env: Readonly<Record<string, string>> = {},
  settings = '',
): Promise<SshServer & AsyncDisposable> {
  const servers = new Servers(folder);
  const server = await startSshd(servers, join(folder, 'ssh'), {
    account,
    hostKeys: ssh.hostKeys,
    env,
    settings,
  });
  return { ...server, [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose]() };
}

/** An ssh-agent(1) that holds these keys (without passphrase). `socket` is for SSH_AUTH_SOCK. */
export async function startAgent(
  { folder }: Sandbox,
  ...keys: readonly string[]
): Promise<AsyncDisposable & { socket: string }> {
  const servers = new Servers(folder);
  const socket = join(await mkdtemp(join(folder, 'agent-')), 'socket');
  const agent = servers.start('ssh-agent', ['ssh-agent', '-D', '-a', socket]);
  const env = { SSH_AUTH_SOCK: socket };
  const answers = () => run(['ssh-add', '-q', '-D'], { env });
  await servers.untilReady('ssh-agent', agent, async () => (await answers()) === '');
  for (const key of keys) await run(['ssh-add', '-q', key], { env });
  return { socket, [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose]() };
}
