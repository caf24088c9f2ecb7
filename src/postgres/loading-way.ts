import type { Dump } from './loadable-dump.ts';
import { hasExtensionRows } from './toc-filter.ts';

/** From a file on the host by several sessions; its rows by one session as they arrive; or all of it by one. */
export type LoadingWay = 'file' | 'arriving' | 'stream';

/**
 * With so many sessions or fewer, one session loads the rows as they arrive. Else PostgreSQL would be idle until the
 * dump is on the host, and two sessions save less time than that takes. Three and more load rows faster from a file.
 */
const MOST_JOBS_FOR_ARRIVING = 2;

/**
 * The ways in which a dump can be loaded, the best first. The first for which the host has room is taken, by a plan as by
 * a run.
 *
 * Rows of extensions' tables have to be loaded before all others: that takes a file, or all bytes of the dump twice.
 *
 * @param jobs sessions that will load it at once
 * @param list its table of contents, as `pg_restore --list` prints it; undefined: its format is not known here
 */
export function waysToLoad(
  { kind }: Pick<Dump, 'kind'>,
  jobs: number,
  list: string | undefined,
): readonly LoadingWay[] {
  if (kind === 'plain') return ['stream'];
  if (kind === 'directory') return ['file'];
  if (list === undefined) return ['file', 'stream'];
  return jobs <= MOST_JOBS_FOR_ARRIVING && !hasExtensionRows(list)
    ? ['arriving', 'file', 'stream']
    : ['file', 'arriving', 'stream'];
}

/** What the host needs room for, where rows are loaded as they arrive: the table of contents and lists of it, in bytes. */
export const roomForArriving = (size: number, list: string): number => size + 2 * list.length + 1024 ** 2;
