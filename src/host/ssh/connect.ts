import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type AnyAuthMethod, type Client, type ClientErrorExtensions } from 'ssh2';
import { UserError } from '../../util/errors.ts';
import type { Host } from '../host.ts';
import { algorithms, hostKeyAlgorithms, offerOf } from './algorithms.ts';
import { connectError, type Hop, mismatchError, PassingError, timedOut } from './errors.ts';
import { type HostKeys, type HostKeyTrust, hostKeys } from './host-keys.ts';
import { type Login, loginError, loginMethods } from './login.ts';
import { type PrivateKey, readPrivateKey } from './private-key.ts';
import { ProbedHost } from './probed-host.ts';
import { type Link, SshHost } from './ssh-host.ts';
import { keepKeyPrepared, loginAnswers, raiseWindow, signAtOnce } from './ssh2-internals.ts';

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

/** How to reach a host: where, with which key or agent, and which host keys to trust. */
export type SshAccess = Pick<
  SshOptions,
  'user' | 'host' | 'port' | 'key' | 'agentSocket' | 'trust' | 'jumps'
>;

const SILENCE_MS = 40_000;

/** Waits before the second attempt, the third, the fourth. */
const BACKOFF_MS = [1000, 3000, 9000];

/** How to log in to any of the hops, and which of their keys to trust. */
interface Credentials {
  readonly login: Login;
  readonly keys: HostKeys;
  /** As SshOptions has it. */
  readonly silenceMs: number;
}

/**
 * Logs in to the host. A failure that may pass (refused, reset, no answer, name server) is tried again, up to three
 * times; a refused login or host key is not. Whether the account runs commands is found out with the first of them.
 *
 * @throws InputError for host keys that cannot be read, before anything is sent
 * @throws UserError when the key cannot be used, or when connecting fails
 * @throws the signal's reason when that is aborted
 */
export async function connect(options: SshOptions, signal?: AbortSignal): Promise<Host> {
  const { silenceMs = SILENCE_MS } = options;
  const credentials = {
    login: loginOf(options),
    keys: hostKeys(options.trust, [...options.jumps, options]),
    silenceMs,
  };
  for (const waits = [...BACKOFF_MS]; ; ) {
    try {
      const links = await openChain(options, credentials, signal);
      return new ProbedHost(new SshHost(links, silenceMs), options.connectTimeoutMs, signal);
    } catch (error) {
      const wait = waits.shift();
      if (!(error instanceof PassingError) || wait === undefined) throw error;
      options.onRetry?.(`${error.message}; trying again in ${wait / 1000} s`);
      await sleep(wait, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

function loginOf({ key, agentSocket }: SshOptions): Credentials['login'] {
  if (key) return { kind: 'key', key: readPrivateKey(key) };
  if (agentSocket) return { kind: 'agent', socket: agentSocket };
  throw new UserError(
    'There is no key to log in with',
    'Give a private key in ssh-key, or start an SSH agent before this step (SSH_AUTH_SOCK).',
  );
}

/** One attempt: TCP to the first hop, SSH to it, a tunnel from it to the next one, SSH to that, and so on. */
async function openChain(
  options: SshOptions,
  credentials: Credentials,
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
      const client = await handshake(socket, hop, credentials, signal);
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
  hop: Hop,
  { login, keys, silenceMs }: Credentials,
  signal: AbortSignal,
): Promise<Client> {
  const loggingIn = loginMethods(login, hop.user);
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    keepKeyPrepared(client);
    let refusal: UserError | undefined;
    let encrypted = false;
    const toTry = [loggingIn.first, loggingIn.again];
    const offer = offerOf(socket);
    const failure = (error: Error & ClientErrorExtensions): Error => {
      if (refusal) return refusal;
      if (!encrypted) return mismatchError(hop, offer()) ?? error;
      // A number is the reason of the server's own goodbye: RFC 4253, section 11.1.
      const cut = typeof (error as { code?: unknown }).code === 'number';
      if (!cut && error.level !== 'client-authentication') return error;
      return loginError(error, hop, loggingIn, { answers, cut });
    };
    client.once('handshake', () => {
      encrypted = true;
      offer();
    });
    // Only the first of several errors counts. The listener stays: without one, later errors would be thrown.
    client.on('error', (error) => reject(failure(error)));
    client.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    client.once('ready', () => resolve(client));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    client.connect({
      sock: socket as Readable,
      authHandler: (_methods, _partial, next) => {
        const method = toTry.shift() ?? false;
        if (method && toTry.length === 0) answers.useSha512();
        next(method as AnyAuthMethod); // ssh2 takes false for the end; its types do not say so
      },
      username: hop.user,
      hostVerifier: (key: Buffer) => {
        refusal = keys.refusal(hop, key);
        return refusal === undefined;
      },
      algorithms: { ...algorithms, serverHostKey: hostKeyAlgorithms(keys.knownTypes(hop)) },
      readyTimeout: 0, // `signal` is the limit
      // ssh2 asks for signs of life; SshHost watches whether they come.
      keepaliveInterval: silenceMs / 4,
      keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    });
    const answers = loginAnswers(client);
    // An agent holds several keys, and may ask somebody before it signs. Of RSA keys, there are two ways to sign.
    if (login.kind === 'key' && login.key.type !== 'ssh-rsa') signAtOnce(client);
  });
}
