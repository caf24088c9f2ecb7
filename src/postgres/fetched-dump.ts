import { addAbortSignal, Readable } from 'node:stream';
import { receiveFiles } from '../host/receive-files.ts';
import { run } from '../host/run.ts';
import { TempFolder } from '../host/temp-folder.ts';
import type { HostTools } from '../host/tools.ts';
import { continued, only } from '../util/iterables.ts';
import { openDump } from './custom-format/open.ts';
import type { Dump, DumpBytes } from './loadable-dump.ts';
import { type LoadingWay, roomForArriving } from './loading-way.ts';
import type { Postgres } from './server.ts';

/** A dump, or its table of contents alone, in a temporary folder on the host, from which several sessions can load. */
export interface FetchedDump extends AsyncDisposable {
  readonly folder: TempFolder;
  readonly path: string;
  /** As `pg_restore --list` prints it. */
  readonly toc: string;
  /** All bytes of the dump, which can be read once. Only where the file holds nothing but the table of contents. */
  readonly arriving?: AsyncIterable<Buffer>;
}

export interface FetchOptions {
  readonly tools: HostTools;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings a dump onto the host; of one that is loaded as it arrives, the table of contents.
 *
 * @param ways in which it can be loaded, the best first: `waysToLoad`
 * @returns undefined: it is to be loaded as a stream, or the host has no room for it
 * @throws what the dump's bytes fail with
 */
export async function fetchDump(
  postgres: Postgres,
  dump: Exclude<Dump, { kind: 'plain' }>,
  ways: readonly LoadingWay[],
  options: FetchOptions,
): Promise<FetchedDump | undefined> {
  for (const way of ways) {
    if (way === 'stream') return undefined;
    const file =
      way === 'arriving' && dump.kind === 'custom'
        ? await fetchContents(postgres, dump, options)
        : await fetchAll(postgres, dump, options);
    if (file) return file;
  }
  return undefined;
}

/** Reads the table of contents of a dump for `waysToLoad`. @returns undefined: it is not in a custom format known here */
export async function readList(dump: Dump): Promise<string | undefined> {
  if (dump.kind !== 'custom') return undefined;
  const chunks = dump.open()[Symbol.asyncIterator]();
  try {
    const opened = await openDump('The dump', chunks);
    return opened.kind === 'known' ? opened.contents.list() : undefined;
  } finally {
    await chunks.return?.();
  }
}

/** @returns undefined: its format is not known here, or the host has no room for it */
async function fetchContents(
  postgres: Postgres,
  dump: DumpBytes,
  options: FetchOptions,
): Promise<FetchedDump | undefined> {
  const { host, account: as } = postgres;
  const { signal } = options;
  signal?.throwIfAborted();
  await using stack = new AsyncDisposableStack();
  const stream = Readable.from(dump.open(), { objectMode: false });
  stream.on('error', () => {}); // who reads it sees it
  stack.defer(() => void stream.destroy());
  if (signal) addAbortSignal(signal, stream);
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  try {
    const opened = await openDump('The dump', chunks);
    if (opened.kind === 'unknown') return undefined;
    const { start, read } = opened;
    const toc = opened.contents.list();
    const folder = await TempFolder.make(host, as, roomForArriving(start.length, toc));
    if (!folder) return undefined;
    stack.use(folder);
    const path = await folder.write('dump', only(start), options);
    const arriving = continued(read, chunks);
    const kept = stack.move();
    return { folder, path, toc, arriving, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function fetchAll(
  postgres: Postgres,
  dump: Exclude<Dump, { kind: 'plain' }>,
  options: FetchOptions,
): Promise<FetchedDump | undefined> {
  const { host, account: as } = postgres;
  await using stack = new AsyncDisposableStack();
  const folder = await TempFolder.make(host, as, dump.size);
  if (!folder) return undefined;
  stack.use(folder);
  const path = `${folder.path}/dump`;
  if (dump.kind === 'directory') {
    await run(host, { argv: ['mkdir', '--', path], as });
    await receiveFiles({ host, path, command: (argv) => ({ argv, as }) }, dump.readFiles(), options.signal);
  } else {
    await folder.write('dump', dump.open(), options);
  }
  const toc = await run(host, postgres.reading(['--list', path]));
  const kept = stack.move();
  return { folder, path, toc, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
