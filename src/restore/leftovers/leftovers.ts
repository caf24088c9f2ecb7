import type { DerivedFolder } from '../../odoo/folder-swap.ts';
import type { DerivedDatabase } from '../../postgres/databases.ts';
import { PLACED, parseMark } from './marks.ts';

/** A database that a restore replaced, and the filestore that went with it. Either may be missing. */
export interface Replaced {
  readonly database: string | undefined;
  /** Path. */
  readonly folder: string | undefined;
}

/** With a database, whose comment says what is to be done with both. */
export interface Pair extends Replaced {
  readonly timestamp: string;
  readonly database: string;
  /** Before it was replaced. */
  readonly comment: string | null;
}

/** A filestore without its database. */
export interface Placed {
  readonly timestamp: string;
  /** What it has replaced: path; undefined: nothing. */
  readonly replaced: string | undefined;
}

/** What earlier restores of a database have left on the host. */
export interface Leftovers {
  /** Runs that were killed between the two renames: the database is swapped, the filestore is not. */
  readonly halfSwapped: readonly Pair[];
  /** Runs that were killed before a new name's database came to its filestore, which has its name already. */
  readonly placed: readonly Placed[];
  /** Copies that were never put to use. */
  readonly unused: { readonly databases: readonly string[]; readonly folders: readonly string[] };
  /** Replaced by runs that were killed before Odoo was seen to be healthy; of no use once it is. */
  readonly unsettled: readonly Pair[];
  /** Kept for a number of days that are over. */
  readonly expired: readonly Pair[];
  /** Kept on purpose, or by somebody else, or a filestore whose database was gone before the restore. */
  readonly kept: readonly Replaced[];
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
  const placed: Placed[] = [];
  const unsettled: Pair[] = [];
  const expired: Pair[] = [];
  const kept: Replaced[] = [];
  for (const { name, timestamp, comment, derivation } of databases) {
    if (derivation === 'new') {
      const isPlaced = comment === PLACED && folderOf('new', timestamp) === undefined;
      if (isPlaced) placed.push({ timestamp, replaced: folderOf('old', timestamp) });
      continue;
    }
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
  for (const { derivation, timestamp, path } of folders) {
    const alone = !databases.some((each) => !isNew(each) && each.timestamp === timestamp);
    const goesBack = placed.some((each) => each.timestamp === timestamp);
    if (derivation === 'old' && alone && !goesBack) kept.push({ database: undefined, folder: path });
  }
  return {
    halfSwapped,
    placed,
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
