import { createSecretKey, type KeyObject } from 'node:crypto';
import { decrypt, encrypt, hkdf, TAG_LENGTH } from './primitives.ts';

/** Length of a chunk's content in bytes; the last one is shorter or as long. */
export const CHUNK_LENGTH = 64 * 2 ** 10;
export const SEALED_CHUNK_LENGTH = CHUNK_LENGTH + TAG_LENGTH;
/** Length of what stands between header and chunks, in bytes. */
export const NONCE_LENGTH = 16;

/** The STREAM of age: chunks with numbers, the last of which is marked, so that none can be left out, moved or added. */
export class Chunks {
  readonly #key: KeyObject;

  constructor(fileKey: Buffer, nonce: Buffer) {
    this.#key = createSecretKey(hkdf(fileKey, nonce, 'payload'));
  }

  seal(index: number, isLast: boolean, pieces: readonly Buffer[]): Buffer {
    return Buffer.concat(encrypt(this.#key, nonceOf(index, isLast), pieces));
  }

  /** @returns undefined where it is not this chunk of this file */
  open(index: number, isLast: boolean, sealed: Buffer): Buffer | undefined {
    if (sealed.length < TAG_LENGTH || sealed.length > SEALED_CHUNK_LENGTH) return undefined;
    if (sealed.length === TAG_LENGTH && index > 0) return undefined; // an empty chunk is the only one
    return decrypt(this.#key, nonceOf(index, isLast), sealed);
  }
}

function nonceOf(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** The size of a file of age in bytes, by that of its content. */
export function sealedSize(size: number, headerLength: number): number {
  const chunks = Math.max(1, Math.ceil(size / CHUNK_LENGTH));
  return headerLength + NONCE_LENGTH + size + chunks * TAG_LENGTH;
}

/** The size of the content in bytes; undefined where no file of age has this size. */
export function openedSize(size: number, headerLength: number): number | undefined {
  const payload = size - headerLength - NONCE_LENGTH;
  const chunks = Math.max(1, Math.ceil(payload / SEALED_CHUNK_LENGTH));
  const content = payload - chunks * TAG_LENGTH;
  return content >= 0 && sealedSize(content, headerLength) === size ? content : undefined;
}
