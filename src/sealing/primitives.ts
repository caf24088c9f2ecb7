import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject } from 'node:crypto';

/** In bytes. */
export const TAG_LENGTH = 16;
const OPTIONS = { authTagLength: TAG_LENGTH } as const;
const ALGORITHM = 'chacha20-poly1305';

/** Encrypts pieces as one text; the last buffer is the tag. */
export function encrypt(key: Buffer | KeyObject, nonce: Buffer, pieces: readonly Buffer[]): Buffer[] {
  const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS);
  const encrypted = pieces.map((piece) => cipher.update(piece));
  cipher.final();
  return [...encrypted, cipher.getAuthTag()];
}

/** @returns undefined where the tag at the end does not fit: another key, or other bytes */
export function decrypt(key: Buffer | KeyObject, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(ALGORITHM, key, nonce, OPTIONS);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_LENGTH));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_LENGTH));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

export const hkdf = (secret: Buffer, salt: Buffer, info: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, 32));

/** Without padding. */
export const base64Of = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** @throws Error for a text that is not the one that encodes these bytes: padding, bits that are left over, others */
export function fromBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (base64Of(bytes) !== text) throw new Error('its header holds text that is not base64');
  return bytes;
}
