import { hash } from 'node:crypto';
import { readPublicKey, type VerifyingKey } from './public-key.ts';
import type { Signer } from './signer.ts';
import { WireReader, wireString, wireUint32 } from './wire.ts';

// OpenSSH's PROTOCOL.sshsig: what `ssh-keygen -Y sign` writes and `ssh-keygen -Y verify` reads.

const MAGIC = 'SSHSIG';
const VERSION = 1;
/** Hashes of the message that count. */
const HASHES = ['sha256', 'sha512'] as const;

const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
const ARMORED = new RegExp(`^${BEGIN}\n([A-Za-z0-9+/\n]+={0,2})\n${END}\n?$`);

/** Longer texts are no signature. The one of an RSA key of 16,384 bits has some 6,000 characters. */
export const LONGEST_SIGNATURE = 8192;

/** A signature is not what it should be: the message follows "its signature". */
export class SignatureError extends Error {}

/**
 * Signs a message, as `ssh-keygen -Y sign -n NAMESPACE` does.
 *
 * @throws Error when the signer fails, or what it gives does not count: old agents sign with SHA-1 for RSA
 */
export async function signMessage(signer: Signer, namespace: string, message: string): Promise<string> {
  const data = signedBytes(namespace, 'sha512', message);
  const signature = await signer.sign(data);
  if (!readPublicKey(signer.publicKey).verifies(data, signature))
    throw new Error('its signature does not hold');
  const parts = [signer.publicKey, namespace, '', 'sha512', signature].map(wireString);
  return armored(Buffer.concat([Buffer.from(MAGIC), wireUint32(VERSION), ...parts]));
}

/**
 * Checks a signature, as `ssh-keygen -Y check-novalidate -n NAMESPACE` does.
 *
 * @returns the key that has made it: whether that is to be trusted is another question
 * @throws SignatureError when it is none, of another message or for another namespace
 */
export function checkSignature(text: string, namespace: string, message: string): VerifyingKey {
  const { key, hash, signature, ...found } = readSignature(text);
  if (found.namespace !== namespace) throw new SignatureError('was made for another purpose');
  if (!key.verifies(signedBytes(namespace, hash, message), signature)) {
    throw new SignatureError('does not fit what it says');
  }
  return key;
}

/** The key that has made a signature, if it is one: nothing is checked. @throws SignatureError when it is none */
export const keyOfSignature = (text: string): VerifyingKey => readSignature(text).key;

interface ReadSignature {
  readonly key: VerifyingKey;
  readonly namespace: string;
  readonly hash: (typeof HASHES)[number];
  readonly signature: Buffer;
}

function readSignature(text: string): ReadSignature {
  const base64 = text.length > LONGEST_SIGNATURE ? undefined : ARMORED.exec(text)?.[1]?.replaceAll('\n', '');
  if (base64 === undefined) throw new SignatureError('is none of SSH');
  try {
    const reader = new WireReader(Buffer.from(base64, 'base64'));
    if (reader.take(MAGIC.length).toString('latin1') !== MAGIC) throw new Error('it begins otherwise');
    if (reader.uint32() !== VERSION) throw new Error('its version is unknown');
    const key = readPublicKey(Buffer.from(reader.string()));
    const [namespace, , algorithm, signature] = [
      reader.text(),
      reader.string(),
      reader.text(),
      reader.string(),
    ];
    reader.end();
    const known = HASHES.find((each) => each === algorithm);
    if (known === undefined) throw new Error('its hash is unknown');
    return { key, namespace, hash: known, signature };
  } catch (cause) {
    throw new SignatureError(`cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function signedBytes(namespace: string, algorithm: ReadSignature['hash'], message: string): Buffer {
  const digest = hash(algorithm, message, 'buffer');
  return Buffer.concat([Buffer.from(MAGIC), ...[namespace, '', algorithm, digest].map(wireString)]);
}

function armored(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
}
