import { createPrivateKey, type KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import type { ParsedKey } from 'ssh2';
import { messageOf, UserError } from '../../util/errors.ts';
import { bodyOf, privateKeyText } from './private-key-text.ts';

const require = createRequire(import.meta.url);

/** A private key, as the inputs give it. */
export interface PrivateKey {
  /** OpenSSH's own form, or PEM (PKCS#1, SEC 1, PKCS#8). */
  readonly pem: string;
  readonly passphrase?: string;
}

/** @throws UserError that says what is wrong with the key or its passphrase, never showing either */
export function readPrivateKey({ pem, passphrase }: PrivateKey): ParsedKey {
  const text = privateKeyText(pem);
  refuseOthers(text);
  // ssh2 takes an empty passphrase for a given one.
  const parsed = parse(text, passphrase || undefined);
  if (parsed instanceof Error) throw unreadable(parsed, text, passphrase);
  if (!parsed.isPrivateKey()) throw publicKey();
  if ((parsed.type as string) === 'ssh-dss') {
    throw new UserError('ssh-key is a DSA key, which no current sshd takes', NEW_KEY);
  }
  return parsed;
}

const NEW_KEY = 'Make a new one: `ssh-keygen -t ed25519 -N "" -f odoo-backup`.';

/** Refuses files of a known form that hold no key which can log in from a job. */
function refuseOthers(text: string): void {
  if (text.trim() === '') {
    throw new UserError(
      'ssh-key is empty',
      'The secret, the variable of the type "File" or the file on the runner holds nothing: store the private key in it.',
    );
  }
  if (/^((ssh|ecdsa|sk)-[\w@.-]+ +AAAA|---- BEGIN SSH2 PUBLIC KEY)|-BEGIN [A-Z ]*PUBLIC KEY-/.test(text)) {
    throw publicKey();
  }
  // PuTTY's newer form cannot be read; ssh2 reads the older one.
  if (/^PuTTY-User-Key-File-(?!2:)/.test(text)) {
    throw new UserError(
      'ssh-key is in PuTTY’s form',
      'Convert it: `puttygen KEY.ppk -O private-openssh -o KEY`, or in PuTTYgen: Conversions, Export OpenSSH key.',
    );
  }
  if (/sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com/.test(bodyOf(text).toString('latin1'))) {
    throw new UserError(
      'ssh-key belongs to a security key (ed25519-sk or ecdsa-sk), which somebody would have to touch',
      NEW_KEY,
    );
  }
}

function publicKey(): UserError {
  return new UserError('ssh-key is a public key', 'Give the private one: the file without ".pub".');
}

const isPkcs8 = (text: string): boolean => /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(text);

function parse(text: string, passphrase: string | undefined): ParsedKey | Error {
  // Loaded where there is a key: many a command reaches no host.
  const { utils } = require('ssh2') as typeof import('ssh2');
  if (!isPkcs8(text)) return utils.parseKey(text, passphrase);
  try {
    return utils.parseKey(fromPkcs8(createPrivateKey({ key: text, passphrase })));
  } catch (error) {
    return error as Error;
  }
}

class UnknownType extends Error {}

/** The key in a form that ssh2 reads. */
function fromPkcs8(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }) as string;
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }) as string;
    case 'ed25519':
      return opensshEd25519(key);
    default:
      throw new UnknownType(`SSH has no keys of the type ${key.asymmetricKeyType}`);
  }
}

/** OpenSSH's PROTOCOL.key. */
function opensshEd25519(key: KeyObject): string {
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const string = (value: Buffer | string) => Buffer.concat([number(value.length), Buffer.from(value)]);
  const type = string('ssh-ed25519');
  const secret = [
    number(0),
    number(0),
    type,
    string(point),
    string(Buffer.concat([seed, point])),
    string(''),
  ];
  const length = Buffer.concat(secret).length;
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, -length & 7));
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[string('none'), string('none'), string(''), number(1)],
    string(Buffer.concat([type, string(point)])),
    string(Buffer.concat([...secret, padding])),
  ]);
  const lines = body.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}

function unreadable(cause: Error, text: string, passphrase: string | undefined): UserError {
  const encrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(text);
  if (/no passphrase given/.test(cause.message) || (encrypted && !passphrase)) {
    return new UserError('ssh-key is encrypted', 'Give its passphrase in ssh-key-passphrase.', { cause });
  }
  const opens = !/bad passphrase|bad decrypt|integrity check/i.test(cause.message);
  if (passphrase && (encrypted || !opens)) {
    return new UserError(
      'ssh-key-passphrase does not open ssh-key',
      'Check the passphrase: `ssh-keygen -y -f KEY` asks for it and prints the public key when it is right.',
      { cause },
    );
  }
  const whole =
    'It must be the whole file, from "-----BEGIN" to "-----END…-----", with every line break as in the file.';
  if (
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text) &&
    !/-----END [A-Z0-9 ]*PRIVATE KEY-----/.test(text)
  ) {
    return new UserError('ssh-key cannot be read: it is cut, and has no last line', whole, { cause });
  }
  if (!/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|^PuTTY-/.test(text)) {
    const message = 'ssh-key is no private key: it has no line that begins one';
    return new UserError(message, `${whole} A variable that was not filled in looks like this too.`, {
      cause,
    });
  }
  if (cause instanceof UnknownType) return new UserError(`ssh-key cannot be used: ${cause.message}`, NEW_KEY);
  return new UserError(
    `ssh-key cannot be read: ${messageOf(cause)}`,
    `Mostly the secret lost a part. ${whole}`,
    {
      cause,
    },
  );
}
