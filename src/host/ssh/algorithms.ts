import type { Duplex } from 'node:stream';
import type { CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';

/**
 * What this program speaks, the first one first. No SHA-1 (ssh-rsa, hmac-sha1, diffie-hellman-group14-sha1) and no CBC:
 * every sshd since OpenSSH 7.2 of 2016 has better.
 */
export const algorithms = {
  kex: [
    'curve25519-sha256@libssh.org',
    'curve25519-sha256',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group15-sha512',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group17-sha512',
    'diffie-hellman-group18-sha512',
  ] satisfies KexAlgorithm[],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ] satisfies ServerHostKeyAlgorithm[],
  /** AES-GCM is the fastest here, then AES-CTR and chacha20. */
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ] satisfies CipherAlgorithm[],
  hmac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
  ] satisfies MacAlgorithm[],
} as const;

type Kind = keyof typeof algorithms;

/** All host key algorithms, those for the known types of key first: a host is asked for the key that we know. */
export function hostKeyAlgorithms(knownTypes: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = (algorithm: string) => knownTypes.includes(algorithm.replace(/^rsa-sha2-.*/, 'ssh-rsa'));
  const { serverHostKey } = algorithms;
  return [...serverHostKey.filter(known), ...serverHostKey.filter((algorithm) => !known(algorithm))];
}

/** What a server offers: one list for each kind of algorithm. */
export type Offer = Readonly<Record<Kind, readonly string[]>>;

/** How the kinds are called by people, and by sshd_config. */
const names: Readonly<Record<Kind, readonly [words: string, setting: string]>> = {
  kex: ['key exchange', 'KexAlgorithms'],
  serverHostKey: ['host key', 'HostKeyAlgorithms'],
  cipher: ['cipher', 'Ciphers'],
  hmac: ['MAC', 'MACs'],
};

/** Kinds of algorithms, in the order in which they are agreed on. */
const kinds: readonly Kind[] = ['kex', 'serverHostKey', 'cipher', 'hmac'];

/** Says what a server that cannot be spoken to offers, and what it would need; undefined where that is not why. */
export function algorithmMismatch(
  offer: Offer,
): { readonly what: string; readonly hint: string } | undefined {
  const kind = kinds.find((each) => !algorithms[each].some((name) => offer[each].includes(name)));
  if (kind === undefined) return undefined;
  const [words, setting] = names[kind];
  const offered = offer[kind].slice(0, 10).join(', ') || 'none at all';
  return {
    what: `its sshd offers no ${words} algorithm that is safe to use, only: ${offered}`,
    hint:
      `Update its sshd (OpenSSH 7.2 and newer have what is needed), or allow one of these there (${setting} in ` +
      `sshd_config): ${algorithms[kind].join(', ')}.` +
      (kind === 'serverHostKey' ? ' `ssh-keygen -A` on the host makes the host keys that are missing.' : ''),
  };
}

const MOST_BYTES = 64 * 1024;
const KEXINIT = 20;

/**
 * Reads along what the server says before anything is encrypted: its greeting, and its list of algorithms.
 *
 * @returns what there is of that when it is called: undefined where it is not complete or not of the form
 */
export function offerOf(socket: Duplex): () => Offer | undefined {
  let said = Buffer.alloc(0);
  const read = (chunk: Buffer) => {
    said = Buffer.concat([said, chunk]);
    if (said.length >= MOST_BYTES) socket.off('data', read);
  };
  socket.on('data', read);
  return () => {
    socket.off('data', read);
    return parseOffer(said);
  };
}

/** RFC 4253: lines of text up to one that begins with `SSH-` (section 4.2), then a packet (6) that is KEXINIT (7.1). */
export function parseOffer(said: Buffer): Offer | undefined {
  const [greeting] = /^(?:[^\n]*\n)*?SSH-[^\n]*\n/.exec(said.toString('latin1')) ?? [];
  if (greeting === undefined) return undefined;
  const packet = said.subarray(greeting.length);
  if (packet.length < 6 || packet.length < 4 + packet.readUInt32BE(0) || packet[5] !== KEXINIT)
    return undefined;
  const payload = packet.subarray(6 + 16, 4 + packet.readUInt32BE(0)); // behind the cookie
  const lists: string[][] = [];
  for (let at = 0; lists.length < 6; ) {
    if (at + 4 > payload.length) return undefined;
    const end = at + 4 + payload.readUInt32BE(at);
    if (end > payload.length) return undefined;
    const list = payload.toString('latin1', at + 4, end).split(',');
    lists.push(list.filter((name) => /^[\x21-\x7e]{1,64}$/.test(name)));
    at = end;
  }
  const [kex = [], serverHostKey = [], cipher = [], , hmac = []] = lists;
  return { kex, serverHostKey, cipher, hmac };
}
