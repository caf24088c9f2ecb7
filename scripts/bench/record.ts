import { readFileSync, writeFileSync } from 'node:fs';
import type { Data } from './data.ts';
import type { Parties } from './parties.ts';
import type { RoundTrips } from './questions.ts';

/** What can be measured, one section of the page each. */
export const parts = ['backup', 'again', 'databases', 'rollback', 'many', 'verify', 'sealed'] as const;
export type Part = (typeof parts)[number];

/** Seconds of processor time. */
export interface Processor {
  /** Processor time of all threads of our program. */
  readonly all: number;
  /** Processor time of its main thread. */
  readonly main: number;
  /** That the main thread spent collecting garbage. */
  readonly collecting: number;
  /** Processor time of the whole machine meanwhile: ours, the host's, PostgreSQL's, the S3 server's. */
  readonly machine: number;
}

/** What a run took. What it does not have was not measured: of a rival, or before that was measured. */
export interface Cost {
  readonly seconds: number;
  /** The most memory that our process held at once. */
  readonly peakBytes?: number;
  readonly processor?: Processor;
  readonly parties?: Parties | undefined;
}

/** One run of one contender. Seconds and bytes. What it does not have was not measured, or is nothing that it has. */
export interface Measure extends Cost {
  /** From the stop of Odoo until it answers again. */
  readonly downtime?: number;
  /** Phases or steps, in their order. */
  readonly steps?: Readonly<Record<string, number>>;
  readonly archiveBytes?: number;
  /** To S3. */
  readonly sentBytes?: number;
  /** Over the line from the host. */
  readonly receivedBytes?: number;
  /** That S3 was asked. */
  readonly requests?: number;
  readonly roundTrips?: RoundTrips;
  /** How often the largest table of the database was read from its beginning to its end. */
  readonly reads?: number;
}

/** Runs by all contenders, on the same data, over one line. */
export interface Case {
  readonly part: Part;
  readonly size: string;
  readonly link: string;
  readonly data: Pick<Data, 'databaseBytes' | 'filestoreBytes' | 'files'>;
  /** Seconds that the service itself takes to stop and to start: of rollbacks. */
  readonly serviceSeconds?: number;
  /** By the name of the contender, one measure a round. */
  readonly runs: Readonly<Record<string, readonly Measure[]>>;
}

/** A case, and where and when it was run. */
export interface RecordedCase extends Case {
  /** `2026-11-30` */
  readonly on: string;
  /** Number in `machines`. */
  readonly machine: number;
}

/** Everything that the page of benchmarks is written from. */
export interface Recorded {
  readonly machines: readonly string[];
  readonly cases: readonly RecordedCase[];
}

const file = new URL('../../docs/benchmarks.json', import.meta.url);

export const readRecorded = (): Recorded => JSON.parse(readFileSync(file, 'utf8'));

/** Puts cases into the place of those of the same part, size and line. */
export function withCases({ machines, cases }: Recorded, fresh: readonly Case[], machine: string): Recorded {
  const keyOf = ({ part, size, link }: Case) => JSON.stringify([part, size, link]);
  const replaced = new Set(fresh.map(keyOf));
  const on = new Date().toISOString().slice(0, 10);
  const kept = cases.filter((each) => !replaced.has(keyOf(each)));
  const added = fresh.map((each) => ({ ...each, on, machineText: machine }));
  const texts = kept.map((each) => ({ ...each, machineText: machines[each.machine] ?? '' }));
  const all = [...texts, ...added].toSorted((a, b) => parts.indexOf(a.part) - parts.indexOf(b.part));
  const used = [...new Set(all.map(({ machineText }) => machineText))];
  return {
    machines: used,
    cases: all.map(({ machineText, ...each }) => ({ ...each, machine: used.indexOf(machineText) })),
  };
}

export function writeRecorded(recorded: Recorded): void {
  writeFileSync(file, `${JSON.stringify(recorded, rounded, 1)}\n`);
}

/** Milliseconds, and whole bytes. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
