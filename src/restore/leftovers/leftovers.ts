import type { OwnedFolder } from '../../host/owned-folder.ts';
import type { DerivedFolder } from '../../odoo/folder-swap.ts';
import type { DerivedDatabase } from '../../postgres/databases.ts';
import type { Postgres } from '../../postgres/server.ts';
import { type Mark, PLACED, parseMark } from './marks.ts';

/** Where leftovers are. */
export interface LeftoverPlace {
  readonly database: string;
  readonly admin: Postgres;
  readonly filestore: OwnedFolder | undefined;
}

/** A database that a restore replaced, and the filestore that went with it. Either may be missing. */
export interface Replaced {
  readonly database: string | undefined;
  /** Path. */
  readonly folder: string | undefined;
}

/** What is left of one that an earlier run has replaced. */
export interface Remains extends Replaced {
  /** What it says of itself; undefined: nothing, so that it is not ours to remove. */
  readonly mark: Mark | undefined;
  /** Size of the database in bytes; null: this role may not know. */
  readonly bytes: number | null;
}

/** Remains with a database, whose comment says what is to be done with both. */
export interface Pair extends Remains {
  readonly timestamp: string;
  readonly database: string;
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
  /** Copies that were never put to use, and databases whose DROP was cut. */
  readonly unused: { readonly databases: readonly string[]; readonly folders: readonly string[] };
  /** Replaced by runs that were killed before they ended: often the only copy of what Odoo's users had made. */
  readonly interrupted: readonly Remains[];
  /** Kept for a number of days that are over. */
  readonly expired: readonly Remains[];
  /** Kept on purpose, or by somebody else. */
  readonly kept: readonly Remains[];
}

/** Whether a run was killed: Odoo may be stopped since. */
export const isInterrupted = ({ halfSwapped, unused, interrupted }: Leftovers): boolean =>
  [halfSwapped, unused.databases, unused.folders, interrupted].some(({ length }) => length > 0);

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
  const sorted: Record<'interrupted' | 'expired' | 'kept', Remains[]> = {
    interrupted: [],
    expired: [],
    kept: [],
  };
  for (const { name, timestamp, comment, derivation, isBroken, bytes } of databases) {
    if (derivation === 'new') {
      const isPlaced = comment === PLACED && folderOf('new', timestamp) === undefined;
      if (isPlaced) placed.push({ timestamp, replaced: folderOf('old', timestamp) });
      continue;
    }
    if (isBroken) continue;
    const mark = parseMark(comment);
    const pair = { database: name, folder: folderOf('old', timestamp), mark, bytes };
    const built = databases.some((each) => isNew(each) && each.timestamp === timestamp);
    if (mark && !built && folderOf('new', timestamp) !== undefined) halfSwapped.push({ ...pair, timestamp });
    else sorted[fateOf(mark, now)].push(pair);
  }
  for (const { derivation, timestamp, path, note } of folders) {
    const alone = !databases.some((each) => !isNew(each) && each.timestamp === timestamp);
    const goesBack = placed.some((each) => each.timestamp === timestamp);
    if (derivation !== 'old' || !alone || goesBack) continue;
    const mark = parseMark(note);
    sorted[fateOf(mark, now)].push({ database: undefined, folder: path, mark, bytes: 0 });
  }
  return {
    halfSwapped,
    placed,
    unused: {
      databases: databases.filter((each) => isNew(each) || each.isBroken).map(({ name }) => name),
      folders: folders
        .filter(
          (folder) => isNew(folder) && !halfSwapped.some(({ timestamp }) => timestamp === folder.timestamp),
        )
        .map(({ path }) => path),
    },
    ...sorted,
  };
}

function fateOf(mark: Mark | undefined, now: Date): 'interrupted' | 'expired' | 'kept' {
  if (mark && !mark.settled) return 'interrupted';
  return mark?.keep instanceof Date && mark.keep <= now ? 'expired' : 'kept';
}
