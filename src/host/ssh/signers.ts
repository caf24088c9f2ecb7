import type { ParsedKey } from 'ssh2';
import { readPublicKey } from '../../signing/public-key.ts';
import type { Signer } from '../../signing/signer.ts';
import { WireReader, wireString } from '../../signing/wire.ts';
import { messageOf, UserError } from '../../util/errors.ts';
import { ListedAgent } from './login.ts';
import { type PrivateKey, readPrivateKey } from './private-key.ts';

/** Where a key that signs is. */
export type SigningKey =
  /** The input is the one that gave it, for messages. */
  | { readonly kind: 'key'; readonly key: PrivateKey; readonly input: string }
  /** The path of an agent's socket. */
  | { readonly kind: 'agent'; readonly socket: string };

/** @throws UserError when the key cannot be used, or the agent has none */
export async function openSigner(where: SigningKey): Promise<Signer> {
  return where.kind === 'key' ? keySigner(where.key, where.input) : await agentSigner(where.socket);
}

/**
 * A private key that signs.
 *
 * @param input that gave the key, for messages
 * @throws UserError that says what is wrong with the key or its passphrase, never showing either
 */
export function keySigner(key: PrivateKey, input: string): Signer {
  const parsed = readNamed(key, input);
  const publicKey = parsed.getPublicSSH();
  assertSigns(publicKey, input);
  return {
    publicKey,
    async sign(data) {
      const raw: Buffer | Error = parsed.sign(data, isRsa(parsed) ? 'sha512' : undefined);
      if (raw instanceof Error) throw raw;
      return signature(parsed, parsed.type.startsWith('ecdsa-') ? fromDer(raw) : raw);
    },
  };
}

/**
 * The first key of an SSH agent that can sign without somebody touching a device.
 *
 * @throws UserError when the agent does not answer, or has none
 */
export async function agentSigner(socket: string): Promise<Signer> {
  const agent = new ListedAgent(socket);
  const keys = await new Promise<readonly ParsedKey[]>((resolve, reject) => {
    agent.getIdentities((error, found) => (error ? reject(noAgent(error)) : resolve(found ?? [])));
  });
  const key = keys.find((each) => canSign(each.getPublicSSH()));
  if (!key) {
    throw new UserError(
      'The SSH agent holds no key that can sign',
      'Add one that is not bound to a device (`ssh-add -l` lists them): ed25519, ECDSA or RSA; or give signing-key.',
    );
  }
  return {
    publicKey: key.getPublicSSH(),
    sign: (data) =>
      new Promise((resolve, reject) => {
        agent.sign(key, data, { hash: 'sha512' }, (error, raw) => {
          if (error || !raw) reject(error ?? new Error('the agent gave nothing'));
          else resolve(signature(key, raw));
        });
      }),
  };
}

/** Its errors speak of ssh-key, which is one of the inputs that give a key. */
function readNamed(key: PrivateKey, input: string): ParsedKey {
  try {
    return readPrivateKey(key);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message.replaceAll(/\bssh-key(?!-)/g, input), error.hint, {
      cause: error.cause,
    });
  }
}

const isRsa = ({ type }: ParsedKey): boolean => type === 'ssh-rsa';

/** The signature in SSH's form. */
const signature = (key: ParsedKey, raw: Buffer): Buffer =>
  Buffer.concat([isRsa(key) ? 'rsa-sha2-512' : key.type, raw].map(wireString));

/** The two numbers of an ECDSA signature: a SEQUENCE of INTEGERs, whose bytes SSH writes alike. */
function fromDer(der: Buffer): Buffer {
  const reader = new WireReader(der);
  reader.take(der[1] === 0x81 ? 3 : 2);
  const integer = () => wireString(reader.take(reader.take(2).readUInt8(1)));
  return Buffer.concat([integer(), integer()]);
}

function canSign(publicKey: Buffer): boolean {
  try {
    readPublicKey(publicKey);
    return true;
  } catch {
    return false;
  }
}

function assertSigns(publicKey: Buffer, input: string): void {
  try {
    readPublicKey(publicKey);
  } catch (cause) {
    throw new UserError(
      `${input} cannot sign backups: ${messageOf(cause)}`,
      'Give another one in signing-key: `ssh-keygen -t ed25519 -N "" -f odoo-backup-signing`.',
      { cause },
    );
  }
}

const noAgent = (cause: unknown): UserError =>
  new UserError(
    `The SSH agent does not answer: ${messageOf(cause)}`,
    'Check SSH_AUTH_SOCK (`ssh-add -l` asks it), or give signing-key.',
    { cause },
  );
