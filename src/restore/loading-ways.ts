import type { DumpToc } from '../backup-reader/dump-toc.ts';
import { TempFolder } from '../host/temp-folder.ts';
import type { Dump } from '../postgres/loadable-dump.ts';
import { type LoadingWay, roomForArriving, waysToLoad } from '../postgres/loading-way.ts';
import type { Postgres } from '../postgres/server.ts';
import { formatCounted } from '../util/format.ts';
import type { Space } from './space.ts';

/**
 * The ways in which a dump can be loaded for which the host has room now, the best first. Read only.
 *
 * @param toc undefined: it is not known
 */
export async function possibleWays(
  { host, account }: Pick<Postgres, 'host' | 'account'>,
  { kind }: Pick<Dump, 'kind'>,
  { jobs, dumpPlace }: Pick<Space, 'dumpPlace'> & { readonly jobs: number },
  toc: DumpToc | undefined,
): Promise<readonly LoadingWay[]> {
  const known = toc?.size === undefined ? undefined : { list: toc.list, size: toc.size };
  const ways = waysToLoad({ kind }, jobs, known?.list);
  const hasRoomToArrive = async () =>
    known &&
    (await TempFolder.placeFor(host, account, roomForArriving(known.size, known.list))) !== undefined;
  const hasRoom = {
    file: dumpPlace !== undefined,
    arriving: ways.includes('arriving') && (await hasRoomToArrive()),
    stream: true,
  };
  return ways.filter((way) => hasRoom[way]);
}

/** How a dump is loaded, for a plan. */
export function wayWords(
  [way]: readonly LoadingWay[],
  { jobs, dumpPlace }: Pick<Space, 'dumpPlace'> & { readonly jobs: number },
): string {
  const sessions = formatCounted(jobs, 'session');
  switch (way) {
    case 'file':
      return `${sessions} at once, from a temporary file in ${dumpPlace}`;
    case 'arriving':
      return `rows as they come from the archive, then indexes and constraints by ${sessions}`;
    default:
      return 'one session, straight from the archive';
  }
}
