import { createHmac, timingSafeEqual } from 'node:crypto';
import { base64Of, fromBase64, hkdf } from './primitives.ts';

// The header of age-encryption.org/v1, as its specification has it: https://c2sp.org/age

/** What one recipient, or any other way to the file key, has in the header. */
export interface Stanza {
  /** The first one is the type: `X25519`. */
  readonly args: readonly string[];
  readonly body: Buffer;
}

export interface Header {
  readonly stanzas: readonly Stanza[];
  /** All of it, as it is stored. */
  readonly bytes: Buffer;
  /** The part that the MAC is over. */
  readonly authenticated: Buffer;
  readonly mac: Buffer;
}

const VERSION = 'age-encryption.org/v1';
const COLUMNS = 64;
/** Longer headers are refused. One recipient takes 98 bytes, a post-quantum one some 1,700. */
export const LONGEST_HEADER = 64 * 2 ** 10;

export function encodeHeader(stanzas: readonly Stanza[], fileKey: Buffer): Buffer {
  const lines = stanzas.flatMap(({ args, body }) => [`-> ${args.join(' ')}`, ...bodyLines(body)]);
  const text = [VERSION, ...lines, '---'].join('\n');
  return Buffer.from(`${text} ${base64Of(macOf(Buffer.from(text), fileKey))}\n`);
}

/** The last line is shorter than the others, or empty. */
function bodyLines(body: Buffer): string[] {
  const text = base64Of(body);
  return Array.from({ length: Math.floor(text.length / COLUMNS) + 1 }, (_, line) =>
    text.slice(line * COLUMNS, (line + 1) * COLUMNS),
  );
}

/**
 * Reads the header at the beginning of a file.
 *
 * @returns undefined where these bytes end before it does
 * @throws Error that says what is wrong with it
 */
export function readHeader(bytes: Buffer): Header | undefined {
  const start = bytes.subarray(0, LONGEST_HEADER).toString('latin1');
  if (!start.startsWith(`${VERSION}\n`) && !`${VERSION}\n`.startsWith(start)) {
    throw new Error('it is no file of age');
  }
  const footer = start.indexOf('\n--- ');
  const end = footer < 0 ? -1 : start.indexOf('\n', footer + 1);
  if (end < 0) {
    if (bytes.length >= LONGEST_HEADER) throw new Error('its header has no end');
    return undefined;
  }
  const lines = start
    .slice(0, footer + 1)
    .split('\n')
    .slice(1, -1);
  const mac = fromBase64(start.slice(footer + '\n--- '.length, end));
  if (mac.length !== 32) throw new Error('the MAC of its header has another length');
  return {
    stanzas: readStanzas(lines),
    bytes: bytes.subarray(0, end + 1),
    authenticated: bytes.subarray(0, footer + '\n---'.length),
    mac,
  };
}

function readStanzas(lines: readonly string[]): Stanza[] {
  const stanzas: Stanza[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at++] ?? '';
    if (!/^->( [\x21-\x7e]+)+$/.test(line)) throw new Error('its header holds no stanza where one has to be');
    let text = '';
    for (let last = COLUMNS; last === COLUMNS; ) {
      const part = lines[at++];
      if (part === undefined || part.length > COLUMNS) throw new Error('a stanza of its header has no end');
      last = part.length;
      text += part;
    }
    stanzas.push({ args: line.slice('-> '.length).split(' '), body: fromBase64(text) });
  }
  if (stanzas.length === 0) throw new Error('its header has no recipient');
  return stanzas;
}

/** @throws Error when the header is not the one that was written with this file key */
export function assertHeader({ authenticated, mac }: Header, fileKey: Buffer): void {
  if (!timingSafeEqual(macOf(authenticated, fileKey), mac)) throw new Error('its header was changed');
}

const macOf = (text: Buffer, fileKey: Buffer): Buffer =>
  createHmac('sha256', hkdf(fileKey, Buffer.alloc(0), 'header'))
    .update(text)
    .digest();
