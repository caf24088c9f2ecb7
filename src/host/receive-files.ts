import { feed } from './feed.ts';
import type { Folder } from './folder.ts';
import { type IncomingFile, tarOf } from './tar-writer.ts';

/**
 * Writes files into a folder on the host, as one tar on the standard input of tar. Folders are made as they come.
 *
 * @throws CommandError when tar fails: no space, no permission
 * @throws what `tarOf` throws, and the error of a file's content
 */
export async function receiveFiles(
  { host, path, command }: Folder,
  files: AsyncIterable<IncomingFile>,
  signal?: AbortSignal,
): Promise<void> {
  const argv = ['tar', '--extract', '--file=-', '--no-same-owner', '--directory', path];
  await feed(host, command(argv), tarOf(files), signal);
}
