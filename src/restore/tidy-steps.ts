import { removeDerivedFolder, swapFoldersBack } from '../odoo/folder-swap.ts';
import type { Platform } from '../platform/platform.ts';
import { derivedFolder, derivedName } from '../postgres/derived-names.ts';
import { dropDerivedDatabase } from '../postgres/drop-database.ts';
import { swapDatabasesBack } from '../postgres/swap.ts';
import { pairName } from './facts.ts';
import { type Fate, fatesOf, howLong, keptUntil, settle } from './leftovers/keeping.ts';
import type { LeftoverPlace, Replaced } from './leftovers/leftovers.ts';
import type { Step } from './plan.ts';
import type { Target } from './target.ts';
import type { Work } from './work.ts';

/** Undoes what runs that were killed have left, before anything else. undefined: they have left nothing. */
export function recoverStep({ target, platform }: Work): Step | undefined {
  const { halfSwapped, placed, unused } = target.leftovers;
  const removed = [...unused.databases, ...unused.folders];
  if (halfSwapped.length === 0 && removed.length === 0) return undefined;
  return {
    name: 'recover',
    title: 'Clean up after a run that was killed',
    details: [
      ...halfSwapped.map(({ database }) => `rename ${database} back: its filestore was never swapped`),
      ...(placed.length > 0 && !target.current
        ? [`take ${target.filestore?.path} back: its database never had its name`]
        : []),
      ...removed.map((each) => `remove ${each}`),
    ],
    run: () => recover(target, platform),
  };
}

async function recover(
  { admin, database, filestore, current, leftovers }: Target,
  platform: Platform,
): Promise<void> {
  const { halfSwapped, placed, unused } = leftovers;
  const databases = [...unused.databases];
  const folders = [...unused.folders];
  for (const { timestamp, replaced } of current ? [] : placed.toReversed()) {
    if (!filestore) continue;
    const built = derivedFolder(filestore.path, 'new', timestamp);
    await swapFoldersBack(filestore, { current: filestore.path, old: replaced, new: built });
    folders.push(built);
  }
  for (const { timestamp, database: old, mark } of halfSwapped.toReversed()) {
    const built = derivedName(database, 'new', timestamp);
    if (filestore) {
      const path = (derivation: 'new' | 'old') => derivedFolder(filestore.path, derivation, timestamp);
      await swapFoldersBack(filestore, { current: filestore.path, old: path('old'), new: path('new') });
      folders.push(path('new'));
    }
    await swapDatabasesBack(
      admin,
      { current: database, old, new: built },
      { before: mark?.comment ?? null, own: null, after: () => '' },
    );
    platform.info(`${old} is ${database} again`);
    databases.push(built);
  }
  for (const folder of folders) if (filestore) await removeDerivedFolder(filestore, folder);
  for (const name of databases) await dropDerivedDatabase(admin, name, database);
}

/**
 * Drops what earlier runs have replaced ahead of its time, where the new does not fit beside it. undefined: it fits.
 */
export function roomStep({ target, findings }: Work): Step | undefined {
  const pairs = findings.dropFirst;
  if (pairs.length === 0) return undefined;
  return {
    name: 'room',
    title: 'Make room: remove what earlier runs have replaced',
    details: pairs.map((pair) =>
      [pairName(pair), keptUntil(pair), 'the new does not fit beside it'].filter(Boolean).join('; '),
    ),
    run: () => removePairs(target, pairs),
  };
}

/** What is done with what was replaced, now or earlier, once Odoo is healthy. */
export function previousSteps(work: Work): Step[] {
  const { target } = work;
  const fates = fatesOf(work);
  const kept = fates.filter(({ keep }) => keep !== undefined);
  const removed = fates.filter(({ keep }) => keep === undefined);
  const line = ({ about, ...pair }: Fate) => [pairName(pair), ...about].join('; ');
  return [
    ...(kept.length === 0
      ? []
      : [
          {
            name: 'keep',
            title: 'Keep what was replaced',
            details: kept.map((fate) => `${line(fate)}; ${fate.keep ? howLong(fate.keep) : ''}`),
            run: () => settle(target, kept),
          },
        ]),
    ...(removed.length === 0
      ? []
      : [
          {
            name: 'remove',
            title: 'Remove what was replaced',
            details: removed.map(line),
            run: async () => {
              await settle(target, removed);
              await removePairs(target, removed);
            },
          },
        ]),
  ];
}

/** The folder first: a database without its folder is known by its comment, a folder alone by nothing. */
export async function removePairs(
  { admin, database, filestore }: LeftoverPlace,
  pairs: readonly Replaced[],
): Promise<void> {
  for (const pair of pairs) {
    if (pair.folder !== undefined && filestore) await removeDerivedFolder(filestore, pair.folder);
    if (pair.database !== undefined) await dropDerivedDatabase(admin, pair.database, database);
  }
}
