import { formatBytes, formatCount } from '../../src/util/format.ts';
import { type BarGroup, type Chart, drawChart } from './chart.ts';
import { conclusion } from './conclusion.ts';
import { caseOf, casesOf, medianOf, middle, processorOf, ratioOf, shareOf } from './figures.ts';
import { goalStates } from './goals.ts';
import { calculateLarge, LARGE } from './large.ts';
import { PROFILE_HEADER, PROFILE_MEANING, profileCells } from './profile.ts';
import type { Case, Measure, Part, Recorded, RecordedCase } from './record.ts';
import { backupScript, dumpScript, resticScript, rollbackScript } from './scripts.ts';

/** Everything that is written from the recorded results, by its path: the page, and its charts. */
export function benchmarkFiles(recorded: Recorded): readonly (readonly [path: string, content: string])[] {
  const charts = chartsOf(recorded);
  return [
    ['docs/benchmarks.md', `${pageOf(recorded, charts)}\n`],
    ...charts.map(({ name, chart }) => [`docs/images/${name}.svg`, drawChart(chart)] as const),
  ];
}

interface NamedChart {
  readonly name: string;
  readonly chart: Chart;
}

const HOW = `Written from [benchmarks.json](benchmarks.json) by \`npm run docs\`. \`npm run bench -- --record\` measures (as root, for the simulated network and to see who uses the processors) and saves the result of each case when it ends. To measure a part: \`--what backup|again|databases|rollback|many|verify\`, \`--size NAME\`, \`--link loopback|wan\`, \`--rounds N\`, and \`--program FILE\` for another build.`;

function pageOf(recorded: Recorded, charts: readonly NamedChart[]): string {
  const sections = [
    backupSection(recorded),
    againSection(recorded),
    rollbackSection(recorded),
    databasesSection(recorded),
    manySection(recorded),
    verifySection(recorded),
    largeSection(recorded),
    processorSection(recorded),
    goalsSection(recorded),
  ];
  return [
    '# Benchmarks',
    'The program against the script that people write today and against restic, in one run and on the same data.',
    ...conclusion(recorded),
    ...charts.map(({ name, chart }) => `![${chart.title}](images/${name}.svg)`),
    HOW,
    ...sections.flat(),
    ...machinesSection(recorded),
  ].join('\n\n');
}

/** The comparisons that matter, in pictures. */
function chartsOf(recorded: Recorded): NamedChart[] {
  const group = (found: RecordedCase, names: readonly string[]): BarGroup => ({
    title: `${found.size}, ${found.link}`,
    bars: names.flatMap((label) => {
      const value = medianOf(found, label);
      return value === undefined ? [] : [{ label, value, isOurs: label.startsWith('ours') }];
    }),
  });
  const again = ['loopback', '80 ms'].flatMap((link) => caseOf(recorded, 'again', '1 GB', link) ?? []);
  const nexts = ['ours', 'ours, format: custom', 'restic', 'script', 'pg_dump | zstd -1 alone'];
  const most = casesOf(recorded, 'many').at(-1);
  const charts: readonly NamedChart[] = [
    {
      name: 'bench-next',
      chart: {
        title: 'The next backup: 370 MiB of database, 1 GB of files',
        unit: 's',
        groups: again.map((each) => group(each, nexts)),
      },
    },
    {
      name: 'bench-first',
      chart: {
        title: 'The first backup',
        unit: 's',
        groups: casesOf(recorded, 'backup').map((each) => group(each, ['ours', 'script'])),
      },
    },
    {
      name: 'bench-rollback',
      chart: {
        title: 'Rollback after a small damage',
        unit: 's',
        groups: casesOf(recorded, 'rollback').map((each) => group(each, ['ours', 'plain way'])),
      },
    },
    {
      name: 'bench-memory',
      chart: {
        title: 'Peak memory of our program; the goal is 400 MB',
        unit: 'MB',
        bound: 400,
        groups: most
          ? [
              {
                title: most.size,
                bars: Object.keys(most.runs).flatMap((label) => {
                  const peak = peakOf(most, label);
                  return peak === undefined ? [] : [{ label, value: peak / 1e6, isOurs: true }];
                }),
              },
            ]
          : [],
      },
    },
  ];
  return charts.filter(({ chart }) => chart.groups.some(({ bars }) => bars.length > 0));
}

function backupSection(recorded: Recorded): string[] {
  const cases = casesOf(recorded, 'backup');
  const rows = cases.map((each) => [
    dataText(each),
    each.link,
    time(medianOf(each, 'ours')),
    time(medianOf(each, 'script')),
    ratio(ratioOf(each, 'ours', 'script')),
    ...ourCells(each, 'ours'),
    ['ours', 'script']
      .map((name) => bytes(medianOf(each, name, ({ archiveBytes }) => archiveBytes)))
      .join(' / '),
    ['ours', 'script']
      .map((name) => bytes(medianOf(each, name, ({ receivedBytes }) => receivedBytes)))
      .join(' / '),
  ]);
  return section('Backup', cases, [
    table(['Data', 'Line', 'Ours', 'The script', 'Ratio', ...OUR_HEADER, 'Archives', 'Over SSH'], rows),
    ...cases.map((each) => breakdown(each, ['ours', 'script'])),
    `The script, each step timed:\n\n${shell(backupScript)}`,
    'Ours makes more: both dumps (for `pg_restore`, and as Odoo restores) where the script has the first only, every file checked against its SHA-1, the upload verified, and a receipt.',
  ]);
}

function againSection(recorded: Recorded): string[] {
  const cases = casesOf(recorded, 'again');
  const rows = cases.flatMap((each) =>
    Object.keys(each.runs).map((name, index) => [
      ...(index === 0 ? [dataText(each), each.link] : ['', '']),
      name,
      time(medianOf(each, name)),
      ratio(ratioOf(each, 'ours', name)),
      bytes(medianOf(each, name, ({ sentBytes }) => sentBytes)),
      count(medianOf(each, name, ({ requests }) => requests)),
      ...ourCells(each, name),
    ]),
  );
  return section('The next backup', cases, [
    'Of a database of one size and filestores of several, after 500 new partners and 10 new files of 1 MiB; and of a small database, after 10 new partners and 2 new files of 20 KiB. What is sent should be the same for every filestore. restic, the script and `format: custom` hold one dump, the others two; restic sends only the blocks of a dump that are new, to a repository that only restic reads.',
    table(
      ['Data', 'Line', 'By', 'Time', 'Ours in proportion', 'Sent to S3', 'Requests', ...OUR_HEADER],
      rows,
    ),
    OUR_MEANING,
    `restic, from the host, into a repository that has both already; and the dump that nobody can do without:\n\n${shell({ ...resticScript, ...dumpScript })}`,
  ]);
}

function rollbackSection(recorded: Recorded): string[] {
  const cases = casesOf(recorded, 'rollback');
  const downtimeOf = (each: Case, name: string) => medianOf(each, name, ({ downtime }) => downtime);
  const rows = cases.map((each) => {
    const [ours, theirs] = [downtimeOf(each, 'ours'), downtimeOf(each, 'plain way')];
    return [
      dataText(each),
      each.link,
      time(medianOf(each, 'ours')),
      time(medianOf(each, 'plain way')),
      ratio(ratioOf(each, 'ours', 'plain way')),
      time(ours),
      time(each.serviceSeconds),
      time(theirs),
      ...ourCells(each, 'ours'),
    ];
  });
  const header = ['Data', 'Line', 'Ours', 'The plain way', 'Ratio'];
  const downtimes = ['Our downtime', 'The service’s own stop and start, at another time', 'Its downtime'];
  return section('Rollback', cases, [
    'After a small damage: 1,000 changed rows, 20 files that are gone. Both put the same archive back.',
    table([...header, ...downtimes, ...OUR_HEADER], rows),
    ...cases.map((each) => breakdown(each, ['ours', 'plain way'])),
    `The plain way, each step timed; Odoo is away from the third on:\n\n${shell(rollbackScript)}`,
  ]);
}

function databasesSection(recorded: Recorded): string[] {
  return costSection(recorded, 'databases', 'Large databases', [
    'Databases of several sizes with hardly any files, on loopback: first backups, of one database and of two of that size at once, and a rollback. Two is the most that are backed up at once, for the sake of memory.',
  ]);
}

function manySection(recorded: Recorded): string[] {
  return costSection(recorded, 'many', 'Many files', [
    'Filestores of small files, on loopback: what S3 copies has an entry in the archive’s directory all the same. The goal is 400 MB of memory for every command and any number of files.',
  ]);
}

/** Time, memory and processor of every command, by the sizes of a part. */
function costSection(
  recorded: Recorded,
  part: 'databases' | 'many',
  title: string,
  text: readonly string[],
): string[] {
  const cases = casesOf(recorded, part);
  const rows = cases.flatMap((each) =>
    Object.keys(each.runs).map((name, index) => [
      index === 0 ? dataText(each) : '',
      name,
      time(medianOf(each, name)),
      ...ourCells(each, name),
    ]),
  );
  return section(title, cases, [...text, table(['Data', 'What', 'Time', ...OUR_HEADER], rows)]);
}

function verifySection(recorded: Recorded): string[] {
  const cases = casesOf(recorded, 'verify');
  const rows = cases.flatMap((each) =>
    ['contents', 'restore'].map((level) => [
      dataText(each),
      bytes(medianOf(each, 'backup', ({ archiveBytes }) => archiveBytes)),
      level,
      time(medianOf(each, 'backup')),
      time(medianOf(each, level)),
      ratio(ratioOf(each, level, 'backup')),
      ...ourCells(each, level),
    ]),
  );
  return section('Verify', cases, [
    'What a level of proof costs beside the backup, as a command of its own. `restore` begins with a look at the contents.',
    table(['Data', 'Archive', 'Level', 'The backup itself', 'Proof', 'Ratio', ...OUR_HEADER], rows),
  ]);
}

function largeSection(recorded: Recorded): string[] {
  const rows = calculateLarge(recorded).map(({ what, time, bound }) => [what, time, bound]);
  if (rows.length === 0) return [];
  const { databaseBytes, filestoreBytes, files } = LARGE;
  const data = `${databaseBytes / 1e9} GB of database, ${filestoreBytes / 1e9} GB in ${formatCount(files)} files`;
  return [
    '## Large',
    `${data}, format \`dual\`: calculated from how times grow in the sections above, which straight lines describe, on the machine of these benchmarks.`,
    table(['What', 'Calculated', 'Most of it is'], rows),
  ];
}

/** Who used the processor, in the comparisons with others. */
function processorSection(recorded: Recorded): string[] {
  const cases = (['backup', 'again', 'rollback'] as const).flatMap((part) => casesOf(recorded, part));
  const rows = cases.flatMap((each) =>
    Object.keys(each.runs).flatMap((name) => {
      const cells = profileCells(each, name);
      const data = `${PART_NAMES[each.part]}, ${each.size}`;
      return cells ? [[data, each.link, name, time(medianOf(each, name)), ...cells]] : [];
    }),
  );
  if (rows.length === 0) return [];
  return [
    '## Who used the processor',
    PROFILE_MEANING,
    table(['What', 'Line', 'By', 'Time', ...PROFILE_HEADER], rows),
  ];
}

const PART_NAMES: Readonly<Record<Part, string>> = {
  backup: 'First backup',
  again: 'Next backup',
  databases: 'Large databases',
  rollback: 'Rollback',
  many: 'Many files',
  verify: 'Verify',
  sealed: 'Sealed',
};

function goalsSection(recorded: Recorded): string[] {
  const states = goalStates(recorded);
  if (states.every(({ measured }) => measured === undefined)) return [];
  const rows = states.map(({ what, goal, measured, isReached }) => [
    what,
    `≤ ${goal}`,
    measured ?? 'not measured',
    measured === undefined ? '–' : isReached ? 'yes' : 'no',
  ]);
  const missed = states.filter(({ measured, isReached }) => measured !== undefined && !isReached);
  return [
    '## Goals',
    'The times of one run divided by each other, medians; and the most memory that a command held.',
    table(['What', 'Goal', 'Measured', 'Reached'], rows),
    ...(missed.length === 0
      ? []
      : [
          '## Goals that are not reached, and why',
          missed
            .map(
              ({ what, goal, measured, why }) =>
                `- **${what}: ${measured}, and the goal is ${goal}.** ${why}`,
            )
            .join('\n'),
        ]),
  ];
}

function machinesSection({ machines, cases }: Recorded): string[] {
  if (machines.length === 0) return [];
  const lines = machines.map((text, index) => {
    const on = cases.filter(({ machine }) => machine === index);
    const days = [...new Set(on.map((each) => each.on))].toSorted();
    return `- ${text}. ${days.join(', ')}: ${[...new Set(on.map(({ part }) => part))].join(', ')}.`;
  });
  return ['## Where this was measured', lines.join('\n')];
}

const OUR_HEADER = ['Peak memory', 'Processor', 'Main thread', 'Garbage', 'One after the other'];
const OUR_MEANING =
  '“Processor” is the time that all threads of our program took, and its share of what the whole machine did meanwhile, which is the host, PostgreSQL and the S3 server as well. “Garbage” is the share of its main thread’s time that collecting took. “One after the other” says how many questions to the host, and how many requests to S3 (parts apart), each waited for the answer to the one before.';

/** What is measured of our program alone. */
function ourCells(found: Case, name: string): string[] {
  const peak = peakOf(found, name);
  const [all, main] = [
    processorOf(found, name, (each) => each.all),
    processorOf(found, name, (each) => each.main),
  ];
  const collecting = processorOf(found, name, (each) => each.collecting / each.main);
  const trips = (found.runs[name] ?? []).flatMap(({ roundTrips }) => roundTrips ?? []);
  const [host, s3] = [middle(trips.map((each) => each.host)), middle(trips.map((each) => each.s3))];
  return [
    peak === undefined ? '–' : `${(peak / 1e6).toFixed(0)} MB`,
    all === undefined ? '–' : `${time(all)}, ${percent(shareOf(found, name))}`,
    time(main),
    percent(collecting),
    host === undefined || s3 === undefined ? '–' : `${host} and ${s3}`,
  ];
}

const peakOf = (found: Case, name: string): number | undefined =>
  medianOf(found, name, ({ peakBytes }) => peakBytes);

/** A section; nothing where none of its cases was measured. */
function section(title: string, cases: readonly RecordedCase[], text: readonly string[]): string[] {
  if (cases.length === 0) return [];
  const rounds = new Set(
    cases.map(({ runs }) => Math.min(...Object.values(runs).map((each) => each.length))),
  );
  return [`## ${title}`, `Medians of ${[...rounds].toSorted().join(' or ')}.`, ...text];
}

function breakdown({ size, link, runs }: Case, names: readonly string[]): string {
  const steps = (measures: readonly Measure[] = []) =>
    Object.keys(measures[0]?.steps ?? {})
      .map((step) => `${step} ${time(middle(measures.map((each) => each.steps?.[step] ?? 0)))}`)
      .join(', ');
  const lines = names.map((name) => `- ${name}: ${steps(runs[name])}`);
  return `**${size}, ${link}**\n\n${lines.join('\n')}`;
}

const dataText = ({ size, data }: Case): string =>
  `${size}: database ${formatBytes(data.databaseBytes)}, ${formatCount(data.files)} files of ${formatBytes(data.filestoreBytes)}`;

const time = (seconds: number | undefined): string =>
  seconds === undefined ? '–' : `${seconds.toFixed(1)} s`;
const ratio = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(2));
const count = (value: number | undefined): string => (value === undefined ? '–' : formatCount(value));
const percent = (share: number | undefined): string =>
  share === undefined ? '–' : `${(100 * share).toFixed(0)} %`;
const bytes = (value: number | undefined): string =>
  value === undefined ? '–' : formatBytes(Math.round(value));

const shell = (script: Readonly<Record<string, string>>): string =>
  `\`\`\`bash\n${Object.values(script).join('\n')}\n\`\`\``;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
