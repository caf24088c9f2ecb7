import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type AnyAuthMethod, type Client, type ParsedKey, type ServerHostKeyAlgorithm } from 'ssh2';
import { UserError } from '../errors.ts';
import type { Host } from './host.ts';
import { type HostKeys, type HostKeyTrust, hostKeys } from './host-keys.ts';
import { keepKeyPrepared, raiseWindow } from './ssh-channel.ts';
import { connectError, type Hop, PassingError, timedOut } from './ssh-errors.ts';
import { type Link, SshHost } from './ssh-host.ts';
import { type PrivateKey, readPrivateKey } from './ssh-key.ts';

export interface SshOptions extends Hop {
  /** Goes before the agent. */
  readonly key?: PrivateKey;
  /** Path of an agent's socket: the value of SSH_AUTH_SOCK. */
  readonly agentSocket?: string;
  readonly trust: HostKeyTrust;
  /** Hosts to go through, the first one first. The same key or agent logs in to each of them. */
  readonly jumps: readonly Hop[];
  /** The time limit of one attempt to connect, jump hosts included. */
  readonly connectTimeoutMs: number;
  /** The connection is lost when nothing has come from the host for this long. Default 40 s. */
  readonly silenceMs?: number;
  /** Told before each new attempt, with what went wrong and how long the wait is. */
  readonly onRetry?: (message: string) => void;
}

const SILENCE_MS = 40_000;

/** Waits before the second attempt, the third, the fourth. */
const BACKOFF_MS = [1000, 3000, 9000];

/** In ssh2's order. */
const HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
];

/** How to log in to any of the hops, and which of their keys to trust. */
interface Credentials {
  readonly login: ParsedKey | AgentSocket;
  readonly keys: HostKeys;
}

type AgentSocket = string;

/**
 * Logs in to the host. What may pass (refused, reset, no answer, name server) is tried again, up to three times;
 * a refused login or host key is not.
 *
 * @throws InputError for host keys that cannot be read, before anything is sent
 * @throws UserError when the key cannot be used, or when connecting fails
 * @throws the signal's reason when that is aborted
 */
export async function connect(options: SshOptions, signal?: AbortSignal): Promise<Host> {
  const credentials = {
    login: loginOf(options),
    keys: hostKeys(options.trust, [...options.jumps, options]),
  };
  const { silenceMs = SILENCE_MS } = options;
  for (const waits = [...BACKOFF_MS]; ; ) {
    try {
      return new SshHost(await openChain(options, credentials, silenceMs, signal), silenceMs);
    } catch (error) {
      const wait = waits.shift();
      if (!(error instanceof PassingError) || wait === undefined) throw error;
      options.onRetry?.(`${error.message}; trying again in ${wait / 1000} s`);
      await sleep(wait, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

function loginOf({ key, agentSocket }: SshOptions): Credentials['login'] {
  if (key) return readPrivateKey(key);
  if (agentSocket) return agentSocket;
  throw new UserError(
    'There is no key to log in with',
    'Give a private key in ssh-key, or start an SSH agent before this step (SSH_AUTH_SOCK).',
  );
}

/** One attempt: TCP to the first hop, SSH to it, a tunnel from it to the next one, SSH to that, and so on. */
async function openChain(
  options: SshOptions,
  credentials: Credentials,
  silenceMs: number,
  cancel: AbortSignal | undefined,
): Promise<Link[]> {
  cancel?.throwIfAborted();
  const limit = AbortSignal.timeout(options.connectTimeoutMs);
  const signal = cancel ? AbortSignal.any([cancel, limit]) : limit;
  const links: Link[] = [];
  for (const hop of [...options.jumps, options]) {
    const previous = links.at(-1);
    let socket: Duplex | undefined;
    try {
      socket = await (previous ? tunnel(previous.client, hop, signal) : dial(hop, signal));
      const client = await handshake(socket, hop, credentials, silenceMs, signal);
      links.push({ hop, socket, client });
    } catch (error) {
      socket?.destroy();
      for (const link of links.reverse()) link.socket.destroy();
      cancel?.throwIfAborted();
      throw limit.aborted ? timedOut(hop, options.connectTimeoutMs) : connectError(error, hop, previous?.hop);
    }
  }
  return links;
}

async function dial({ host, port }: Hop, signal: AbortSignal): Promise<Duplex> {
  const socket = connectTcp({ host, port, noDelay: true });
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function tunnel(through: Client, { host, port }: Hop, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    through.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      if (error) return reject(error);
      raiseWindow(channel);
      resolve(channel.pause()); // until ssh2 reads from it
    });
  });
}

/** SSH's own part of connecting: key exchange, host key, login. */
function handshake(
  socket: Duplex,
  { user: username, host, port }: Hop,
  { login, keys }: Credentials,
  silenceMs: number,
  signal: AbortSignal,
): Promise<Client> {
  const method: AnyAuthMethod =
    typeof login === 'string'
      ? { type: 'agent', username, agent: login }
      : { type: 'publickey', username, key: login };
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    keepKeyPrepared(client);
    let refusal: UserError | undefined;
    // Of several errors the first one counts. The listener stays for good: without one, errors would be thrown.
    client.on('error', (error) => reject(refusal ?? error));
    client.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    client.once('ready', () => resolve(client));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    client.connect({
      sock: socket as Readable,
      authHandler: [method],
      username,
      hostVerifier: (key: Buffer) => {
        refusal = keys.refusal({ host, port }, key);
        return refusal === undefined;
      },
      // Ciphers stay as ssh2 orders them: AES-GCM, the fastest here, then AES-CTR and chacha20.
      algorithms: { serverHostKey: preferring(keys.knownTypes({ host, port })) },
      readyTimeout: 0, // `signal` is the limit
      // ssh2 asks for signs of life; SshHost watches whether they come.
      keepaliveInterval: silenceMs / 4,
      keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    });
  });
}

/** All algorithms, those for the known types of key first: a host is asked for the key that we know. */
function preferring(knownTypes: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = (algorithm: string) => knownTypes.includes(algorithm.replace(/^rsa-sha2-.*/, 'ssh-rsa'));
  return [
    ...HOST_KEY_ALGORITHMS.filter(known),
    ...HOST_KEY_ALGORITHMS.filter((algorithm) => !known(algorithm)),
  ];
}
