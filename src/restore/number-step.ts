import { moveNumbersOn, numberWords } from '../odoo/numbering.ts';
import { majorOf } from '../postgres/version.ts';
import { messageOf } from '../util/errors.ts';
import { formatCounted, formatNames } from '../util/format.ts';
import type { Step } from './plan.ts';
import type { Work } from './work.ts';

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
