import type { RestoreSource } from '../backup-reader/open.ts';
import { within } from '../host/limits.ts';
import { furtherThan, moveNumbersOn, type NumberGiven, numbersOf, numberWords } from '../odoo/numbering.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import { majorOf } from '../postgres/version.ts';
import { messageOf } from '../util/errors.ts';
import { formatCounted, formatNames } from '../util/format.ts';
import type { Step } from './plan.ts';
import type { Target } from './target.ts';
import type { Work } from './work.ts';

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

/** Sequences that a plan names. */
const NAMED = 10;

/** Moves the sequences of the new database on, once Odoo gives out no more numbers. */
export function numberSteps(work: Work): Step[] {
  const { request, findings, databases, source } = work;
  const since = findings.givenSince;
  if (!request.keepSequences || databases.old === undefined || !since) return [];
  const major = majorOf(source.odooVersion?.replace(/^saas~/, ''));
  return [
    {
      name: 'sequences',
      title: 'Move the sequences beyond the numbers that were given out',
      details: [
        since.known
          ? `since the backup: ${formatNames(since.numbers.map(numberWords), NAMED) || 'none'}`
          : `which is found out then: ${since.because}`,
        ...(major !== undefined && major < 14
          ? []
          : ['invoices are not among them: from Odoo 14 on, each takes its number from the one before']),
      ],
      unbroken: true,
      run: () => moveOn(work),
    },
  ];
}

/** A live database that cannot be read is what a rollback is for: it goes on without. */
async function moveOn({ findings, databases, platform, leftOut }: Work): Promise<void> {
  try {
    const moved = await moveNumbersOn(findings.loader, { from: databases.current, to: databases.new });
    platform.info(
      moved.length === 0
        ? 'No number was given out since the backup'
        : `${formatCounted(moved.length, 'sequence')} moved on: ${formatNames(moved.map(numberWords), NAMED)}`,
    );
  } catch (error) {
    platform.warning(
      `Numbers may be given out twice: the sequences could not be moved on: ${messageOf(error)}`,
    );
    leftOut.push(`the sequences stand where they were in the backup: ${messageOf(error)}`);
  }
}
