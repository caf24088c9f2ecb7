import type { Accounts } from '../../host/accounts.ts';
import { CommandError } from '../../host/host.ts';
import { actAsOwner, type OwnedFolder } from '../../host/owned-folder.ts';
import type { Odoo } from '../../odoo/installation.ts';
import type { Platform } from '../../platform/platform.ts';
import type { Run } from '../../platform/run.ts';
import { listTemporaryDatabases, sweepTestDatabases } from '../../postgres/temporary-databases.ts';
import { messageOf, UserError } from '../../util/errors.ts';
import { formatInstant } from '../../util/format.ts';
import { pairName } from '../facts.ts';
import { findLeftovers } from '../target.ts';
import { removePairs } from '../tidy-steps.ts';
import type { LeftoverPlace, Leftovers } from './leftovers.ts';
import { listRehearsals, sweepRehearsals } from './rehearsals.ts';

/** What restores have left, as a backup finds it; undefined: it may not look. */
export interface FoundLeftovers {
  readonly place: LeftoverPlace;
  readonly leftovers: Leftovers;
  /** Databases of restore tests, of which some may still be in use. */
  readonly tests: readonly string[];
  /** Copies of rehearsals, of which some may still be in use. */
  readonly rehearsals: readonly string[];
}

/** Looks for what restores have left, read only, as far as the roles and accounts of a backup may. */
export async function leftoversOf(odoo: Odoo, accounts: Accounts): Promise<FoundLeftovers | undefined> {
  const { postgres, database } = odoo;
  try {
    const owned = ownedFilestore(odoo, accounts);
    const [tests, filestore, leftovers] = await Promise.all([
      listTemporaryDatabases(postgres, database, 'test'),
      owned,
      findLeftovers(postgres, database, owned),
    ]);
    const place = { database, admin: postgres, filestore };
    return { place, leftovers, tests, rehearsals: await listRehearsals(place) };
  } catch (error) {
    if (error instanceof CommandError) return undefined; // it may not look into the maintenance database
    throw error;
  }
}

async function ownedFilestore({ filestore }: Odoo, accounts: Accounts): Promise<OwnedFolder | undefined> {
  if (!filestore) return undefined;
  try {
    return await actAsOwner(filestore.host, accounts, filestore.path, [filestore.account]);
  } catch (error) {
    if (error instanceof UserError) return undefined; // it may only read
    throw error;
  }
}

/** @throws UserError: a backup of a database and of the filestore of another would be no backup */
export function refuseHalfSwapped(
  found: FoundLeftovers | undefined,
  database: string,
  platform: Platform,
): void {
  if (!found) return;
  const { leftovers } = found;
  if (leftovers.halfSwapped.length > 0) {
    throw new UserError(
      `A restore of ${database} was killed between its two renames: database and filestore do not belong together`,
      'Run the rollback again: it begins by taking that back.',
    );
  }
  const { unused, interrupted } = leftovers;
  const names = [...unused.databases, ...unused.folders];
  if (names.length > 0) {
    platform.warning(
      `A restore of ${database} was killed, and has left ${names.join(', ')}: the next one removes it`,
    );
  }
  for (const each of interrupted) {
    const since = each.mark ? `, as of ${formatInstant(each.mark.at)}` : '';
    platform.warning(
      `A restore of ${database} did not come to its end, and has left what it replaced: ${pairName(each)}${since}. It is kept until a restore ends well, and then as keep-previous says`,
    );
  }
}

/**
 * Drops the databases of restore tests and the copies of rehearsals that were killed. If this fails, the backup is made
 * nevertheless.
 */
export async function sweepTemporary(found: FoundLeftovers | undefined, platform: Platform): Promise<void> {
  if (!found) return;
  const { place, tests, rehearsals } = found;
  const sweepTests = () => sweepTestDatabases(place.admin, place.database);
  await dropTold(['restore test', 'Restore tests'], tests, sweepTests, platform);
  await dropTold(['rehearsal', 'Rehearsals'], rehearsals, () => sweepRehearsals(place), platform);
}

/** Drops the copies of rehearsals that were killed. If this fails, what else is done goes on. */
export async function sweepCopies(place: LeftoverPlace, platform: Platform): Promise<void> {
  const names = await listRehearsals(place);
  await dropTold(['rehearsal', 'Rehearsals'], names, () => sweepRehearsals(place), platform);
}

/**
 * @param makers one and several of what has left them
 * @param names of what there is, some of which may be in use
 * @param sweep gives the names of what it has dropped
 */
async function dropTold(
  [maker, makers]: readonly [one: string, several: string],
  names: readonly string[],
  sweep: () => Promise<string[]>,
  platform: Platform,
): Promise<void> {
  if (names.length === 0) return;
  try {
    for (const name of await sweep())
      platform.info(`Dropped ${name}: a ${maker} that was killed had left it`);
  } catch (error) {
    platform.warning(`${makers} have left ${names.join(', ')}, not dropped: ${messageOf(error)}`);
  }
}

/** Removes what was kept for a number of days that are over. If this fails, the backup is made nevertheless. */
export async function sweepExpired(
  found: FoundLeftovers | undefined,
  { platform, phases }: Run,
): Promise<void> {
  if (!found) return;
  const { place, leftovers } = found;
  if (leftovers.expired.length === 0) return;
  const names = leftovers.expired.map(pairName).join(', ');
  try {
    await phases.run('sweep', `Remove what was kept for its time: ${names}`, () =>
      removePairs(place, leftovers.expired),
    );
  } catch (error) {
    platform.warning(`Not removed, although its time is over: ${names}: ${messageOf(error)}`);
  }
}
