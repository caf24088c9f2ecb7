/** A file on its way to the host. */
export interface IncomingFile {
  /** Relative to the folder that receives it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Read to its end before the next file is asked for. */
  readonly content: Buffer | AsyncIterable<Buffer>;
}

const BLOCK = 512;
/** As open(2) is asked by Odoo: what remains is up to the umask. */
const FILE_MODE = 0o666;

/**
 * The files as a tar archive, in GNU's form. A generator, and no library's stream: whatever fails, fails for the one
 * who reads.
 *
 * @throws TypeError for a name that leads out of a folder
 * @throws RangeError for a content that is not as long as was said
 */
export async function* tarOf(files: AsyncIterable<IncomingFile>): AsyncGenerator<Buffer> {
  for await (const { name, size, content } of files) {
    assertInside(name);
    const path = Buffer.from(name);
    if (path.length > NAME_LENGTH) {
      yield header(Buffer.from('././@LongLink'), path.length + 1, 'L');
      yield Buffer.concat([path, Buffer.alloc(1 + padding(path.length + 1))]);
    }
    yield header(path.subarray(0, NAME_LENGTH), size, '0');
    let sent = 0;
    for await (const chunk of Buffer.isBuffer(content) ? [content] : content) {
      sent += chunk.length;
      if (sent > size) break;
      yield chunk;
    }
    if (sent !== size) throw new RangeError(`${name} has another size than ${size} bytes`);
    yield Buffer.alloc(padding(size));
  }
  yield Buffer.alloc(2 * BLOCK);
}

const padding = (bytes: number): number => -bytes & (BLOCK - 1);

const NAME_LENGTH = 100;

/** https://www.gnu.org/software/tar/manual/html_node/Standard.html */
function header(name: Buffer, size: number, type: '0' | 'L'): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  block.set(name, 0);
  octal(FILE_MODE, NAME_LENGTH, 8);
  octal(0, 108, 8); // uid and gid: whoever extracts it
  octal(0, 116, 8);
  if (size < 8 ** 11) octal(size, 124, 12);
  else {
    block[124] = 0x80; // GNU's base-256
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  octal(Math.floor(Date.now() / 1000), 136, 12);
  block.write(type, 156, 'latin1');
  block.write('ustar  \0', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function assertInside(name: string): void {
  const parts = name.split('/');
  if (name.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new TypeError(`Not the name of a file inside of a folder: ${JSON.stringify(name)}`);
  }
}
