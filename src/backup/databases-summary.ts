import { flawsOf } from '../catalog/flaws.ts';
import { levelOf, levels } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { code, type Summary, type Text } from '../report/summary.ts';
import { messageOf } from '../util/errors.ts';
import { formatBytes, formatCounted, formatDuration } from '../util/format.ts';
import { backupOutputs } from './summary.ts';

/** Result for one of several databases. Neither receipt nor error: it was a dry run. */
export interface DatabaseResult {
  readonly database: string;
  readonly receipt?: Receipt;
  /** What became of older backups. */
  readonly pruned?: string | undefined;
  readonly error?: unknown;
}

/** The outputs of a backup of several databases: what belongs to one archive is in `json`, an array. */
export function databasesOutputs(results: readonly DatabaseResult[]): Record<string, string> {
  const made = results.flatMap(({ receipt }) => receipt ?? []).map(backupOutputs);
  const sum = (name: string) => made.reduce((total, outputs) => total + Number(outputs[name]), 0);
  const lowest = levels.find((level) => made.some(({ verified }) => verified === level));
  return {
    database: made.map(({ database }) => database).join(','),
    size: String(sum('size')),
    duration: sum('duration').toFixed(1),
    verified: lowest ?? '',
    'missing-files': String(sum('missing-files')),
    'bytes-sent': String(sum('bytes-sent')),
    json: `[${made.map(({ json }) => json).join(',')}]`,
  };
}

/** One table, a row for each database. */
export function databasesSummary(results: readonly DatabaseResult[], dryRun: boolean): Summary {
  const failed = results.filter(({ error }) => error !== undefined).length;
  const flawed = results.some(({ receipt }) => receipt && flawsOf(receipt).length > 0);
  const count = formatCounted(results.length - failed, 'database');
  const of = failed > 0 ? `, ${failed} could not be` : '';
  const pruned = results.some((each) => each.pruned !== undefined);
  return {
    outcome: failed > 0 ? 'failed' : flawed ? 'flawed' : 'done',
    title: dryRun ? `Dry run: ${count} can be backed up${of}` : `${count} backed up${of}`,
    blocks: [
      {
        kind: 'table',
        columns: [
          { name: 'Database' },
          { name: 'Odoo' },
          { name: 'Archive' },
          { name: 'Size', align: 'right' },
          { name: 'Verified' },
          { name: 'Time', align: 'right' },
          ...(pruned ? [{ name: 'Retention' }] : []),
        ],
        rows: results.map((result) => [...rowOf(result), ...(pruned ? [result.pruned ?? ''] : [])]),
      },
    ],
  };
}

function rowOf({ database, receipt, error }: DatabaseResult): Text[] {
  if (!receipt)
    return [code(database), '', error === undefined ? 'not made: dry run' : messageOf(error), '', '', ''];
  const ms = Date.parse(receipt.finishedAt) - Date.parse(receipt.startedAt);
  return [
    code(database),
    receipt.odoo?.version ?? '',
    code(receipt.key),
    formatBytes(receipt.size),
    [levelOf(receipt) ?? '', ...flawsOf(receipt)].join(', '),
    formatDuration(ms),
  ];
}
