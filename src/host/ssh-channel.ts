import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';

/**
 * What ssh2 can do and does not offer. These functions reach into it, and do nothing where it should look different
 * one day.
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

/** Signals the command (RFC 4254, section 6.9). ssh2's own `signal` does nothing once standard input has ended. */
export function sendSignal(channel: Duplex, name: 'TERM'): void {
  const { outgoing, _client } = channel as Duplex & Partial<Internals>;
  if (outgoing && isAlive(outgoing.state)) _client?._protocol?.signal(outgoing.id, name);
}

/** `eof`: standard input has ended, and the command goes on. */
const isAlive = (state: Internals['outgoing']['state']): boolean => state === 'open' || state === 'eof';

/** Of ssh2 1.17: lib/Channel.js, lib/protocol/Protocol.js and lib/protocol/crypto.js. */
interface Internals {
  readonly incoming: { window: number };
  readonly outgoing: { readonly id: number; readonly state: 'open' | 'eof' | 'closing' | 'closed' };
  readonly _client: {
    readonly _protocol?: {
      channelWindowAdjust(channel: number, bytes: number): void;
      signal(channel: number, name: string): void;
      readonly _decipher?: { readonly _decipherSSLName?: string; _decipherKey?: Uint8Array | KeyObject };
    };
  };
}
