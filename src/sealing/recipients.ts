import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Encrypter } from 'age-encryption';
import { encodeHeader, readHeader } from './header.ts';
import { TAG_LENGTH } from './primitives.ts';
import { wrap, x25519Recipient } from './x25519.ts';

const require = createRequire(import.meta.url);

/** A header for some recipients, and the key that it hides. A file key is of one file. */
export interface SealedKey {
  readonly header: Buffer;
  readonly fileKey: Buffer;
}

/** Whoever can open what is sealed. */
export interface Recipients {
  /** As they were given. */
  readonly names: readonly string[];
  /** The length of every header for them, in bytes. */
  readonly headerLength: number;
  /** A new file key. */
  newKey(): Promise<SealedKey>;
}

/**
 * Reads recipients: `age1…`; also the post-quantum `age1pq1…`, and what else the package age-encryption takes, which are
 * slower: a header takes three times as long.
 *
 * @throws Error that names the one that cannot be read
 */
export async function readRecipients(names: readonly string[]): Promise<Recipients> {
  if (names.length === 0) throw new Error('there is no recipient');
  const newKey = names.every(isX25519) ? newX25519Key(names) : newPackageKey(names);
  const { header } = await newKey();
  return { names, headerLength: header.length, newKey };
}

/** @throws Error when it is no recipient */
export function assertRecipient(name: string): void {
  if (isX25519(name)) x25519Recipient(name);
  else newEncrypter().addRecipient(name);
}

/** The package is loaded when it is used, which is seldom: that takes as long as half of the inputs do. */
function newEncrypter(): Encrypter {
  const { Encrypter } = require('age-encryption') as typeof import('age-encryption');
  return new Encrypter();
}

/** In those of other types, `1` or another letter follows a longer prefix. */
const isX25519 = (name: string): boolean => /^age1[02-9ac-hj-np-z]{58}$/.test(name);

function newX25519Key(names: readonly string[]): Recipients['newKey'] {
  const recipients = names.map((name) => named(name, () => x25519Recipient(name)));
  return madeAhead(async () => {
    const fileKey = randomBytes(16);
    const stanzas = await Promise.all(recipients.map((recipient) => wrap(fileKey, recipient)));
    return { header: encodeHeader(stanzas, fileKey), fileKey };
  });
}

/** Keys that are made before they are asked for. */
const AHEAD = 16;

/** Files are sealed one after the other: their keys, which do not depend on them, are made beside that. */
function madeAhead(make: Recipients['newKey']): Recipients['newKey'] {
  const coming: Promise<SealedKey>[] = [];
  return async () => {
    while (coming.length <= AHEAD) {
      const key = make();
      key.catch(() => {}); // thrown where it is awaited
      coming.push(key);
    }
    return await (coming.shift() as Promise<SealedKey>);
  };
}

/** The package seals an empty text: its header is what counts, and the key is told to a recipient without a stanza. */
function newPackageKey(names: readonly string[]): Recipients['newKey'] {
  for (const name of names) named(name, () => assertRecipient(name));
  return async () => {
    const encrypter = newEncrypter();
    let fileKey = Buffer.alloc(0);
    for (const name of names) encrypter.addRecipient(name);
    encrypter.addRecipient({
      wrapFileKey(key) {
        fileKey = Buffer.from(key);
        return [];
      },
    });
    const sealed = Buffer.from(await encrypter.encrypt(new Uint8Array(0)));
    const header = readHeader(sealed)?.bytes;
    if (!header || sealed.length !== header.length + 16 + TAG_LENGTH)
      throw new Error('age-encryption writes another form');
    return { header, fileKey };
  };
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${name} is no recipient of age: ${(cause as Error).message}`, { cause });
  }
}
