import type { SshAccess } from '../host/ssh/connect.ts';
import type { Hop } from '../host/ssh/errors.ts';
import { parseFingerprints } from '../host/ssh/fingerprints.ts';
import { hostKeys } from '../host/ssh/host-keys.ts';
import { parseKnownHosts } from '../host/ssh/known-hosts.ts';
import { type PrivateKey, readPrivateKey } from '../host/ssh/private-key.ts';
import { isEncodedKey, privateKeyText } from '../host/ssh/private-key-text.ts';
import type { Environment } from '../platform/platform.ts';
import type { SshSettings } from './command-line/ssh-config.ts';
import { type Fields, integer, matching, Refusal, text, textOrFile } from './fields.ts';

/** @returns undefined when something is missing or refused */
export function parseSsh(fields: Fields, env: Environment): SshAccess | undefined {
  const target = fields.required('ssh-host', destination, 'is required: the machine that runs Odoo');
  const known = target && fields.askSsh(target.host);
  const named = fields.optional('ssh-user', matching(/^[^@\s-]\S*$/, 'a user name'));
  if (named !== undefined && target?.user !== undefined && named !== target.user) {
    fields.problem(`ssh-user: '${named}' is not the user of ssh-host, '${target.user}'; give one of them`);
  }
  // An ssh-host that was refused may have named the user.
  const lacksUser = target === undefined ? !fields.given('ssh-host') : (target.user ?? known) === undefined;
  if (!fields.given('ssh-user') && lacksUser) {
    fields.problem('ssh-user: is required: the user that logs in on the host');
  }
  const user = named ?? target?.user ?? known?.user;
  const givenPort = fields.required('ssh-port', integer(1, 65535));
  const port = target?.port ?? (fields.isChosen('ssh-port') ? givenPort : (known?.port ?? givenPort));
  if (fields.own('ssh-port') !== '' && givenPort !== undefined && givenPort !== port) {
    fields.problem(`ssh-port: '${givenPort}' is not the port of ssh-host, '${port}'; give one of them`);
  }
  const given = fields.optional('ssh-jump', destinations);
  // Of a jump that an input names, the user is ssh-user, unless ssh's configuration says otherwise.
  const hops = (given ?? known?.jumps.map(destination) ?? []).map((hop) => {
    const of = fields.askSsh(hop.host);
    const found = resolved(hop, of);
    return given && of?.userByDefault ? { ...found, user: hop.user } : found;
  });
  if (known?.byCommand && hops.length === 0) {
    fields.problem(
      'ssh-host: ~/.ssh/config has a ProxyCommand for it, which this program does not run: give ssh-jump',
    );
  }
  const key = parseKey(fields) ?? (known && fields.check(() => keyOf(fields, known)));
  const agentSocket = env.SSH_AUTH_SOCK || undefined;
  if (!fields.given('ssh-key') && key === undefined && agentSocket === undefined) {
    fields.problem('ssh-key: is required: the private key (or start an SSH agent: SSH_AUTH_SOCK)');
  }
  const trust = {
    knownHosts: fields.optional('ssh-known-hosts', knownHosts) ?? ownKnownHosts(fields, known),
    fingerprint: fields.optional('ssh-fingerprint', fingerprints),
  };
  if (
    !fields.given('ssh-known-hosts') &&
    !fields.given('ssh-fingerprint') &&
    trust.knownHosts === undefined
  ) {
    fields.problem(
      "ssh-known-hosts: is required (or ssh-fingerprint): the host's keys, as `ssh-keyscan HOST` prints them",
    );
  }
  if (!target || !user || !port) return undefined;
  const jumps = hops.map((hop) => ({ user: hop.user ?? user, host: hop.host, port: hop.port ?? 22 }));
  const host = known?.hostName ?? target.host;
  fields.check(() => hostKeys(trust, [...jumps, { host, port }]));
  return { host, port, user, key, agentSocket, trust, jumps };
}

/** A destination with what ssh has for it where it does not say so itself. */
function resolved(named: SshDestination, known: SshSettings | undefined): SshDestination {
  if (known === undefined) return named;
  return { host: known.hostName, user: named.user ?? known.user, port: named.port ?? known.port };
}

/** The key that ssh would log in with; undefined where that is a matter of the agent. */
function keyOf(fields: Fields, { keyFile }: SshSettings): PrivateKey | undefined {
  if (fields.given('ssh-key') || keyFile === undefined) return undefined;
  const key = { pem: keyOrFile(keyFile), passphrase: fields.optional('ssh-key-passphrase', text) };
  readPrivateKey(key);
  return key;
}

/** The keys that ssh knows, where no input has any. Lines that this program cannot read are not for it. */
function ownKnownHosts(fields: Fields, known: SshSettings | undefined): string | undefined {
  if (fields.given('ssh-known-hosts') || fields.given('ssh-fingerprint')) return undefined;
  const lines = known?.knownHosts?.split('\n').filter((line) => line.trim() !== '' && isReadable(line)) ?? [];
  return lines.length === 0 ? undefined : `${lines.join('\n')}\n`;
}

function isReadable(line: string): boolean {
  try {
    parseKnownHosts(line);
    return true;
  } catch {
    return false;
  }
}

/** The key that logs in; undefined where it is not given, or is refused. */
export function parseKey(fields: Fields): PrivateKey | undefined {
  const pem = fields.optional('ssh-key', keyOrFile);
  const passphrase = fields.optional('ssh-key-passphrase', text);
  if (pem === undefined) return undefined;
  const key = { pem, passphrase };
  fields.check(() => readPrivateKey(key));
  return key;
}

/** The text of a private key, or the path of its file. */
export const keyOrFile = (value: string): string =>
  isEncodedKey(value) ? privateKeyText(value) : textOrFile(value);

function knownHosts(value: string): string {
  const lines = textOrFile(value);
  parseKnownHosts(lines);
  return lines;
}

function fingerprints(value: string): string {
  parseFingerprints(value);
  return value;
}

/** `user@host:port`, where user and port are optional. */
type SshDestination = Pick<Hop, 'host'> & Partial<Hop>;

/**
 * Reads `[user@]host[:port]`, and `ssh://` before it, as ssh does: an IPv6 address with a port stands in brackets, and
 * a user of a domain has an `@` of its own.
 */
function destination(value: string): SshDestination {
  if (/^(ssh:\/\/)?[^@\s/:]*:[^\s/]*@/i.test(value)) {
    throw new Refusal('holds a password, as in user:password@host: take it out, and log in by ssh-key');
  }
  const [, user, bracketed, name, port] =
    /^(?:([^@\s/:-][^\s/:]*)@)?(?:\[([\w:.%]+)\]|(\w[\w.-]*|[\w:.%]*:[\w:.%]*:[\w:.%]*))(?::(\d+))?$/.exec(
      value.replace(/^ssh:\/\/(.*?)\/?$/i, '$1'),
    ) ?? [];
  const host = bracketed ?? name;
  if (host === undefined) throw new Refusal(`'${value}' is not of the form user@host:port`);
  return { user, host, port: port === undefined ? undefined : integer(1, 65535)(port) };
}

function destinations(value: string): SshDestination[] {
  const list = value.split(/[\s,]+/).filter((each) => each !== '');
  return list.map(destination);
}
