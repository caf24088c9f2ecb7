import type { Summary } from '../report/summary.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';

/** One line of the checklist of a set-up. */
export interface Item {
  /** `Log in`, `Stop and start Odoo` */
  readonly name: string;
  /** `later`: there is nothing to put right, but something is still to come, such as the first backup. */
  readonly state: 'ready' | 'missing' | 'later' | 'unchecked';
  /** What was found, or what is missing. */
  readonly found: string;
  /** What to do about it; empty: nothing. */
  readonly advice: string;
}

const signs = { ready: '✓', missing: '✗', later: '…', unchecked: '?' } as const;

export const ready = (name: string, found: string): Item => ({ name, state: 'ready', found, advice: '' });

/** What an error says is missing. */
export const missing = (name: string, error: unknown): Item => ({
  name,
  state: 'missing',
  found: messageOf(error),
  advice: error instanceof UserError ? error.hint.replace(/^Nothing was changed\. /, '') : '',
});

export const unchecked = (name: string): Item => ({
  name,
  state: 'unchecked',
  found: 'not checked, because of the above',
  advice: '',
});

/** The checklist with ticks, and under each item that is missing the lines to add. */
export function checklistSummary(items: readonly Item[], database: string): Summary {
  const lacking = items.filter(({ state }) => state === 'missing').length;
  const coming = items.some(({ state }) => state === 'later');
  return {
    outcome: lacking > 0 ? 'failed' : coming ? 'flawed' : 'done',
    title: titleOf(items, lacking, database),
    blocks: [
      {
        kind: 'facts',
        rows: items.map(({ name, state, found, advice }) => [
          `${signs[state]} ${name}`,
          advice === '' ? found : `${found.replace(/[.:]$/, '')}. ${advice}`,
        ]),
      },
    ],
  };
}

function titleOf(items: readonly Item[], lacking: number, database: string): string {
  if (lacking > 0) return `${formatCounted(lacking, 'thing')} of the set-up of ${database} need work`;
  if (items.some(({ state }) => state === 'later')) return `${database} is ready for its first backup`;
  return `${database} is set up: backups and rollbacks are ready`;
}
