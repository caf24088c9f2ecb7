import type { DerivedDatabase } from '../host/databases.ts';
import type { DerivedFolder } from '../host/folders.ts';
import { parseMark } from './previous.ts';

/** A database that a restore replaced, and the filestore that went with it. */
export interface Pair {
  readonly timestamp: string;
  readonly database: string;
  /** Its comment before it was replaced. */
  readonly comment: string | null;
  /** Path; undefined: there is none. */
  readonly folder: string | undefined;
}

/** What earlier restores of a database have left on the host. */
export interface Leftovers {
  /** Runs that were killed between the two renames: the database is swapped, the filestore is not. */
  readonly halfSwapped: readonly Pair[];
  /** Copies that were never put to use. */
  readonly unused: { readonly databases: readonly string[]; readonly folders: readonly string[] };
  /** Replaced by runs that were killed before Odoo was seen to be healthy; of no use once it is. */
  readonly unsettled: readonly Pair[];
  /** Kept for a number of days that are over. */
  readonly expired: readonly Pair[];
  /** Kept on purpose, or by somebody else. */
  readonly kept: readonly Pair[];
}

/** Whether a run was killed: Odoo may be stopped since. */
export const isInterrupted = ({ halfSwapped, unused, unsettled }: Leftovers): boolean =>
  [halfSwapped, unused.databases, unused.folders, unsettled].some(({ length }) => length > 0);

/** Sorts what is there by what is to be done with it. */
export function sortLeftovers(
  databases: readonly DerivedDatabase[],
  folders: readonly DerivedFolder[],
  now: Date,
): Leftovers {
  const folderOf = (derivation: 'new' | 'old', timestamp: string) =>
    folders.find((folder) => folder.derivation === derivation && folder.timestamp === timestamp)?.path;
  const isNew = ({ derivation }: { derivation: string }) => derivation === 'new';

  const halfSwapped: Pair[] = [];
  const unsettled: Pair[] = [];
  const expired: Pair[] = [];
  const kept: Pair[] = [];
  for (const { name, timestamp, comment, derivation } of databases) {
    if (derivation === 'new') continue;
    const mark = parseMark(comment);
    const pair = {
      timestamp,
      database: name,
      comment: mark?.comment ?? null,
      folder: folderOf('old', timestamp),
    };
    const built = databases.some((each) => isNew(each) && each.timestamp === timestamp);
    if (mark && !built && folderOf('new', timestamp) !== undefined) halfSwapped.push(pair);
    else if (mark?.keep === 'until-healthy') unsettled.push(pair);
    else if (mark?.keep instanceof Date && mark.keep <= now) expired.push(pair);
    else kept.push(pair);
  }
  return {
    halfSwapped,
    unused: {
      databases: databases.filter(isNew).map(({ name }) => name),
      folders: folders
        .filter(
          (folder) => isNew(folder) && !halfSwapped.some(({ timestamp }) => timestamp === folder.timestamp),
        )
        .map(({ path }) => path),
    },
    unsettled,
    expired,
    kept,
  };
}
