import { createHash } from 'node:crypto';
import { InputError, UserError } from '../../util/errors.ts';
import type { Hop } from './errors.ts';
import { type Fingerprint, parseFingerprints } from './fingerprints.ts';
import { type KnownHost, nameOf, parseKnownHosts, typeOf } from './known-hosts.ts';

/** Which host keys to accept, as the inputs give it. With neither, every host is unknown. */
export interface HostKeyTrust {
  /** Text in the form of a known_hosts file: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
  readonly knownHosts?: string;
  /**
   * `SHA256:…` as `ssh-keygen -l` prints it, or `host=SHA256:…`; several separated by white space or commas. A machine
   * that both `knownHosts` and this name must show a key that both have.
   */
  readonly fingerprint?: string;
}

/** An address to connect to. */
type Address = Pick<Hop, 'host' | 'port'>;

/** Host keys that are trusted, and judgement of the one that a machine shows. */
export interface HostKeys {
  /** The types of the keys known for this machine: those to ask it for first, as OpenSSH does. */
  knownTypes(address: Address): readonly string[];
  /** Whether the key is the machine's. Returns the error to refuse it with, or undefined. */
  refusal(address: Address, key: Buffer): UserError | undefined;
}

/** What the inputs have for one machine. */
interface Expected {
  readonly lines: readonly KnownHost[];
  readonly fingerprints: readonly string[];
  /** What the machine's fingerprint looks like in ssh-fingerprint. */
  readonly word: (fingerprint: string) => string;
}

/**
 * @param way the jump hosts, then the host
 * @throws InputError naming every line of known_hosts and every fingerprint that cannot be read, or that does not say
 * which machine of the way it is of
 */
export function hostKeys(trust: HostKeyTrust, way: readonly Address[]): HostKeys {
  const lines = parseKnownHosts(trust.knownHosts ?? '');
  const fingerprints = parseFingerprints(trust.fingerprint ?? '');
  if (way.length > 1) refuseNameless(fingerprints, way);
  const expected = ({ host, port }: Address): Expected => {
    const names = namesOf({ host, port }, way);
    const short = names.at(-1) ?? host;
    return {
      lines: ofFirstName(names, trusted(lines), (line, name) => line.matches(name)),
      fingerprints: ofFirstName(
        names,
        fingerprints,
        (each, name) => each.name === undefined || each.name === name,
      ).map(({ value }) => value),
      word: (fingerprint) => (way.length > 1 ? `${short}=${fingerprint}` : fingerprint),
    };
  };
  return {
    knownTypes: (address) => expected(address).lines.map((line) => line.keyType),
    refusal: (address, key) => {
      const everyName = [nameOf(address.host, address.port), nameOf(address.host, 22)];
      const revoked = lines.find(
        ({ marker, key: each, matches }) =>
          marker === 'revoked' && each.equals(key) && everyName.some(matches),
      );
      if (revoked) return revokedKey(address, key, revoked);
      const authority = lines.find(
        ({ marker, matches }) => marker === 'cert-authority' && everyName.some(matches),
      );
      return unexpectedKey(address, key, expected(address), authority);
    },
  };
}

/** The fingerprint as OpenSSH prints it: `SHA256:` and base64 without padding. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** A jump host's own key must not pass as that of the host behind it. */
function refuseNameless(fingerprints: readonly Fingerprint[], way: readonly Address[]): void {
  const nameless = fingerprints.filter(({ name }) => name === undefined);
  const target = way.at(-1);
  if (nameless.length === 0 || target === undefined) return;
  const named = way.slice(0, -1).flatMap((address) => {
    const names = namesOf(address, way);
    const own = fingerprints.filter(({ name }) => name !== undefined && names.includes(name));
    const values = own.length > 0 ? own.map(({ value }) => value) : ['SHA256:…'];
    return values.map((value) => `${names.at(-1)}=${value}`);
  });
  const targets = nameless.map(({ value }) => `${namesOf(target, way).at(-1)}=${value}`);
  throw new InputError(
    `ssh-fingerprint: ${nameless.map(({ value }) => value).join(' ')} names no host, and with ssh-jump there are ${way.length}`,
    `Write the host before each fingerprint. If it is that of ${target.host}: ssh-fingerprint: ${[...named, ...targets].join(' ')}`,
  );
}

/**
 * The names of a machine, the one that counts most first. As with ssh, what is noted for the plain name is good on any
 * port, unless the way leads through two ports of that name: these are two machines.
 */
function namesOf({ host, port }: Address, way: readonly Address[]): string[] {
  const [exact, plain] = [nameOf(host, port), nameOf(host, 22)];
  const shared = way.some((other) => nameOf(other.host, 22) === plain && other.port !== port);
  return exact === plain || shared ? [exact] : [exact, plain];
}

/** What there is for the first of the names that has anything. */
function ofFirstName<T>(
  names: readonly string[],
  all: readonly T[],
  belongs: (each: T, name: string) => boolean,
): T[] {
  const found = names.map((name) => all.filter((each) => belongs(each, name)));
  return found.find((some) => some.length > 0) ?? [];
}

const trusted = (lines: readonly KnownHost[]): KnownHost[] =>
  lines.filter(({ marker }) => marker === undefined);

function revokedKey({ host, port }: Address, key: Buffer, { line }: KnownHost): UserError {
  return new UserError(
    `The host key of ${host}:${port} (${fingerprintOf(key)}) is marked @revoked in line ${line} of ssh-known-hosts`,
    'This key must not be used any more. Ask whoever runs the host for its new key; there may be someone in between.',
  );
}

/** @returns undefined when everything that the inputs have for the machine has this key, and there is something */
function unexpectedKey(
  { host, port }: Address,
  key: Buffer,
  { lines, fingerprints, word }: Expected,
  authority: KnownHost | undefined,
): UserError | undefined {
  const fingerprint = fingerprintOf(key);
  const noted = lines.find((line) => line.key.equals(key));
  const pinned = fingerprints.includes(fingerprint);
  const known = lines.length === 0 || noted !== undefined;
  if (known && (pinned || (noted !== undefined && fingerprints.length === 0))) return undefined;

  const type = typeOf(key) ?? 'unknown';
  const found = `${type} ${fingerprint}`;
  const compare = `On the host, \`ssh-keygen -lf /etc/ssh/ssh_host_${fileName(type)}_key.pub\` prints its fingerprint.`;
  const add = `${nameOf(host, port)} ${type} ${key.toString('base64')}`;

  const changed = lines.filter((line) => line.keyType === type);
  if (!known && changed.length > 0) {
    const others = changed.map((line) => `line ${line.line} has ${fingerprintOf(line.key)}`).join(', ');
    return new UserError(
      `The host key of ${host}:${port} has CHANGED: it is now ${found}, ssh-known-hosts ${others}`,
      `Someone may be intercepting the connection, or the host was set up anew. ${compare} ` +
        `Only if it is the one above, replace that line of the input ssh-known-hosts by:\n${add}`,
    );
  }
  if (fingerprints.length > 0 && !pinned) {
    const though = noted ? `, though line ${noted.line} of ssh-known-hosts does: both have to agree` : '';
    return new UserError(
      `The host key of ${host}:${port} is ${found}, which ssh-fingerprint does not have (${fingerprints.join(' ')})${though}`,
      `Someone may be intercepting the connection, or the fingerprint is of another of the host's keys. ${compare} ` +
        `Only if it is the one above, put ${word(fingerprint)} into ssh-fingerprint, or leave that input out and put ` +
        `this line into ssh-known-hosts:\n${add}`,
    );
  }
  const why = authority
    ? `ssh-known-hosts has only a @cert-authority for it (line ${authority.line}), and host certificates are not supported`
    : `it is not in ssh-known-hosts${pinned ? ', which has others of this host: both have to agree' : ''}`;
  const either = pinned ? '' : `put ${word(fingerprint)} into ssh-fingerprint, or `;
  return new UserError(
    `The host key of ${host}:${port} is unknown: ${found}; ${why}`,
    `${compare} If it is the one above, ${either}add this line to the input ssh-known-hosts:\n${add}`,
  );
}

/** `ed25519` of `/etc/ssh/ssh_host_ed25519_key.pub`. */
function fileName(type: string): string {
  return type.replace(/^ssh-/, '').replace(/^ecdsa-.*/, 'ecdsa');
}
