import type { TrustedSigners } from '../catalog/signatures.ts';
import type { SigningOptions } from '../catalog/signing-key.ts';
import type { SshAccess } from '../host/ssh/connect.ts';
import { keySigner, type SigningKey } from '../host/ssh/signers.ts';
import { parseAllowedSigners } from '../signing/allowed-signers.ts';
import { type Fields, text, textOrFile } from './fields.ts';
import { keyOrFile } from './ssh.ts';

/**
 * Whose backups count; undefined: anybody's. On GitHub and GitLab, an input that is empty looks like one that is not
 * given: a list that is to be relied on is a file of the repository, which is refused when it is not there, or empty.
 */
export const parseSigners = (fields: Fields): TrustedSigners =>
  fields.optional('trusted-signers', (value) => parseAllowedSigners(textOrFile(value), 'trusted-signers'));

/** The key of `signing-key`, else the one that logs in, else the agent; and whose backups count. */
export function parseSigning(fields: Fields, login: Pick<SshAccess, 'key' | 'agentSocket'>): SigningOptions {
  return { key: parseSigningKey(fields) ?? keyOfLogin(login), signers: parseSigners(fields) };
}

function parseSigningKey(fields: Fields): SigningKey | undefined {
  const pem = fields.optional('signing-key', keyOrFile);
  if (pem === undefined) return undefined;
  const key = { pem, passphrase: fields.optional('ssh-key-passphrase', text) };
  fields.check(() => keySigner(key, 'signing-key'));
  return { kind: 'key', key, input: 'signing-key' };
}

function keyOfLogin({ key, agentSocket }: Pick<SshAccess, 'key' | 'agentSocket'>): SigningKey | undefined {
  if (key) return { kind: 'key', key, input: 'ssh-key' };
  return agentSocket === undefined ? undefined : { kind: 'agent', socket: agentSocket };
}
