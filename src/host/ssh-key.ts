import ssh2, { type ParsedKey } from 'ssh2';
import { messageOf, UserError } from '../errors.ts';

/** A private key, as the inputs give it. */
export interface PrivateKey {
  /** OpenSSH's own form, or PEM (PKCS#1, SEC 1). */
  readonly pem: string;
  readonly passphrase?: string;
}

/** @throws UserError that says what is wrong with the key or its passphrase, never showing either */
export function readPrivateKey({ pem, passphrase }: PrivateKey): ParsedKey {
  // ssh2 takes an empty passphrase for a given one.
  const parsed = ssh2.utils.parseKey(pem, passphrase || undefined);
  if (parsed instanceof Error) throw unreadable(parsed, pem, passphrase);
  if (!parsed.isPrivateKey()) {
    throw new UserError('ssh-key is a public key', 'Give the private one: the file without ".pub".');
  }
  return parsed;
}

function unreadable(cause: Error, pem: string, passphrase: string | undefined): UserError {
  if (/no passphrase given/.test(cause.message)) {
    return new UserError('ssh-key is encrypted', 'Give its passphrase in ssh-key-passphrase.', { cause });
  }
  if (passphrase && /bad passphrase|bad decrypt|integrity check/i.test(cause.message)) {
    return new UserError(
      'ssh-key-passphrase does not open ssh-key',
      'Check the passphrase: `ssh-keygen -y -f KEY` asks for it and prints the public key when it is right.',
      { cause },
    );
  }
  if (/BEGIN (ENCRYPTED )?PRIVATE KEY/.test(pem)) {
    return new UserError(
      'ssh-key is in PKCS#8 form, which cannot be read here',
      'Convert a copy of it in place: `ssh-keygen -p -f KEY` writes OpenSSH’s form.',
      { cause },
    );
  }
  return new UserError(
    `ssh-key cannot be read: ${messageOf(cause)}`,
    'Mostly the secret lost its line breaks. It must be the whole file, from "-----BEGIN" to "-----END…-----", ' +
      'with every line break as in the file.',
    { cause },
  );
}
