import { code, type Summary } from '../report/summary.ts';
import type { Store } from '../s3/store.ts';
import { formatAge, formatBytes, formatDuration, formatInstant, formatLimit } from '../util/format.ts';
import type { Entry } from './entries.ts';
import { flawsOf } from './flaws.ts';
import type { GateQuestion, GateVerdict } from './gate.ts';
import { receiptKey } from './keys.ts';
import { timeOf } from './retention.ts';
import { shrinkWords } from './shrink.ts';
import { conditionWords, sealedWords, signerWords, unrestorableWords } from './words.ts';

/** The outputs about the backup that the gate lets pass, by their names in action.yml. */
export function gateOutputs(
  store: Store,
  { key, database, receipt, condition }: Entry,
): Record<string, string> {
  return {
    key,
    uri: store.uri(key),
    receipt: receiptKey(key),
    size: String(receipt?.size ?? ''),
    database,
    'odoo-version': receipt?.odoo?.version ?? '',
    verified: condition.kind === 'verified' ? condition.level : '',
    json: JSON.stringify(receipt ?? null),
  };
}

export function openSummary(store: Store, entry: Entry, now: Date): Summary {
  const made = new Date(timeOf(entry));
  const flaws = entry.receipt ? flawsOf(entry.receipt) : [];
  return {
    outcome: 'done',
    title: `The gate is open: ${entry.database} has a backup`,
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Backup', code(store.uri(entry.key))],
          ['Made', `${formatInstant(made)}, ${formatAge(made, now)}`],
          ['Verified', conditionWords(entry)],
          ...signedRow(entry),
          ...sealedRow(entry),
          ['Size', formatBytes(entry.archive?.size ?? 0)],
          ...(flaws.length === 0 ? [] : ([['Lacks', flaws.join(', ')]] as const)),
        ],
      },
    ],
  };
}

function signedRow({ authorship }: Entry): [string, string][] {
  const words = signerWords(authorship);
  return words === '' ? [] : [['Signed', words]];
}

function sealedRow({ receipt }: Entry): [string, string][] {
  return receipt?.sealed ? [['Sealed', sealedWords(receipt)]] : [];
}

export function shutSummary(question: GateQuestion, folder: string, why: string): Summary {
  const { database, backup, require, maxAgeMs } = question;
  const asked = `verified to the level ${require} or further, not older than ${formatLimit(maxAgeMs)}`;
  return {
    outcome: 'failed',
    title: `The gate is shut for ${database}`,
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Because', why],
          ['Asked for', `${backup === 'latest' ? 'a backup' : backup}, ${asked}`],
          ['Looked in', code(folder)],
        ],
      },
    ],
  };
}

/** Why the gate is shut, in one sentence. */
export function shutWords(
  verdict: Exclude<GateVerdict, { kind: 'open' }>,
  { database, backup, require, maxAgeMs, maxShrink, maxRestoreMs }: GateQuestion,
  folder: string,
  now: Date,
): string {
  const named = backup !== 'latest';
  if (verdict.kind === 'none') {
    const what = named ? `backup ${backup}` : 'backup';
    return `There is no ${what} of ${database} in ${folder}`;
  }
  const { entry } = verdict;
  switch (verdict.kind) {
    case 'unverified':
      return named
        ? `${entry.key} is no verified backup: ${conditionWords(entry)}`
        : `No backup of ${database} is verified; the newest is ${entry.key}: ${conditionWords(entry)}`;
    case 'unrestorable': {
      const which = named ? entry.key : `The newest backup of ${database}, ${entry.key},`;
      return `${which} is whole, and its restore test says: ${unrestorableWords(entry)}`;
    }
    case 'old': {
      const made = new Date(timeOf(entry));
      const which = named ? entry.key : `The newest verified backup of ${database}, ${entry.key},`;
      return `${which} is of ${formatInstant(made)}, ${formatAge(made, now)}: max-age is ${formatDuration(maxAgeMs)}`;
    }
    case 'shrunk': {
      const which = named ? entry.key : `The newest backup of ${database}, ${entry.key},`;
      return `${which} has shrunk by more than ${maxShrink} percent: ${shrinkWords(verdict.shrinks)}`;
    }
    case 'slow': {
      const limit = formatDuration(maxRestoreMs ?? 0);
      if (!verdict.measured) {
        return `No restore test of ${database} has measured how long a restore takes, and max-restore is ${limit}`;
      }
      const { key, seconds, until } = verdict.measured;
      const took = formatDuration(seconds * 1000);
      return until === 'boot'
        ? `From the archive to Odoo’s answer, ${database} took ${took}, as measured with ${key}: max-restore is ${limit}`
        : `The last restore test of ${database}, of ${key}, took ${took}: max-restore is ${limit}`;
    }
    case 'level': {
      const which = named ? entry.key : `The newest backup of ${database}, ${entry.key},`;
      return `${which} is verified to the level ${conditionWords(entry)}: ${require} is required`;
    }
  }
}
