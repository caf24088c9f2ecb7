import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';

/** A file on its way to the host. */
export interface IncomingFile {
  /** Relative to the folder that receives it. */
  readonly name: string;
  /** Length of the content in bytes. */
  readonly size: number;
  /** Read to its end before the next file is asked for. */
  readonly content: Buffer | AsyncIterable<Buffer>;
}

/** The mode that Odoo passes to open(2): the umask of the program that extracts the file applies. */
const FILE_MODE = 0o666;

/**
 * Writes files as a tar archive. Any failure reaches the reader.
 *
 * @throws TypeError for a name that leads out of a folder
 * @throws RangeError for a content that is not as long as was said
 */
export async function* tarOf(files: AsyncIterable<IncomingFile>): AsyncGenerator<Buffer> {
  const tar = pack();
  const reading = new AbortController();
  const filled = fill(tar, files, reading.signal).catch((error) => {
    tar.destroy(error);
    throw error;
  });
  filled.catch(() => {}); // It fails the iteration below as well.
  try {
    for await (const chunk of tar) yield chunk as Buffer;
    await filled;
  } finally {
    reading.abort();
  }
}

/** @param reading is aborted when the reader has gone, which tar-stream does not tell the writer */
async function fill(tar: Pack, files: AsyncIterable<IncomingFile>, reading: AbortSignal): Promise<void> {
  for await (const { name, size, content } of files) {
    assertInside(name);
    reading.throwIfAborted();
    const header = { name, size, mode: FILE_MODE };
    if (Buffer.isBuffer(content)) {
      if (content.length !== size) throw otherSize(name, size);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = () => reject(reading.reason);
      reading.addEventListener('abort', leave);
      tar.entry(header, content, (error) => (error ? reject(error) : resolve()));
      await promise.finally(() => reading.removeEventListener('abort', leave));
    } else {
      await pipeline(Readable.from(sized(name, size, content)), tar.entry(header), { signal: reading });
    }
  }
  tar.finalize();
}

/** The same content. @throws RangeError where it is longer or shorter than was said */
async function* sized(name: string, size: number, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let sent = 0;
  for await (const chunk of content) {
    sent += chunk.length;
    if (sent > size) throw otherSize(name, size);
    yield chunk;
  }
  if (sent !== size) throw otherSize(name, size);
}

const otherSize = (name: string, size: number): RangeError =>
  new RangeError(`${name} has another size than ${size} bytes`);

function assertInside(name: string): void {
  const parts = name.split('/');
  if (name.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new TypeError(`Not the name of a file inside of a folder: ${JSON.stringify(name)}`);
  }
}
