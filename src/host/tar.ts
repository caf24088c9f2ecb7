import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { inBatches } from '../util/batches.ts';
import { UserError } from '../util/errors.ts';
import { compressedBy, decompressed, type OutboundCodec } from './codecs.ts';
import type { Folder } from './folder.ts';
import { CommandError, type Process } from './host.ts';

export interface TarEntry {
  /** Name as it was asked for. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly modified: Date;
  /** Number of the account that owned the file. */
  readonly uid: number | undefined;
  /** To be read to its end before the next entry is asked for. */
  readonly content: Readable;
}

/**
 * Reads files of a folder on the host as one tar stream, in the order given. Files that are gone, cannot be
 * opened or are links are left out without an error: who asked compares.
 *
 * @param signal ends it, also while the host sends nothing
 * @throws UserError when tar failed as a whole (its exit codes 1 and 2 may speak of single files only)
 */
export async function* readTar(
  source: Folder & { readonly codec?: OutboundCodec },
  names: Iterable<string>,
  signal?: AbortSignal,
): AsyncGenerator<TarEntry> {
  const command = source.command([
    'tar',
    ...['--create', '--file=-', '--format=gnu', '--directory', source.path],
    ...['--no-recursion', '--ignore-failed-read', '--verbatim-files-from', '--null', '--files-from=-'],
  ]);
  await using process = await source.host.start(compressedBy(command, source.codec));
  if (signal) addAbortSignal(signal, process.stdout);
  const names$ = writeNames(process, names);
  // The end of the bytes waits for the end of tar: where they are too few, that says why.
  async function* bytes(): AsyncGenerator<Buffer> {
    yield* process.stdout;
    await names$;
    const exit = await process.exited;
    if (exit.signal !== undefined || exit.code === undefined || exit.code > 2)
      throw failed(source.path, new CommandError(command, exit));
  }
  yield* tarEntries(decompressed(Readable.from(bytes(), { objectMode: false }), source.codec));
}

const failed = (path: string, cause: CommandError): UserError =>
  new UserError(
    `The files in ${path} could not be read: ${cause.message}`,
    'Find out what has ended it on the host, such as a lack of memory, and run this again.',
    { cause },
  );

/** The regular files of a tar stream. Fails when the stream ends before the tar does. */
export async function* tarEntries(stream: Readable): AsyncGenerator<TarEntry> {
  const tar = extract();
  const piped = pipeline(stream, tar);
  piped.catch(() => {}); // It fails the iteration below as well.
  for await (const entry of tar) {
    const { name, size = 0, mtime = new Date(0), type, uid } = entry.header;
    if (type === 'file' || type === 'contiguous-file') {
      yield { name, size, modified: mtime, uid, content: entry as unknown as Readable };
    }
    entry.resume();
  }
  await piped;
}

async function writeNames(process: Process, names: Iterable<string>): Promise<void> {
  try {
    await pipeline(function* () {
      for (const some of inBatches(names, 1000)) yield `${some.join('\0')}\0`;
    }, process.stdin);
  } catch {
    // tar ended early: its exit says why.
  }
}
