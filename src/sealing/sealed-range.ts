import { CHUNK_LENGTH, Chunks, NONCE_LENGTH, openedSize, SEALED_CHUNK_LENGTH } from './chunks.ts';
import { LONGEST_HEADER } from './header.ts';
import type { Identities } from './identities.ts';
import { damaged, fileKeyOf, headerOf } from './stream.ts';

/** Bytes in another place that are read by ranges. */
export interface SealedBytes {
  readonly size: number;
  read(offset: number, length: number): Promise<Buffer>;
}

/** Enough for the header of ten recipients: one read. */
const LIKELY_HEADER = 1024;

/**
 * A file of age that is read at random: of its content, only the chunks that hold the wanted bytes are taken. The last
 * chunk is checked first, which says how long the content is.
 *
 * @param name of the file, for messages
 * @returns the content. Its `read` throws a ContentError where it is not what was sealed
 * @throws ContentError when it is not whole, or for none of these identities
 */
export async function openRange(
  sealed: SealedBytes,
  identities: Identities,
  name: string,
): Promise<SealedBytes> {
  const first = await sealed.read(0, Math.min(LIKELY_HEADER, sealed.size));
  const header =
    headerOf(first, name) ?? headerOf(await sealed.read(0, Math.min(LONGEST_HEADER, sealed.size)), name);
  if (!header) throw damaged(name, 'it ends within its header');
  const size = openedSize(sealed.size, header.bytes.length);
  if (size === undefined) throw damaged(name, 'no file of age has its size');
  const fileKey = await fileKeyOf(header, identities, name);
  const start = header.bytes.length + NONCE_LENGTH;
  const chunks = new Chunks(fileKey, await sealed.read(header.bytes.length, NONCE_LENGTH));
  const last = Math.max(0, Math.ceil(size / CHUNK_LENGTH) - 1);

  async function read(offset: number, length: number): Promise<Buffer> {
    const [from, to] = [Math.floor(offset / CHUNK_LENGTH), Math.floor((offset + length - 1) / CHUNK_LENGTH)];
    const place = start + from * SEALED_CHUNK_LENGTH;
    const bytes = await sealed.read(
      place,
      Math.min(start + (to + 1) * SEALED_CHUNK_LENGTH, sealed.size) - place,
    );
    const opened: Buffer[] = [];
    for (let index = from; index <= to; index += 1) {
      const at = (index - from) * SEALED_CHUNK_LENGTH;
      const content = chunks.open(index, index === last, bytes.subarray(at, at + SEALED_CHUNK_LENGTH));
      if (!content) throw damaged(name, `chunk ${index + 1} is not the one that was written`);
      opened.push(content);
    }
    return Buffer.concat(opened)
      .subarray(offset - from * CHUNK_LENGTH)
      .subarray(0, length);
  }

  await read(last * CHUNK_LENGTH, 1);
  return {
    size,
    async read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size)
        throw new RangeError(`${name} has ${size} bytes`);
      return length === 0 ? Buffer.alloc(0) : await read(offset, length);
    },
  };
}
