import { createHash, createHmac } from 'node:crypto';
import { InputError, UserError } from '../errors.ts';

/** Which host keys to accept, as the inputs give it. With neither, every host is unknown. */
export interface HostKeyTrust {
  /** Text in the form of a known_hosts file: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
  readonly knownHosts?: string;
  /** `SHA256:…` as `ssh-keygen -l` prints it; several separated by white space. */
  readonly fingerprint?: string;
}

/** One line of known_hosts. */
export interface KnownHost {
  /** From 1. */
  readonly line: number;
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  readonly matches: (name: string) => boolean;
  readonly keyType: string;
  readonly key: Buffer;
}

/** Host keys that are trusted, and judgement of the one that a host shows. */
export interface HostKeys {
  /** The types of the keys known for this host: those to ask it for first, as OpenSSH does. */
  knownTypes(host: string, port: number): readonly string[];
  /** Whether the key is the host's. Returns the error to refuse it with, or undefined. */
  refusal(host: string, port: number, key: Buffer): UserError | undefined;
}

/** @throws InputError naming every line of known_hosts and every fingerprint that cannot be read */
export function hostKeys(trust: HostKeyTrust): HostKeys {
  const lines = parseKnownHosts(trust.knownHosts ?? '');
  const fingerprints = parseFingerprints(trust.fingerprint ?? '');
  return {
    knownTypes: (host, port) => {
      const found = trustedLines(lines, host, port);
      return found.map((line) => line.keyType);
    },
    refusal: (host, port, key) => {
      const names = namesOf(host, port);
      const same = lines.filter((line) => line.key.equals(key) && names.some(line.matches));
      const revoked = same.find((line) => line.marker === 'revoked');
      if (revoked) return revokedKey(host, port, key, revoked);
      if (fingerprints.includes(fingerprintOf(key))) return undefined;
      if (same.some((line) => line.marker === undefined)) return undefined;
      return unexpectedKey(host, port, key, lines, fingerprints);
    },
  };
}

/** The fingerprint as OpenSSH prints it: `SHA256:` and base64 without padding. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** @throws InputError naming every line that cannot be read */
export function parseKnownHosts(text: string): KnownHost[] {
  const problems: string[] = [];
  const hosts = text.split(/\r?\n/).flatMap((raw, index) => {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) return [];
    const parsed = parseLine(content, index + 1);
    if (typeof parsed !== 'string') return [parsed];
    problems.push(`ssh-known-hosts, line ${index + 1}: ${parsed}`);
    return [];
  });
  if (problems.length > 0) {
    throw new InputError(
      problems.join('\n'),
      'Each line is "name key-type key", as `ssh-keyscan HOST` prints it; compare its key with the host’s own first.',
    );
  }
  return hosts;
}

/** One line's content, or what is wrong with it. */
function parseLine(content: string, line: number): KnownHost | string {
  const fields = content.split(/\s+/);
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') {
    return `unknown marker ${marker}`;
  }
  const [names, keyType, base64] = fields;
  if (names === undefined || keyType === undefined || base64 === undefined) {
    return 'expected a name, a key type and a key';
  }
  const matches = names.startsWith('|') ? hashedName(names) : namePatterns(names);
  if (matches === undefined) return 'the hashed name is not of the form |1|salt|hash';
  const key = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : Buffer.alloc(0);
  if (typeOf(key) !== keyType) return `the key is damaged, or not of type ${keyType}`;
  return { line, marker: marker?.slice(1) as KnownHost['marker'], matches, keyType, key };
}

/** The type that a key blob itself names (RFC 4253, section 6.6: a length and a string come first). */
function typeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, keyed by the salt. */
function hashedName(field: string): KnownHost['matches'] | undefined {
  const [, version, salt, hash, ...rest] = field.split('|');
  if (version !== '1' || !salt || !hash || rest.length > 0) return undefined;
  const key = Buffer.from(salt, 'base64');
  return (name) => createHmac('sha1', key).update(name).digest('base64') === hash;
}

/** Patterns separated by commas; a matching one that starts with `!` rules the line out, whatever else matches. */
function namePatterns(field: string): KnownHost['matches'] {
  const patterns = field.toLowerCase().split(',');
  const negated = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => glob(pattern.slice(1)));
  const positive = patterns.filter((pattern) => !pattern.startsWith('!')).map(glob);
  return (name) => positive.some((one) => one.test(name)) && !negated.some((one) => one.test(name));
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.+()|[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

/** @throws InputError for anything but `SHA256:` fingerprints */
export function parseFingerprints(text: string): string[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(word)) return word.replace(/=$/, '');
      throw new InputError(
        `ssh-fingerprint: ${word} is not a SHA256 fingerprint`,
        'It is the word that starts with "SHA256:" in what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host.',
      );
    });
}

/** The name that known_hosts has for a host: `[host]:port` unless the port is 22. */
function nameOf(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** As ssh does, a key noted for the plain name is good on any port of that host. */
function namesOf(host: string, port: number): string[] {
  return [...new Set([nameOf(host, port), nameOf(host, 22)])];
}

function trustedLines(lines: readonly KnownHost[], host: string, port: number): KnownHost[] {
  const trusted = lines.filter((line) => line.marker === undefined);
  const found = namesOf(host, port).map((name) => trusted.filter((line) => line.matches(name)));
  return found.find((some) => some.length > 0) ?? [];
}

function revokedKey(host: string, port: number, key: Buffer, { line }: KnownHost): UserError {
  return new UserError(
    `The host key of ${host}:${port} (${fingerprintOf(key)}) is marked @revoked in line ${line} of ssh-known-hosts`,
    'This key must not be used any more. Ask whoever runs the host for its new key; there may be someone in between.',
  );
}

function unexpectedKey(
  host: string,
  port: number,
  key: Buffer,
  lines: readonly KnownHost[],
  fingerprints: readonly string[],
): UserError {
  const type = typeOf(key) ?? 'unknown';
  const found = `${type} ${fingerprintOf(key)}`;
  const compare = `On the host, \`ssh-keygen -lf /etc/ssh/ssh_host_${fileName(type)}_key.pub\` prints its fingerprint.`;
  const add = `${nameOf(host, port)} ${type} ${key.toString('base64')}`;

  const changed = trustedLines(lines, host, port).filter((line) => line.keyType === type);
  if (changed.length > 0) {
    const known = changed.map((line) => `line ${line.line} has ${fingerprintOf(line.key)}`).join(', ');
    return new UserError(
      `The host key of ${host}:${port} has CHANGED: it is now ${found}, ssh-known-hosts ${known}`,
      `Someone may be intercepting the connection, or the host was set up anew. ${compare} ` +
        `Only if it is the one above, replace that line of the input ssh-known-hosts by:\n${add}`,
    );
  }
  if (fingerprints.length > 0) {
    return new UserError(
      `The host key of ${host}:${port} is ${found}, which ssh-fingerprint does not have (${fingerprints.join(' ')})`,
      `Someone may be intercepting the connection, or the fingerprint is of another of the host's keys. ${compare} ` +
        `Only if it is the one above, put it into ssh-fingerprint, or this line into ssh-known-hosts:\n${add}`,
    );
  }
  const authority = lines.find(
    (line) => line.marker === 'cert-authority' && namesOf(host, port).some(line.matches),
  );
  const why = authority
    ? `ssh-known-hosts has only a @cert-authority for it (line ${authority.line}), and host certificates are not supported`
    : 'it is not in ssh-known-hosts';
  return new UserError(
    `The host key of ${host}:${port} is unknown: ${found}; ${why}`,
    `${compare} If it is the one above, add this line to the input ssh-known-hosts:\n${add}`,
  );
}

/** `ed25519` of `/etc/ssh/ssh_host_ed25519_key.pub`. */
function fileName(type: string): string {
  return type.replace(/^ssh-/, '').replace(/^ecdsa-.*/, 'ecdsa');
}
