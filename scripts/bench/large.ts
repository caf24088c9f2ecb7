import { formatDuration } from '../../src/util/format.ts';
import { caseOf, casesOf, growthOf, medianOf } from './figures.ts';
import type { Recorded } from './record.ts';

const GB = 1e9;
/** What is calculated: a large Odoo. */
export const LARGE = { databaseBytes: 20 * GB, filestoreBytes: 100 * GB, files: 300_000 } as const;
/** Bandwidth of the benchmarks' line: 200 Mbit/s. */
export const LINE_BYTES_A_SECOND = 25e6;

/** One line of the table: what takes how long, and why no less. */
export interface Calculated {
  readonly what: string;
  readonly time: string;
  readonly bound: string;
}

/** Seconds of each thing that takes time at once or in turn, by its name. */
type Shares = Readonly<Record<string, number>>;

/** What a large Odoo takes, by the slopes that were measured; nothing where they were not. */
export function calculateLarge(recorded: Recorded): Calculated[] {
  const databases = casesOf(recorded, 'databases');
  const again = caseOf(recorded, 'again', '1 GB');
  const near = casesOf(recorded, 'again').filter(
    ({ link, data }) => link === 'loopback' && isAlike(data.databaseBytes, again?.data.databaseBytes),
  );
  const crowds = casesOf(recorded, 'many');
  const byDatabase = (name: string) => growthOf(databases, name, ({ data }) => data.databaseBytes);
  const byFilestore = (name: string) => growthOf(near, name, ({ data }) => data.filestoreBytes);
  const byFiles = (name: string) => growthOf(crowds, name, ({ data }) => data.files);

  const database = byDatabase('backup, dual');
  const dumpAlone = byDatabase('pg_dump | zstd -1 alone');
  const load = byDatabase('rollback');
  const copied = byFilestore('ours');
  const sent = byFilestore('ours, incremental: false');
  const nextFiles = byFiles('next backup');
  const linkedFiles = byFiles('rollback');
  const dumpBytes = medianOf(again, 'ours', ({ sentBytes }) => sentBytes);
  if (!database || !dumpAlone || !load || !copied || !sent || !nextFiles || !linkedFiles) return [];

  const { databaseBytes, filestoreBytes, files } = LARGE;
  const dumpSeconds = database.each * databaseBytes;
  const isPgDump = dumpSeconds < 1.3 * dumpAlone.each * databaseBytes;
  const dumping = isPgDump ? 'pg_dump, by one core of the host' : 'compressing both dumps, by the runner';
  const copying = {
    'copies within S3': copied.each * filestoreBytes,
    'the list of files': nextFiles.each * files,
  };
  const overLine = (bytes: number) => bytes / LINE_BYTES_A_SECOND;
  const bytesOfDumps =
    again && dumpBytes !== undefined ? (dumpBytes / again.data.databaseBytes) * databaseBytes : 0;
  return [
    row('Next backup, loopback', sum(copying) + database.fixed, { [dumping]: dumpSeconds }, copying),
    row(
      'Next backup, over 200 Mbit/s',
      sum(copying) + database.fixed,
      { [dumping]: dumpSeconds, 'the line': overLine(bytesOfDumps) },
      copying,
    ),
    row('First backup, loopback', database.fixed, {
      [dumping]: dumpSeconds,
      'sending the filestore': sent.each * filestoreBytes,
    }),
    row('First backup, over 200 Mbit/s', database.fixed, {
      [dumping]: dumpSeconds,
      'the line': overLine(bytesOfDumps + filestoreBytes),
    }),
    row('Rollback, the host has the files', load.fixed, {
      'the load: pg_restore, and the indexes of the largest tables': load.each * databaseBytes,
      'the SHA-1 of the files on the host': linkedFiles.each * files,
    }),
  ];
}

/** @param base seconds that come on top @param atOnce what goes on at once: the longest counts */
function row(what: string, base: number, atOnce: Shares, also: Shares = {}): Calculated {
  const longest = Math.max(...Object.values(atOnce));
  const all = Object.entries({ ...atOnce, ...also });
  const [bound = ''] = all.reduce((most, each) => (each[1] > most[1] ? each : most));
  return { what, time: formatDuration(1000 * Math.max(0, base + longest)), bound };
}

/** Whether they are databases of the same data: their sizes differ a little from run to run. */
const isAlike = (bytes: number, others = 0): boolean => Math.abs(bytes - others) < 0.1 * others;

const sum = (shares: Shares): number => Object.values(shares).reduce((total, each) => total + each, 0);
