import type { Step } from '../restore/plan.ts';
import type { RestoreSource } from '../restore/source.ts';
import { receiptKey } from '../storage/catalog.ts';
import { formatAge, formatBytes, formatDuration, formatInstant } from './format.ts';
import { type Block, code, type Facts, type Summary } from './summary.ts';

/** How a rollback or restore ended. */
export interface Outcome {
  readonly source: RestoreSource;
  /** That is there now. */
  readonly database: string;
  readonly host: string;
  readonly dryRun: boolean;
  readonly steps: readonly Step[];
  /** What was replaced and is still there. */
  readonly kept: string | undefined;
  /** undefined: Odoo was not stopped. */
  readonly downtimeSeconds: number | undefined;
  readonly seconds: number;
  /** Seconds a phase. */
  readonly durations: Readonly<Record<string, number>>;
}

/** By their names in action.yml. */
export function outcomeOutputs({
  source,
  database,
  downtimeSeconds,
  seconds,
  dryRun,
}: Outcome): Record<string, string> {
  return {
    key: source.key,
    uri: source.uri,
    receipt: source.receipt ? receiptKey(source.key) : '',
    size: String(source.size),
    database,
    'odoo-version': source.odooVersion ?? '',
    verified: source.receipt?.proofs.at(-1)?.level ?? '',
    duration: seconds.toFixed(1),
    ...(dryRun ? {} : { 'restore-seconds': seconds.toFixed(1) }),
    ...(downtimeSeconds === undefined ? {} : { downtime: downtimeSeconds.toFixed(1) }),
  };
}

/** What a person reads in ten seconds. */
export function outcomeSummary(outcome: Outcome): Summary {
  const { source, database, host, dryRun, kept, downtimeSeconds, seconds } = outcome;
  const made = source.createdAt;
  const rows: Facts['rows'] = [
    ['Database', [code(database), ` on ${host}`]],
    ['Backup', code(source.uri)],
    ['Made', made ? `${formatInstant(made)}, ${formatAge(made, new Date())}` : 'unknown'],
    ['Size', formatBytes(source.size)],
    ...(dryRun || downtimeSeconds === undefined
      ? []
      : ([['Downtime', formatDuration(downtimeSeconds * 1000)]] as const)),
    ...(dryRun || kept === undefined ? [] : ([['Kept', [code(kept), ', which was replaced']]] as const)),
    ['Time', `${formatDuration(seconds * 1000)}${phasesOf(outcome)}`],
  ];
  const title = dryRun
    ? `The plan for ${database} can be done; nothing was changed`
    : `${database} is restored`;
  return {
    outcome: 'done',
    title,
    blocks: [{ kind: 'facts', rows }, ...(dryRun ? [planOf(outcome.steps)] : [])],
  };
}

const planOf = (steps: readonly Step[]): Block => ({
  kind: 'table',
  columns: [
    { name: '', align: 'right' },
    { name: 'Step' },
    { name: 'Details' },
    { name: 'If it, or a later one, fails' },
  ],
  rows: steps.map(({ title, details, undo }, i) => [
    `${i + 1}`,
    title,
    details.join('; '),
    undo?.title ?? '',
  ]),
});

function phasesOf({ durations }: Outcome): string {
  const phases = Object.entries(durations).map(([name, s]) => `${name} ${formatDuration(s * 1000)}`);
  return phases.length === 0 ? '' : ` (${phases.join(', ')})`;
}
