import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';

/**
 * What ssh2 can do and does not offer. These functions reach into it, and do nothing where it looks different; without
 * `openSession` and `begin`, which take the place of its `exec`, nothing runs.
 */

/** What one channel may have under way or unread, in bytes. */
const WINDOW = 8 * 1024 * 1024;

/**
 * Raises a channel's window from 2 to 8 MiB. One channel carries at most a window per round trip (RFC 4254, section
 * 5.2): 2 MiB over 80 ms are 26 MB/s, whatever the line could do.
 *
 * ssh2 itself tops up to 2 MiB, and only when less than 1 MiB is left. What is granted here is what the window lacks
 * less what lies unread in the channel: a reader that stops still stops the sender.
 */
export function raiseWindow(channel: Duplex): void {
  const { incoming, outgoing, _client } = channel as Duplex & Partial<Internals>;
  const protocol = _client?._protocol;
  if (!incoming || !outgoing || !protocol) return;

  const grant = () => {
    const due = WINDOW - incoming.window - channel.readableLength;
    if (due < WINDOW / 8 || !isAlive(outgoing.state)) return;
    incoming.window += due;
    protocol.channelWindowAdjust(outgoing.id, due);
  };
  grant();
  channel.on('data', grant);
}

/**
 * Prepares the key of what comes from the host once. ssh2 makes a decipher for each packet of AES-GCM, with the bytes
 * of the key: preparing those again takes Node longer than deciphering the packet.
 */
export function keepKeyPrepared(client: Client): void {
  client.on('handshake', () => {
    const decipher = (client as unknown as Internals['_client'])._protocol?._decipher;
    if (decipher?._decipherSSLName?.endsWith('-gcm') && decipher._decipherKey instanceof Uint8Array) {
      decipher._decipherKey = createSecretKey(decipher._decipherKey);
    }
  });
}

/** What ssh2 offers a server for one channel at first: lib/Channel.js. Its client takes these numbers for granted. */
const [FIRST_WINDOW, PACKET] = [2 * 1024 * 1024, 32 * 1024];

/**
 * Opens a channel for a command, which need not be known yet.
 *
 * @throws ssh2's error where the server refuses it, with its `reason`, or the connection is gone
 */
export async function openSession(client: Client): Promise<ClientChannel> {
  const { _chanMgr: channels, _protocol: protocol } = client as unknown as Internals['_client'];
  if (!channels || !protocol) throw new Error('Not connected');
  const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>();
  const opened = (error: Error | undefined, channel: ClientChannel) =>
    error ? reject(error) : resolve(channel);
  const id = channels.add(Object.assign(opened, { type: 'session' }));
  if (id < 0) throw new Error('No free channels available');
  protocol.session(id, FIRST_WINDOW, PACKET);
  return promise;
}

export const isOpen = (channel: Duplex): boolean =>
  (channel as Duplex & Partial<Internals>).outgoing?.state === 'open';

/**
 * Begins a command in an open channel. Its standard input may be written at once: the server reads one message after
 * the other (RFC 4254, section 6.5).
 *
 * @param refused is called when the server does not begin it
 */
export function begin(channel: ClientChannel, line: string, refused: () => void): void {
  const its = channel as unknown as Internals & { subtype: string; allowHalfOpen: boolean };
  its._callbacks.push((failed) => {
    if (failed) refused();
  });
  its.subtype = 'exec';
  its.allowHalfOpen = true;
  its._client._protocol?.exec(its.outgoing.id, line, true);
}

/** Signals the command (RFC 4254, section 6.9). ssh2's own `signal` does nothing once standard input has ended. */
export function sendSignal(channel: Duplex, name: 'TERM'): void {
  const { outgoing, _client } = channel as Duplex & Partial<Internals>;
  if (outgoing && isAlive(outgoing.state)) _client?._protocol?.signal(outgoing.id, name);
}

/**
 * Has a login sign at once. ssh2 asks first whether the server does logins (RFC 4253, section 10), and then whether it
 * would take the key (RFC 4252, section 7): each takes a round trip. The server reads one message after the other; one
 * that does no logins, or does not take the key, says so all the same. To be called before the login begins, and after
 * `loginAnswers`.
 */
export function signAtOnce(client: Client): void {
  const protocol = (client as unknown as Internals['_client'])._protocol;
  const handlers = protocol?._handlers;
  const { USERAUTH_PK_OK: taken, SERVICE_ACCEPT: accepted } = handlers ?? {};
  const { authPK: ask, service: request } = protocol ?? {};
  if (!protocol || !handlers || !taken || !accepted || !ask || !request) return;
  protocol.authPK = (user, key, algorithm, sign) =>
    sign ? ask.call(protocol, user, key, algorithm, sign) : taken(protocol);
  protocol.service = (name) => {
    request.call(protocol, name);
    accepted(protocol, name);
  };
  handlers.SERVICE_ACCEPT = () => {}; // was taken for granted
}

/** What a server says while it decides on a login. */
export interface LoginAnswers {
  /** How often it has refused. */
  readonly refusals: number;
  /** It took a key, and wants more. */
  readonly partial: boolean;
  /** The ways to log in that its latest refusal names: `publickey`, `password`. */
  readonly methods: readonly string[];
  /** The signature algorithms that it takes (RFC 8308, section 3.1), where it says so. */
  readonly signatures: readonly string[] | undefined;
  /** Makes RSA keys sign with rsa-sha2-512 from here on, where the server has not ruled that out. */
  useSha512(): void;
}

/**
 * Notes what the server says of logins, and hides from ssh2 that it may take RSA keys with SHA-1 signatures: ssh2 makes
 * one where rsa-sha2-256 and rsa-sha2-512 are not named, and where nothing is named at all. To be called before the
 * server's first message is read.
 *
 * @returns what is filled in as the answers come
 */
export function loginAnswers(client: Client): LoginAnswers {
  // ssh2 keeps the first list that it gets, and takes rsa-sha2-256 where that is in it.
  let kept: string[] | undefined;
  const answers: { -readonly [K in keyof LoginAnswers]: LoginAnswers[K] } = {
    refusals: 0,
    partial: false,
    methods: [],
    signatures: undefined,
    useSha512: () => {
      const at = kept?.indexOf('rsa-sha2-256') ?? -1;
      if (at >= 0) kept?.splice(at, 1);
    },
  };
  const handlers = (client as unknown as Internals['_client'])._protocol?._handlers;
  const { EXT_INFO: extensions, SERVICE_ACCEPT: accept, USERAUTH_FAILURE: refuse } = handlers ?? {};
  if (!handlers || !extensions || !accept || !refuse) return answers;

  const tell = (protocol: unknown, algs: string[]) => {
    kept ??= algs;
    extensions(protocol, [{ name: 'server-sig-algs', algs }]);
  };
  handlers.EXT_INFO = (protocol, all) => {
    const named = all.find(({ name }) => name === 'server-sig-algs')?.algs;
    if (!named) return extensions(protocol, all);
    answers.signatures ??= named.map(printable).slice(0, MOST_NAMES);
    tell(
      protocol,
      named.filter((name) => name !== 'ssh-rsa'),
    );
  };
  handlers.SERVICE_ACCEPT = (protocol, service) => {
    tell(protocol, ['rsa-sha2-256', 'rsa-sha2-512']); // for a server that has named none
    accept(protocol, service);
  };
  handlers.USERAUTH_FAILURE = (protocol, methods, partial) => {
    if (partial) answers.partial = true;
    else answers.refusals++;
    answers.methods = methods.map(printable).slice(0, MOST_NAMES);
    refuse(protocol, methods, partial);
  };
  return answers;
}

const MOST_NAMES = 20;
const printable = (name: string): string => name.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 64);

/** `eof`: standard input has ended, and the command goes on. */
const isAlive = (state: Internals['outgoing']['state']): boolean => state === 'open' || state === 'eof';

/** What ssh2's client does with a server's messages: lib/client.js. */
interface Handlers {
  EXT_INFO(protocol: unknown, extensions: readonly ProtocolExtension[]): void;
  SERVICE_ACCEPT(protocol: unknown, service: string): void;
  USERAUTH_PK_OK(protocol: unknown): void;
  USERAUTH_FAILURE(protocol: unknown, methods: readonly string[], partial: boolean): void;
}

interface ProtocolExtension {
  readonly name: string;
  readonly algs?: readonly string[];
}

/** The fields of ssh2 1.17 that are used: lib/Channel.js, lib/protocol/Protocol.js and lib/protocol/crypto.js. */
interface Internals {
  readonly incoming: { window: number };
  readonly outgoing: { readonly id: number; readonly state: 'open' | 'eof' | 'closing' | 'closed' };
  /** For the answers to requests, in their order. */
  readonly _callbacks: ((failed: boolean | Error) => void)[];
  readonly _client: {
    readonly _chanMgr?: { add(opened: (error: Error | undefined, channel: ClientChannel) => void): number };
    readonly _protocol?: {
      authPK?(user: string, key: unknown, algorithm: string | undefined, sign?: unknown): void;
      service?(name: string): void;
      session(channel: number, window: number, packet: number): void;
      exec(channel: number, command: string, wantReply: boolean): void;
      channelWindowAdjust(channel: number, bytes: number): void;
      signal(channel: number, name: string): void;
      readonly _handlers?: Partial<Handlers>;
      readonly _decipher?: { readonly _decipherSSLName?: string; _decipherKey?: Uint8Array | KeyObject };
    };
  };
}
