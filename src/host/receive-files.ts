import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { feed } from './feed.ts';
import type { Command, Host } from './host.ts';

/** A file on its way to the host. */
export interface IncomingFile {
  /** Relative to the folder that receives it. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Read to its end before the next file is asked for. */
  readonly content: Buffer | AsyncIterable<Buffer>;
}

/** A folder on the host, and how to run commands as the account that its content shall belong to. */
export interface Place {
  readonly host: Host;
  readonly path: string;
  command(argv: readonly string[]): Command;
}

/** As open(2) and mkdir(2) are asked by Odoo: what remains is up to the umask. */
const FILE_MODE = 0o666;

/**
 * Writes files into a folder on the host, as one tar on the standard input of tar. Folders are made as they come.
 *
 * @throws TypeError for a name that leads out of the folder
 * @throws CommandError when tar fails: no space, no permission
 * @throws the error of a file's content, also when that is not as long as was said
 */
export async function receiveFiles(
  place: Place,
  files: AsyncIterable<IncomingFile>,
  signal?: AbortSignal,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const received = { files: 0, bytes: 0 };
  const tar = pack();
  const packing = (async () => {
    for await (const { name, size, content } of files) {
      assertInside(name);
      const chunks = Buffer.isBuffer(content) ? [content] : content;
      await pipeline(chunks, tar.entry({ name, size, mode: FILE_MODE, type: 'file' }));
      received.files += 1;
      received.bytes += size;
    }
    tar.finalize();
  })();
  packing.catch((error) => tar.destroy(error));
  const command = place.command(['tar', '--extract', '--file=-', `--directory=${place.path}`]);
  await feed(place.host, command, tar as AsyncIterable<Buffer>, signal);
  await packing;
  return received;
}

function assertInside(name: string): void {
  const parts = name.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new TypeError(`Not the name of a file inside of a folder: ${JSON.stringify(name)}`);
  }
}
