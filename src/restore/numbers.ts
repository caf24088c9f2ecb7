import type { RestoreSource } from '../backup-reader/open.ts';
import { within } from '../host/limits.ts';
import { furtherThan, type NumberGiven, numbersOf } from '../odoo/numbering.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import { messageOf } from '../util/errors.ts';
import type { Target } from './target.ts';

/** Sequences that gave out numbers since the backup, or why they are not known. */
export type GivenSince =
  | { readonly known: true; readonly numbers: readonly NumberGiven[] }
  | { readonly known: false; readonly because: string };

/** How long a rollback may be held up by finding out. */
const LIMIT_MS = 2000;

/** Compares the live database with what the backup says, read only. Never fails. */
export async function findGivenSince(
  { description }: Pick<RestoreSource, 'description'>,
  { current, postgres, database }: Pick<Target, 'current' | 'postgres' | 'database'>,
): Promise<GivenSince> {
  const before = description?.numbers;
  if (!before) return { known: false, because: 'the backup does not say how far they were' };
  if (!current?.allowsConnections) return { known: false, because: `${database} takes no connections` };
  try {
    return await within(AbortSignal.timeout(LIMIT_MS), async () => {
      await using snapshot = await Snapshot.open(postgres, database, LIMIT_MS);
      const now = await numbersOf(snapshot);
      if (!now)
        return {
          known: false,
          because: `${postgres.login} is a superuser, and does not query what others own`,
        };
      return { known: true, numbers: furtherThan(new Map(Object.entries(before)), now) };
    });
  } catch (error) {
    return { known: false, because: messageOf(error) };
  }
}
