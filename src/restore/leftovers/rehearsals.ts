import { listRehearsalFolders, removeDerivedFolder } from '../../odoo/folder-swap.ts';
import { derivedFolder, derivedName, temporaryTimestamp } from '../../postgres/derived-names.ts';
import { dropDerivedDatabase } from '../../postgres/drop-database.ts';
import { listTemporaryDatabases, lockIfFree } from '../../postgres/temporary-databases.ts';
import type { LeftoverPlace } from './leftovers.ts';

/** Names of the copies that rehearsals have on the host, of which each has a database, a filestore, or both. */
export async function listRehearsals(place: LeftoverPlace): Promise<string[]> {
  const { timestamps } = await copiesOf(place);
  return timestamps.map((timestamp) => derivedName(place.database, 'rehearsal', timestamp));
}

/** Removes the copies that rehearsals which were killed have left. @returns the names of what was removed */
export async function sweepRehearsals(place: LeftoverPlace): Promise<string[]> {
  const { admin, database, filestore } = place;
  const removed: string[] = [];
  const { databases, timestamps } = await copiesOf(place);
  for (const timestamp of timestamps) {
    const name = derivedName(database, 'rehearsal', timestamp);
    await using lock = await lockIfFree(admin, name, 'rehearsal');
    if (!lock) continue;
    // The folder first: a database without its folder is found again by its name.
    if (filestore)
      await removeDerivedFolder(filestore, derivedFolder(filestore.path, 'rehearsal', timestamp));
    if (databases.includes(name)) await dropDerivedDatabase(admin, name, database);
    removed.push(name);
  }
  return removed;
}

/** The databases that there are, and the timestamps in the names of all. */
async function copiesOf({ admin, database, filestore }: LeftoverPlace): Promise<{
  readonly databases: readonly string[];
  readonly timestamps: readonly string[];
}> {
  const [databases, folders] = await Promise.all([
    listTemporaryDatabases(admin, database, 'rehearsal'),
    filestore ? listRehearsalFolders(filestore) : [],
  ]);
  const named = databases.flatMap((name) => temporaryTimestamp(name, database, 'rehearsal') ?? []);
  return { databases, timestamps: [...new Set([...named, ...folders])].toSorted() };
}
