import type { Step } from '../restore/plan.ts';
import { describePlan } from '../restore/plan.ts';
import type { RestoreSource } from '../restore/source.ts';
import { receiptKey } from '../storage/catalog.ts';
import { formatAge, formatBytes, formatDuration } from './format.ts';

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

/** A page that a person reads in ten seconds, in Markdown. */
export function outcomeSummary(outcome: Outcome): string {
  const { source, database, host, dryRun, kept, downtimeSeconds, seconds } = outcome;
  const made = source.createdAt;
  const rows: [string, string][] = [
    ['Database', `\`${database}\` on ${host}`],
    ['Backup', `\`${source.uri}\``],
    [
      'Made',
      made
        ? `${made.toISOString().slice(0, 19).replace('T', ' ')} UTC, ${formatAge(made, new Date())}`
        : 'unknown',
    ],
    ['Size', formatBytes(source.size)],
    ...(dryRun || downtimeSeconds === undefined
      ? []
      : [['Downtime', formatDuration(downtimeSeconds * 1000)] as [string, string]]),
    ...(dryRun || kept === undefined
      ? []
      : [['Kept', `\`${kept}\`, which was replaced`] as [string, string]]),
    ['Time', `${formatDuration(seconds * 1000)}${phasesOf(outcome)}`],
  ];
  const table = rows.map(([name, value]) => `| **${name}** | ${value} |`).join('\n');
  const headline = dryRun ? `🔍 The plan for ${database}: nothing was changed` : `✅ ${database} is restored`;
  const plan = dryRun ? `\n\`\`\`\n${describePlan(outcome.steps).join('\n')}\n\`\`\`\n` : '';
  return `### ${headline}\n\n| | |\n| --- | --- |\n${table}\n${plan}`;
}

function phasesOf({ durations }: Outcome): string {
  const phases = Object.entries(durations).map(([name, s]) => `${name} ${formatDuration(s * 1000)}`);
  return phases.length === 0 ? '' : ` (${phases.join(', ')})`;
}
