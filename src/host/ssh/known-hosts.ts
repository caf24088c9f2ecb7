import { createHmac } from 'node:crypto';
import { sshPatterns } from '../../signing/patterns.ts';
import { InputError } from '../../util/errors.ts';

/** One line of known_hosts. */
export interface KnownHost {
  /** From 1. */
  readonly line: number;
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  readonly matches: (name: string) => boolean;
  readonly keyType: string;
  readonly key: Buffer;
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
  const matches = names.startsWith('|') ? hashedName(names) : sshPatterns(names.toLowerCase());
  if (matches === undefined) return 'the hashed name is not of the form |1|salt|hash';
  const key = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : Buffer.alloc(0);
  if (typeOf(key) !== keyType) return `the key is damaged, or not of type ${keyType}`;
  return { line, marker: marker?.slice(1) as KnownHost['marker'], matches, keyType, key };
}

/** The type that a key blob itself names (RFC 4253, section 6.6: a length and a string come first). */
export function typeOf(key: Buffer): string | undefined {
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

/** The name that known_hosts has for a host: `[host]:port` unless the port is 22. */
export function nameOf(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}
