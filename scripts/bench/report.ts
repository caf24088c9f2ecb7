import { cpus, totalmem } from 'node:os';
import { formatBytes, formatCount } from '../../src/util/format.ts';
import { type Again, resticScript } from './again.ts';
import { type Run, script } from './contenders.ts';
import type { Data } from './data.ts';
import type { Many } from './many.ts';
import { type Rollback, script as rollbackScript } from './rollback.ts';
import type { Verification } from './verify.ts';

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

/** One case of rollbacks, with the runs of both contenders. */
export interface RollbackResult extends Pick<Result, 'size' | 'data' | 'link'> {
  /** That the service takes to stop and to start, by itself. */
  readonly serviceSeconds: number;
  readonly ours: readonly Rollback[];
  readonly theirs: readonly Rollback[];
}

/** The results of rollbacks as Markdown. */
export function rollbackReport(results: readonly RollbackResult[]): string[] {
  const header = ['Data', 'Line', 'Ours', 'Theirs', 'Ratio (goal 0.70)'];
  const downtimes = ['Our downtime', 'Beyond the service’s own stop and start (goal 2 s)', 'Their downtime'];
  const of = (runs: readonly Rollback[], name: 'seconds' | 'downtime') =>
    middle(runs.map((run) => run[name]));
  const rows = results.map(({ size, data, link, serviceSeconds, ours, theirs }) => {
    const [our, their] = [of(ours, 'seconds'), of(theirs, 'seconds')];
    const downtime = of(ours, 'downtime');
    return [
      dataText(size, data),
      link,
      time(our),
      time(their),
      ((our ?? 0) / (their ?? 1)).toFixed(2),
      time(downtime),
      time((downtime ?? 0) - serviceSeconds),
      time(of(theirs, 'downtime')),
    ];
  });
  return [
    'Rollback',
    'After a small damage: 1,000 changed rows, 20 files that are gone. Both put the same archive back.',
    table([...header, ...downtimes], rows),
    ...results.map(breakdown),
    `Theirs, each step timed; Odoo is away from the third on:\n\n\`\`\`bash\n${Object.values(rollbackScript).join('\n')}\n\`\`\``,
  ];
}

/** Next backups, for one size of filestore, by their contender's name. */
export interface AgainResult extends Pick<Result, 'size' | 'data' | 'link'> {
  readonly runs: Readonly<Record<string, readonly Again[]>>;
}

/** The results of next backups as Markdown. */
export function againReport(results: readonly AgainResult[]): string[] {
  const names = Object.keys(results[0]?.runs ?? {});
  const of = ({ runs }: AgainResult, name: string, what: Exclude<keyof Again, 'roundTrips'>) =>
    middle((runs[name] ?? []).flatMap((run) => run[what] ?? [])) ?? 0;
  const rows = results.flatMap((result) =>
    names.map((name) => {
      const [seconds, ours] = [of(result, name, 'seconds'), of(result, 'ours', 'seconds')];
      const [sent, peak] = [of(result, name, 'sentBytes'), of(result, name, 'peakBytes')];
      const title = name.replaceAll('|', '\\|');
      const about = name === 'ours' ? [dataText(result.size, result.data), result.link] : ['', ''];
      const cells = [...about, title, time(seconds), (ours / seconds).toFixed(2)];
      const requests = of(result, name, 'requests');
      const memory = peak > 0 ? `${(peak / 1e6).toFixed(0)} MB` : '–';
      const trips = (result.runs[name] ?? []).flatMap(({ roundTrips }) => roundTrips ?? []);
      const [toHost, toS3] = [middle(trips.map(({ host }) => host)), middle(trips.map(({ s3 }) => s3))];
      const inTurn = toHost === undefined ? '–' : `${toHost} and ${toS3}`;
      return [...cells, sent > 0 ? bytes(sent) : '–', requests > 0 ? String(requests) : '–', inTurn, memory];
    }),
  );
  const header = [
    'Data',
    'Line',
    'By',
    'Time',
    'Ours in proportion',
    'Sent to S3',
    'Requests',
    'One after the other',
    'Peak memory',
  ];
  return [
    'The next backup',
    'Of a database of one size and filestores of several, after 500 new partners and 10 new files of 1 MiB. What is sent should be the same for every filestore. restic, the script and `format: custom` hold one dump, the others two; restic sends only the blocks of a dump that are new, to a repository that only restic reads. “One after the other” says how many questions to the host, and how many requests to S3 (parts apart), each waited for the answer to the one before.',
    table(header, rows),
    `restic, from the host, into a repository that has both already:\n\n\`\`\`bash\n${Object.values(resticScript).join('\n')}\n\`\`\``,
  ];
}

/** Backups of many files. */
export interface ManyResult extends Pick<Result, 'size' | 'data' | 'link'> {
  readonly runs: readonly Many[];
}

/** What many files cost as Markdown. */
export function manyReport(results: readonly ManyResult[]): string[] {
  const rows = results.map(({ size, data, runs }) => {
    const cells = (['first', 'next'] as const).flatMap((which) => {
      const of = (what: 'seconds' | 'peakBytes') => middle(runs.map((run) => run[which][what]));
      return [time(of('seconds')), `${((of('peakBytes') ?? 0) / 1e6).toFixed(0)} MB`];
    });
    return [dataText(size, data), ...cells];
  });
  const header = ['Data', 'First backup', 'Peak memory', 'Next backup', 'Peak memory (goal 400 MB)'];
  return [
    'Many files',
    'Filestores of small files, on loopback, with `format: custom`: what S3 copies has an entry in the archive’s directory all the same.',
    table(header, rows),
  ];
}

/** What the levels of proof cost, for one size of data. */
export interface VerifyResult extends Pick<Result, 'size' | 'data' | 'link'> {
  readonly runs: readonly Verification[];
}

/** The costs of the levels of proof as Markdown. */
export function verifyReport(results: readonly VerifyResult[]): string[] {
  const rows = results.flatMap(({ size, data, link, runs }) => {
    const backup = middle(runs.map(({ seconds }) => seconds)) ?? 0;
    const archive = bytes(middle(runs.map(({ archiveBytes }) => archiveBytes)));
    return (runs[0]?.proofs ?? []).map(({ level }) => {
      const proofs = runs.flatMap((run) => run.proofs.filter((each) => each.level === level));
      const seconds = middle(proofs.map((each) => each.seconds)) ?? 0;
      const peak = (middle(proofs.map(({ peakBytes }) => peakBytes)) ?? 0) / 1e6;
      const cells = [dataText(size, data), link, archive, level, time(backup), time(seconds)];
      return [...cells, (seconds / backup).toFixed(2), `${peak.toFixed(0)} MB`];
    });
  });
  const header = ['Data', 'Line', 'Archive', 'Level', 'The backup itself', 'Proof', 'Ratio', 'Peak memory'];
  return [
    'Verify',
    'What a level of proof costs beside the backup, as a command of its own. `restore` begins with a look at the contents.',
    table(header, rows),
  ];
}

/** What everything ran on. */
export function machineText(versions: readonly string[], rounds: number): string {
  const cores = cpus();
  const machine = `${cores.length} × ${cores[0]?.model ?? 'unknown'}, ${formatBytes(totalmem())} of memory`;
  return `Host, runner and S3 server on one machine: ${machine}. ${versions.join(', ')}. Medians of ${rounds}.`;
}

/** A page with these sections in the place of its own of the same titles, or behind them. */
export function withSections(page: string, sections: readonly string[]): string {
  return sections.reduce((text, section) => {
    const [title = ''] = section.split('\n');
    const start = `\n${text}`.indexOf(`\n${title}\n`);
    if (start < 0) return `${text.trimEnd()}\n\n${section}\n`;
    const next = text.indexOf('\n## ', start);
    return `${text.slice(0, start)}${section}\n${next < 0 ? '' : text.slice(next)}`;
  }, page);
}

/** The results of backups as Markdown: a title, and what stands below it. */
export function report(results: readonly Result[]): string[] {
  const header = ['Data', 'Line', 'Ours', 'Theirs', 'Ratio (goal 0.40)', 'Our peak memory (goal 400 MB)'];
  return [
    'Backup',
    table([...header, 'Archives', 'Over SSH'], results.map(row)),
    ...results.map(breakdown),
    `Theirs, each step timed:\n\n\`\`\`bash\n${Object.values(script).join('\n')}\n\`\`\``,
    'Ours makes more: both dumps (for `pg_restore`, and as Odoo restores) where theirs has the first only, every file checked against its SHA-1, the upload verified, and a receipt.',
  ];
}

function row({ size, data, link, ours, theirs }: Result): string[] {
  const [our, their] = [median(ours, 'seconds'), median(theirs, 'seconds')];
  const both = (name: 'archiveBytes' | 'receivedBytes') =>
    `${bytes(median(ours, name))} / ${bytes(median(theirs, name))}`;
  const what = dataText(size, data);
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

const dataText = (size: string, data: Data): string =>
  `${size}: database ${formatBytes(data.databaseBytes)}, ${formatCount(data.files)} files of ${formatBytes(data.filestoreBytes)}`;

type Timed = Pick<Run, 'steps'>;

interface Compared extends Pick<Result, 'size' | 'link'> {
  readonly ours: readonly Timed[];
  readonly theirs: readonly Timed[];
}

function breakdown({ size, link, ours, theirs }: Compared): string {
  const steps = (runs: readonly Timed[]) =>
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
