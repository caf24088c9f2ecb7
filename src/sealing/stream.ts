import { randomBytes } from 'node:crypto';
import { quoted } from '../util/controls.ts';
import { ContentError, messageOf } from '../util/errors.ts';
import { only } from '../util/iterables.ts';
import { CHUNK_LENGTH, Chunks, NONCE_LENGTH, SEALED_CHUNK_LENGTH } from './chunks.ts';
import { type Header, LONGEST_HEADER, readHeader } from './header.ts';
import type { Identities } from './identities.ts';
import type { Recipients } from './recipients.ts';

/** A content as a file of age. */
export async function* seal(content: AsyncIterable<Buffer>, recipients: Recipients): AsyncGenerator<Buffer> {
  const { header, fileKey } = await recipients.newKey();
  const nonce = randomBytes(NONCE_LENGTH);
  const chunks = new Chunks(fileKey, nonce);
  yield Buffer.concat([header, nonce]);
  let index = 0;
  for await (const { pieces, isLast } of cut(content, CHUNK_LENGTH))
    yield chunks.seal(index++, isLast, pieces);
}

/** A content that is held, as a file of age. */
export async function sealWhole(content: Buffer, recipients: Recipients): Promise<Buffer> {
  const { header, fileKey } = await recipients.newKey();
  const nonce = randomBytes(NONCE_LENGTH);
  const chunks = new Chunks(fileKey, nonce);
  const sealed = [header, nonce];
  let index = 0;
  do {
    const piece = content.subarray(index * CHUNK_LENGTH, (index + 1) * CHUNK_LENGTH);
    sealed.push(chunks.seal(index, (index + 1) * CHUNK_LENGTH >= content.length, [piece]));
    index += 1;
  } while (index * CHUNK_LENGTH < content.length);
  return Buffer.concat(sealed);
}

/**
 * The content of a file of age that is held.
 *
 * @throws ContentError as `open` does
 */
export async function openWhole(sealed: Buffer, identities: Identities, name: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(open(only(sealed), identities, name)));
}

/**
 * The content of a file of age. Each chunk is given once it was checked; that the end is the end, the last one tells.
 *
 * @param name of the file, for messages
 * @throws ContentError when it is not whole, or for none of these identities
 */
export async function* open(
  sealed: AsyncIterable<Buffer>,
  identities: Identities,
  name: string,
): AsyncGenerator<Buffer> {
  const bytes = new SealedStart(sealed);
  const header = await bytes.header(name);
  const fileKey = await fileKeyOf(header, identities, name);
  const nonce = await bytes.take(NONCE_LENGTH, name);
  const chunks = new Chunks(fileKey, nonce);
  let index = 0;
  for await (const { pieces, isLast } of cut(bytes.rest(), SEALED_CHUNK_LENGTH)) {
    const content = chunks.open(index, isLast, Buffer.concat(pieces));
    if (!content) throw damaged(name, `chunk ${index + 1} is not the one that was written`);
    index += 1;
    if (content.length > 0) yield content;
  }
}

/** @throws ContentError when it is for none of these identities, or was changed */
export async function fileKeyOf(header: Header, identities: Identities, name: string): Promise<Buffer> {
  let fileKey: Buffer | undefined;
  try {
    fileKey = await identities.fileKeyOf(header);
  } catch (error) {
    throw damaged(name, messageOf(error), error);
  }
  if (fileKey) return fileKey;
  throw new ContentError(
    `${quoted(name)} is sealed for other keys than the one that was given.`,
    'Give an identity of one of its recipients.',
  );
}

export function damaged(name: string, what: string, cause?: unknown): ContentError {
  return new ContentError(
    `${quoted(name)} cannot be opened: ${what}.`,
    'It was cut, damaged or changed after it was sealed. Choose another backup.',
    { cause },
  );
}

/** Reads the header, whatever pieces it comes in, and then the rest. */
class SealedStart {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async header(name: string): Promise<Header> {
    for (;;) {
      const header = headerOf(this.#held, name);
      if (header) {
        this.#held = this.#held.subarray(header.bytes.length);
        return header;
      }
      if (!(await this.#more())) throw damaged(name, 'it ends within its header');
    }
  }

  async take(length: number, name: string): Promise<Buffer> {
    while (this.#held.length < length) {
      if (!(await this.#more())) throw damaged(name, 'it ends behind its header');
    }
    const bytes = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return bytes;
  }

  async *rest(): AsyncGenerator<Buffer> {
    try {
      yield this.#held;
      for (let next = await this.#source.next(); !next.done; next = await this.#source.next())
        yield next.value;
    } finally {
      await this.#source.return?.();
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done) return false;
    this.#held = Buffer.concat([this.#held, next.value]);
    return true;
  }
}

/** @returns undefined where more bytes are needed @throws ContentError when it is none */
export function headerOf(bytes: Buffer, name: string): Header | undefined {
  try {
    return readHeader(bytes.subarray(0, LONGEST_HEADER));
  } catch (error) {
    throw damaged(name, messageOf(error), error);
  }
}

/** Bytes in runs of one length, the last of which is known to be the last: it may be shorter, and empty if it is the only one. */
async function* cut(
  source: AsyncIterable<Buffer>,
  length: number,
): AsyncGenerator<{ readonly pieces: readonly Buffer[]; readonly isLast: boolean }> {
  let pieces: Buffer[] = [];
  let room = length;
  for await (const chunk of source) {
    for (let rest = chunk; rest.length > 0; ) {
      if (room === 0) {
        yield { pieces, isLast: false };
        [pieces, room] = [[], length];
      }
      const piece = rest.subarray(0, room);
      pieces.push(piece);
      room -= piece.length;
      rest = rest.subarray(piece.length);
    }
  }
  yield { pieces, isLast: true };
}
