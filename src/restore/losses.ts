import type { RestoreSource } from '../backup-reader/open.ts';
import { within } from '../host/limits.ts';
import {
  type ChangesSince,
  changesSince,
  type GivenNumbers,
  type ModelChanges,
} from '../odoo/changes-since.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import type { Block, Facts } from '../report/summary.ts';
import { messageOf } from '../util/errors.ts';
import { formatAge, formatCount, formatCounted, formatNames } from '../util/format.ts';
import type { Target } from './target.ts';

/** What a rollback takes away: what was entered since the backup; or why that is not known. */
export type Losses =
  | ({ readonly known: true } & ChangesSince)
  | { readonly known: false; readonly because: string };

/** How long a rollback may be held up by finding out. */
const LIMIT_MS = 2000;

/**
 * Compares the live database with the instant of the backup, read only. Never fails, and takes no longer than its
 * limit: a rollback of a broken database is what it is for.
 *
 * @returns undefined where there is no database that could lose anything
 */
export async function findLosses(
  { createdAt, description }: Pick<RestoreSource, 'createdAt' | 'description'>,
  { current, postgres, database }: Pick<Target, 'current' | 'postgres' | 'database'>,
  limitMs = LIMIT_MS,
): Promise<Losses | undefined> {
  if (!current) return undefined;
  if (createdAt === undefined) return unknown('the backup does not say when it was made');
  if (!current.allowsConnections) return unknown(`${database} takes no connections`);
  try {
    return await within(AbortSignal.timeout(limitMs), async () => {
      await using snapshot = await Snapshot.open(postgres, database, limitMs);
      if (snapshot.onlyCopies) {
        return unknown(
          `${postgres.login} is a superuser, and does not query what others own. Set db-user to the owner of ${database}`,
        );
      }
      const since = { instant: createdAt, counts: description?.counts ?? {} };
      return { known: true, ...(await changesSince(snapshot, since)) };
    });
  } catch (error) {
    return unknown(messageOf(error));
  }
}

const unknown = (because: string): Losses => ({ known: false, because });

/** Models that a line of the log names. */
const NAMED = 6;
/** Models that the table of a summary names. */
const LISTED = 20;

/** For the log and for the facts of a summary. */
export function lossFacts(losses: Losses | undefined, now: Date): Facts['rows'] {
  return losses ? [['Entered since', lossText(losses, now)]] : [];
}

/** `37 customer invoices (INV/2026/00412 to 00448); Contact: 4 created; by admin; last entry 3 minutes ago` */
export function lossText(losses: Losses, now: Date): string {
  if (!losses.known) return `not known: ${losses.because}`;
  const { numbers, models, technical, mails, visitors, logins, lastAt, unseen } = losses;
  const numbered = new Set(numbers.map(({ kind }) => kind));
  const others = models.filter(
    ({ label, model }) => !numbered.has(label) && !(model === 'account.move' && numbers.length > 0),
  );
  const entered = [...numbers.map(numbersText), ...others.slice(0, NAMED).map(modelText)];
  const more = others.length - NAMED;
  return [
    ...(entered.length === 0 ? ['nothing that people enter'] : entered),
    ...(more > 0 ? [`and ${formatCounted(more, 'other model')}`] : []),
    ...(technical > 0 ? [formatCounted(technical, 'technical record')] : []),
    ...(mails > 0 ? [`${formatCounted(mails, 'message')} sent by e-mail`] : []),
    ...(visitors > 0 ? [`${formatCounted(visitors, 'person', 'people')} logged in`] : []),
    ...(logins === undefined
      ? ['by whom is not known']
      : logins.length > 0
        ? [`by ${formatNames(logins, 5)}`]
        : []),
    ...(lastAt ? [`last entry ${formatAge(lastAt, now)}`] : []),
    ...(unseen.length > 0 ? [`not all was looked at: ${formatNames(unseen, 5)}`] : []),
  ].join('; ');
}

const numbersText = ({ kind, count, first, last }: GivenNumbers): string =>
  `${formatCount(count)} ${kind} (${first === last ? first : `${first} to ${withoutCommonStart(first, last)}`})`;

/** `00448` for `INV/2026/00448` after `INV/2026/00412`: what differs, from the last number on. */
export function withoutCommonStart(first: string, last: string): string {
  const start = last.replace(/\d+\D*$/, '');
  return start !== last && first.startsWith(start) ? last.slice(start.length) : last;
}

const modelText = ({ label, ...changes }: ModelChanges): string => `${label}: ${changesText(changes)}`;

const changesText = ({ created, changed, deleted, atLeast }: Omit<ModelChanges, 'label' | 'model'>): string =>
  [
    ...(created > 0 ? [`${atLeast ? 'at least ' : ''}${formatCount(created)} created`] : []),
    ...(changed ? [`${formatCount(changed)} changed`] : []),
    ...(deleted ? [`${formatCount(deleted)} deleted`] : []),
  ].join(', ');

/** For the summary: each model with what a rollback takes away. Empty where nothing was entered or nothing is known. */
export function lossTable(losses: Losses | undefined): Block[] {
  if (!losses?.known || losses.models.length === 0) return [];
  const { models } = losses;
  const number = (value: number | undefined): string => (value === undefined ? '–' : formatCount(value));
  return [
    {
      kind: 'table',
      columns: [
        { name: 'Entered since the backup' },
        { name: 'Created', align: 'right' },
        { name: 'Changed', align: 'right' },
        { name: 'Deleted', align: 'right' },
      ],
      rows: models
        .slice(0, LISTED)
        .map(({ label, created, changed, deleted, atLeast }) => [
          label,
          `${atLeast ? '≥ ' : ''}${formatCount(created)}`,
          number(changed),
          number(deleted),
        ]),
    },
    ...(models.length > LISTED
      ? [{ kind: 'note' as const, text: `And ${formatCounted(models.length - LISTED, 'other model')}.` }]
      : []),
  ];
}
