import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPair,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { bech32 } from '@scure/base';
import type { Stanza } from './header.ts';
import { base64Of, decrypt, encrypt, fromBase64, hkdf, TAG_LENGTH } from './primitives.ts';

// The recipients `age1…` and the identities `AGE-SECRET-KEY-1…`.

const newPair = promisify(generateKeyPair);
const agree = promisify(diffieHellman) as (pair: Parameters<typeof diffieHellman>[0]) => Promise<Buffer>;

const TYPE = 'X25519';
const INFO = 'age-encryption.org/v1/X25519';
const FILE_KEY_LENGTH = 16;
/** What stands before the 32 bytes of a key in DER (RFC 8410). */
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
/** A wrapping key is used once. */
const NO_NONCE = Buffer.alloc(12);

/** The length of a stanza in a header, in bytes: `-> X25519 SHARE`, and the wrapped file key. */
export const X25519_STANZA_LENGTH = '-> X25519 '.length + 43 + 1 + 43 + 1;

/** The public half of a key. */
export interface X25519Recipient {
  readonly point: Buffer;
  readonly key: KeyObject;
}

export interface X25519Identity {
  readonly recipient: X25519Recipient;
  readonly key: KeyObject;
}

/** @throws Error when it is none */
export function x25519Recipient(text: string): X25519Recipient {
  return recipientOf(keyBytes(text, 'age'));
}

/** @throws Error when it is none; the error does not repeat it */
export function x25519Identity(text: string): X25519Identity {
  const secret = keyBytes(text, 'AGE-SECRET-KEY-');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' });
  const point = createPublicKey(key as unknown as string)
    .export({ format: 'der', type: 'spki' })
    .subarray(SPKI.length);
  return { key, recipient: recipientOf(point) };
}

const recipientOf = (point: Buffer): X25519Recipient => ({
  point,
  key: createPublicKey({ key: Buffer.concat([SPKI, point]), format: 'der', type: 'spki' }),
});

/** `age1…`, as `age-keygen -y` prints it. */
export const recipientText = ({ point }: X25519Recipient): string => bech32.encodeFromBytes('age', point);

function keyBytes(text: string, prefix: string): Buffer {
  let found: { prefix: string; bytes: Uint8Array };
  try {
    found = bech32.decodeToBytes(text);
  } catch {
    throw new Error('a letter of it is missing or wrong');
  }
  const isKey = found.bytes.length === 32 && found.prefix.toLowerCase() === prefix.toLowerCase();
  const isWritten = text === (prefix === 'age' ? text.toLowerCase() : text.toUpperCase());
  if (!isKey || !isWritten) throw new Error('it is a key of another kind');
  return Buffer.from(found.bytes);
}

/**
 * Wraps a file key for a recipient, with a key of its own that is forgotten at once. The curve's arithmetic is done on
 * libuv's threads: it is most of what sealing a small file takes.
 */
export async function wrap(fileKey: Buffer, { point, key }: X25519Recipient): Promise<Stanza> {
  const { publicKey, privateKey } = await newPair('x25519');
  const share = publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
  const secret = await agree({ privateKey, publicKey: key });
  const wrapping = hkdf(secret, Buffer.concat([share, point]), INFO);
  return { args: [TYPE, base64Of(share)], body: Buffer.concat(encrypt(wrapping, NO_NONCE, [fileKey])) };
}

/**
 * The file key, where one of the stanzas is for this identity; undefined where none is.
 *
 * @throws Error for a stanza that cannot be one
 */
export function unwrap(stanzas: readonly Stanza[], { key, recipient }: X25519Identity): Buffer | undefined {
  for (const { args, body } of stanzas) {
    const [type, text, ...more] = args;
    if (type !== TYPE) continue;
    const share = text === undefined || more.length > 0 ? Buffer.alloc(0) : fromBase64(text);
    if (share.length !== 32 || body.length !== FILE_KEY_LENGTH + TAG_LENGTH) {
      throw new Error('a recipient in its header is no recipient');
    }
    const publicKey = createPublicKey({ key: Buffer.concat([SPKI, share]), format: 'der', type: 'spki' });
    const secret = sharedSecret(key, publicKey);
    const fileKey = decrypt(hkdf(secret, Buffer.concat([share, recipient.point]), INFO), NO_NONCE, body);
    if (fileKey) return fileKey;
  }
  return undefined;
}

/** A point of low order gives a secret that everybody knows: OpenSSL refuses it. */
function sharedSecret(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch (cause) {
    throw new Error('a recipient in its header is no recipient', { cause });
  }
}
