import { cpus, totalmem } from 'node:os';
import { formatBytes, formatCount } from '../../src/report/format.ts';
import { type Run, script } from './contenders.ts';
import type { Data } from './data.ts';

/** One case, with the runs of both contenders. */
export interface Result {
  readonly size: string;
  readonly data: Data;
  readonly link: string;
  readonly ours: readonly Measured[];
  readonly theirs: readonly Measured[];
}

export interface Measured extends Run {
  /** Over the line from the host, in bytes; undefined where nobody counted. */
  readonly receivedBytes: number | undefined;
}

/** The results as Markdown. */
export function report(results: readonly Result[], versions: readonly string[]): string {
  const rounds = results[0]?.ours.length ?? 0;
  const cores = cpus();
  const machine = `${cores.length} × ${cores[0]?.model ?? 'unknown'}, ${formatBytes(totalmem())} of memory`;
  const header = ['Data', 'Line', 'Ours', 'Theirs', 'Ratio (goal 0.40)', 'Our peak memory (goal 400 MB)'];
  return [
    `Host, runner and S3 server on one machine: ${machine}. ${versions.join(', ')}. Medians of ${rounds}.`,
    table([...header, 'Archives', 'Over SSH'], results.map(row)),
    ...results.map(breakdown),
    `Theirs, each step timed:\n\n\`\`\`bash\n${Object.values(script).join('\n')}\n\`\`\``,
    'Ours makes more: both dumps (for `pg_restore`, and as Odoo restores) where theirs has the first only, every file checked against its SHA-1, the upload verified, and a receipt.',
  ].join('\n\n');
}

function row({ size, data, link, ours, theirs }: Result): string[] {
  const [our, their] = [median(ours, 'seconds'), median(theirs, 'seconds')];
  const both = (name: 'archiveBytes' | 'receivedBytes') =>
    `${bytes(median(ours, name))} / ${bytes(median(theirs, name))}`;
  const what = `${size}: database ${formatBytes(data.databaseBytes)}, ${formatCount(data.files)} files of ${formatBytes(data.filestoreBytes)}`;
  const peak = `${((median(ours, 'peakBytes') ?? 0) / 1e6).toFixed(0)} MB`;
  return [
    what,
    link,
    time(our),
    time(their),
    ((our ?? 0) / (their ?? 1)).toFixed(2),
    peak,
    both('archiveBytes'),
    both('receivedBytes'),
  ];
}

function breakdown({ size, link, ours, theirs }: Result): string {
  const steps = (runs: readonly Run[]) =>
    Object.keys(runs[0]?.steps ?? {})
      .map((step) => `${step} ${time(middle(runs.map((run) => run.steps[step] ?? 0)))}`)
      .join(', ');
  return `**${size}, ${link}**\n\n- ours: ${steps(ours)}\n- theirs: ${steps(theirs)}`;
}

function median(runs: readonly Measured[], name: 'seconds' | 'archiveBytes' | 'receivedBytes' | 'peakBytes') {
  return middle(runs.flatMap((run) => run[name] ?? []));
}

/** The median; undefined of nothing. */
function middle(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

const time = (seconds: number | undefined): string => `${(seconds ?? 0).toFixed(1)} s`;
const bytes = (count: number | undefined): string =>
  count === undefined ? '–' : formatBytes(Math.round(count));

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
