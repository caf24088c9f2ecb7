import type { SshAccess } from '../host/ssh/connect.ts';
import type { Hop } from '../host/ssh/errors.ts';
import { parseFingerprints } from '../host/ssh/fingerprints.ts';
import { hostKeys } from '../host/ssh/host-keys.ts';
import { parseKnownHosts } from '../host/ssh/known-hosts.ts';
import { type PrivateKey, readPrivateKey } from '../host/ssh/private-key.ts';
import { isEncodedKey, privateKeyText } from '../host/ssh/private-key-text.ts';
import type { Environment } from '../platform/platform.ts';
import { type Fields, integer, matching, Refusal, text, textOrFile } from './fields.ts';

/** @returns undefined when something is missing or refused */
export function parseSsh(fields: Fields, env: Environment): SshAccess | undefined {
  const target = fields.required('ssh-host', destination, 'is required: the machine that runs Odoo');
  const named = fields.optional('ssh-user', matching(/^[^@\s-]\S*$/, 'a user name'));
  if (named !== undefined && target?.user !== undefined && named !== target.user) {
    fields.problem(`ssh-user: '${named}' is not the user of ssh-host, '${target.user}'; give one of them`);
  }
  // An ssh-host that was refused may have named the user.
  const lacksUser = target === undefined ? !fields.given('ssh-host') : target.user === undefined;
  if (!fields.given('ssh-user') && lacksUser) {
    fields.problem('ssh-user: is required: the user that logs in on the host');
  }
  const user = named ?? target?.user;
  const givenPort = fields.required('ssh-port', integer(1, 65535));
  const port = target?.port ?? givenPort;
  if (fields.own('ssh-port') !== '' && givenPort !== undefined && givenPort !== port) {
    fields.problem(`ssh-port: '${givenPort}' is not the port of ssh-host, '${port}'; give one of them`);
  }
  const hops = fields.optional('ssh-jump', destinations) ?? [];
  const key = parseKey(fields);
  const agentSocket = env.SSH_AUTH_SOCK || undefined;
  if (!fields.given('ssh-key') && agentSocket === undefined) {
    fields.problem('ssh-key: is required: the private key (or start an SSH agent: SSH_AUTH_SOCK)');
  }
  const trust = {
    knownHosts: fields.optional('ssh-known-hosts', knownHosts),
    fingerprint: fields.optional('ssh-fingerprint', fingerprints),
  };
  if (!fields.given('ssh-known-hosts') && !fields.given('ssh-fingerprint')) {
    fields.problem(
      "ssh-known-hosts: is required (or ssh-fingerprint): the host's keys, as `ssh-keyscan HOST` prints them",
    );
  }
  if (!target || !user || !port) return undefined;
  const jumps = hops.map((hop) => ({ user: hop.user ?? user, host: hop.host, port: hop.port ?? 22 }));
  fields.check(() => hostKeys(trust, [...jumps, { host: target.host, port }]));
  return { host: target.host, port, user, key, agentSocket, trust, jumps };
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
