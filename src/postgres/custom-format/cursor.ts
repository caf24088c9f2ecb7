import { quoted } from '../../util/controls.ts';
import { ContentError } from '../../util/errors.ts';

/** Thrown where more bytes are needed than are there. */
export const INCOMPLETE = Symbol('incomplete');

/** The largest magnitude of a C int, which is what all numbers of a dump are. */
const MOST = 2 ** 31;

export function damaged(name: string, what: string, cause?: unknown): ContentError {
  return new ContentError(
    `${quoted(name)} is not a whole dump: ${what}.`,
    'It was cut short when it was made, or changed since. Choose another backup.',
    { cause },
  );
}

/** Reads numbers and texts out of bytes, from the first on. */
export class DumpCursor {
  at: number;
  /** Bytes of a number, without the one of its sign. */
  intSize = 4;
  readonly name: string;
  readonly #bytes: Buffer;

  /** @param name of the dump, for messages */
  constructor(name: string, bytes: Buffer, at: number) {
    this.name = name;
    this.#bytes = bytes;
    this.at = at;
  }

  /** @throws INCOMPLETE at the end of the bytes, as all that is read here does */
  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw INCOMPLETE;
    this.at += 1;
    return byte;
  }

  int(): number {
    const [bytes, sign, size] = [this.#bytes, this.at, this.intSize];
    this.skip(1 + size);
    const isNegative = bytes[sign] !== 0;
    let value = 0;
    for (let i = size; i > 0; i--) value = value * 256 + (bytes[sign + i] ?? 0);
    if (value > MOST) throw damaged(this.name, `it has the number ${value}, and none is larger than ${MOST}`);
    return isNegative ? -value : value;
  }

  /** A character for each byte; undefined: there is no text, which is something else than an empty one. */
  text(): string | undefined {
    const length = this.int();
    if (length < 0) return undefined;
    const from = this.at;
    this.skip(length);
    const text = this.#bytes.toString('latin1', from, this.at);
    if (text.includes('\0')) throw damaged(this.name, 'a text in it holds a NUL byte');
    return text;
  }

  skip(length: number): void {
    if (length > this.#bytes.length - this.at) throw INCOMPLETE;
    this.at += length;
  }
}
