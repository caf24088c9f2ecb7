import { feed } from './feed.ts';
import type { Command, Host } from './host.ts';
import { type IncomingFile, tarOf } from './tar-writer.ts';

/** A folder on the host, and how to run commands as the account that its content shall belong to. */
export interface Place {
  readonly host: Host;
  readonly path: string;
  command(argv: readonly string[]): Command;
}

/**
 * Writes files into a folder on the host, as one tar on the standard input of tar. Folders are made as they come.
 *
 * @throws CommandError when tar fails: no space, no permission
 * @throws what `tarOf` throws, and the error of a file's content
 */
export async function receiveFiles(
  { host, path, command }: Place,
  files: AsyncIterable<IncomingFile>,
  signal?: AbortSignal,
): Promise<void> {
  const argv = ['tar', '--extract', '--file=-', '--no-same-owner', '--directory', path];
  await feed(host, command(argv), tarOf(files), signal);
}
