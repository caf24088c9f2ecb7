import { addAbortSignal, Readable } from 'node:stream';
import { inwardCodec, packed } from '../host/codecs.ts';
import { feed } from '../host/feed.ts';
import { receiveFiles } from '../host/receive-files.ts';
import { run } from '../host/run.ts';
import { TempFolder } from '../host/temp-folder.ts';
import type { HostTools } from '../host/tools.ts';
import { continued, only } from '../util/iterables.ts';
import { openDump } from './custom-format/open.ts';
import type { Dump, DumpBytes } from './loadable-dump.ts';
import type { Postgres } from './server.ts';
import { hasExtensionRows } from './toc-filter.ts';

/** A dump, or its table of contents alone, in a temporary folder on the host, from which several sessions can load. */
export interface FetchedDump extends AsyncDisposable {
  readonly folder: TempFolder;
  readonly path: string;
  /** As `pg_restore --list` prints it. */
  readonly toc: string;
  /** All bytes of the dump, which can be read once. Only where the file holds nothing but the table of contents. */
  readonly arriving?: AsyncIterable<Buffer>;
}

/**
 * With so many sessions or fewer, one session loads the rows as they arrive. Else PostgreSQL would be idle until the
 * dump is on the host, and two sessions save less time than that takes. Three and more load rows faster from a file.
 */
const MOST_JOBS_FOR_ARRIVING = 2;

export interface FetchOptions {
  readonly tools: HostTools;
  /** Sessions that will load it at once. */
  readonly jobs: number;
  /** The host has no place for a dump in custom format, whatever is free now. */
  readonly streamed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Whether the rows of a dump are loaded as they arrive, before its indexes and constraints are made. Rows of extensions'
 * tables have to be loaded before all others: that takes a file, where the host has a place for it.
 *
 * @param toc undefined: it is not known
 */
export const loadsArriving = (
  dump: Pick<Dump, 'kind'>,
  { jobs, streamed = false }: Pick<FetchOptions, 'jobs' | 'streamed'>,
  toc: string | undefined,
): boolean =>
  dump.kind === 'custom' &&
  (streamed || (jobs <= MOST_JOBS_FOR_ARRIVING && !(toc !== undefined && hasExtensionRows(toc))));

/**
 * Brings a dump onto the host; of one that is loaded as it arrives, the table of contents.
 *
 * @returns undefined: the host has no place for it
 * @throws what the dump's bytes fail with
 */
export async function fetchDump(
  postgres: Postgres,
  dump: Exclude<Dump, { kind: 'plain' }>,
  options: FetchOptions,
): Promise<FetchedDump | undefined> {
  if (dump.kind !== 'custom') return fetchAll(postgres, dump, options);
  const arriving = (isWanted: (toc: string) => boolean) => fetchContents(postgres, dump, options, isWanted);
  const all = async () => (options.streamed ? undefined : fetchAll(postgres, dump, options));
  const first = loadsArriving(dump, options, undefined)
    ? await arriving((toc) => loadsArriving(dump, options, toc))
    : undefined;
  return first ?? (await all()) ?? (await arriving(() => true));
}

/** @returns undefined: it is not wanted, its format is not known here, or the host has no place for it */
async function fetchContents(
  postgres: Postgres,
  dump: DumpBytes,
  options: FetchOptions,
  isWanted: (toc: string) => boolean,
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
    const toc = [...opened.contents.lines().map(({ line }) => `${line}\n`)].join('');
    if (!isWanted(toc)) return undefined;
    const folder = await TempFolder.make(host, as, start.length + 2 * toc.length + 1024 ** 2);
    if (!folder) return undefined;
    stack.use(folder);
    const path = `${folder.path}/dump`;
    await writeFile(postgres, path, only(start), options);
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
    await writeFile(postgres, path, dump.open(), options);
  }
  const toc = await run(host, postgres.reading(['--list', path]));
  const kept = stack.move();
  return { folder, path, toc, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Writes a file that only the account may read. Its bytes are compressed on their way. */
async function writeFile(
  { host, account: as }: Postgres,
  path: string,
  bytes: AsyncIterable<Buffer>,
  { tools, signal }: FetchOptions,
): Promise<void> {
  const codec = inwardCodec(tools);
  const argv = ['sh', '-c', `umask 077; exec ${codec?.decode.join(' ') ?? 'cat'} >"$1"`, 'sh', path];
  await feed(host, { argv, as }, packed(bytes, codec), signal);
}
