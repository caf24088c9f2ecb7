import { caseOf, casesOf, medianOf, middle, processorOf } from './figures.ts';
import { LINE_BYTES_A_SECOND } from './large.ts';
import { profileOf, profileText } from './profile.ts';
import { type Case, type Part, parts, type Recorded } from './record.ts';
import { SSH_ALONE } from './scripts.ts';

/** Something that is measured, and not to be more than that. */
interface Goal {
  readonly what: string;
  readonly most: number;
  readonly unit: '' | ' MB';
  /** What was measured; undefined: nothing yet. */
  readonly measured: (recorded: Recorded) => Measured | undefined;
}

interface Measured {
  readonly value: number;
  /** Why it is not less, as sentences. */
  readonly why: string;
}

/** A goal, and how it stands. */
export interface GoalState {
  readonly what: string;
  readonly goal: string;
  /** Undefined: not measured. */
  readonly measured: string | undefined;
  readonly isReached: boolean;
  /** Why it is not less; empty where it is reached. */
  readonly why: string;
}

/** Who is compared with whom, in which case. */
interface Pair {
  readonly part: Part;
  readonly size: string;
  readonly link: 'loopback' | '80 ms';
  readonly ours?: string;
  readonly theirs: string;
}

const DUMP_ALONE = 'pg_dump | zstd -1 alone';
const CUSTOM = 'ours, format: custom';
const NEXT: Omit<Pair, 'theirs'> = { part: 'again', size: '1 GB', link: 'loopback' };

/** Everything that the project wants to reach. */
export const GOALS: readonly Goal[] = [
  ratio('Next backup, both dumps, loopback ÷ `pg_dump | zstd -1` alone', 2, {
    ...NEXT,
    theirs: DUMP_ALONE,
  }),
  ratio('The same, one dump (`format: custom`)', 1.8, { ...NEXT, ours: CUSTOM, theirs: DUMP_ALONE }),
  ratio('The same ÷ restic', 1, { ...NEXT, ours: CUSTOM, theirs: 'restic' }),
  ratio('Next backup, both dumps, over 80 ms and 200 Mbit/s ÷ restic', 0.9, {
    ...NEXT,
    link: '80 ms',
    theirs: 'restic',
  }),
  {
    what: 'First backup, large, over that line ÷ what its bytes take there',
    most: 1.05,
    unit: '',
    measured: overBytes,
  },
  ratio('First backup, large, loopback ÷ the script', 0.33, {
    ...{ part: 'backup', size: 'large', link: 'loopback', theirs: 'script' },
  }),
  ratio('Next backup, small database, over the line ÷ `pg_dump | zstd -1` over it', 1.6, {
    ...{ part: 'again', size: 'small', link: '80 ms', theirs: DUMP_ALONE },
  }),
  ratio('First backup, small database, loopback ÷ the script', 0.6, {
    ...{ part: 'backup', size: 'small', link: 'loopback', theirs: 'script' },
  }),
  { what: 'Reads of the production database for both dumps', most: 1, unit: '', measured: reads },
  ratio('Rollback, small, loopback ÷ the plain way', 0.65, {
    ...{ part: 'rollback', size: 'small', link: 'loopback', theirs: 'plain way' },
  }),
  ratio('Rollback, large, loopback ÷ the plain way', 0.4, {
    ...{ part: 'rollback', size: 'large', link: 'loopback', theirs: 'plain way' },
  }),
  { what: 'Peak memory of any command at any size', most: 400, unit: ' MB', measured: peak },
];

/** How all goals stand. */
export function goalStates(recorded: Recorded): GoalState[] {
  return GOALS.map(({ what, most, unit, measured }) => {
    const text = (value: number) => `${unit === '' ? value.toFixed(2) : value.toFixed(0)}${unit}`;
    const found = measured(recorded);
    if (!found) return { what, goal: text(most), measured: undefined, isReached: false, why: '' };
    const isReached = Number.parseFloat(text(found.value)) <= most;
    return {
      what,
      goal: text(most),
      measured: text(found.value),
      isReached,
      why: isReached ? '' : found.why,
    };
  });
}

/** Our time as a part of theirs. */
function ratio(what: string, most: number, { part, size, link, ours = 'ours', theirs }: Pair): Goal {
  return {
    ...{ what, most, unit: '' },
    measured: (recorded) => {
      const found = caseOf(recorded, part, size, link);
      const [ourSeconds, theirSeconds] = [medianOf(found, ours), medianOf(found, theirs)];
      if (found === undefined || ourSeconds === undefined || theirSeconds === undefined) return undefined;
      const profile = profileOf(found, ours);
      const why = [
        profile
          ? profileText(profile, { seconds: ourSeconds, theirSeconds, goal: most })
          : withoutProfile(found, ours),
        ...lineText(found, ours, ourSeconds),
      ];
      return { value: ourSeconds / theirSeconds, why: why.join(' ') };
    },
  };
}

/** For what was measured when nobody counted more. */
function withoutProfile(found: Case, ours: string): string {
  const [all, machine] = [
    processorOf(found, ours, (each) => each.all),
    processorOf(found, ours, (each) => each.machine),
  ];
  if (all === undefined || machine === undefined) return 'Who used the processors was not measured.';
  return `Of ${machine.toFixed(1)} s of processor time, ${all.toFixed(1)} s are ours; who used the rest was not measured.`;
}

/** Seconds there and back. */
const ROUND_TRIP = 0.08;

/** What the line itself takes of a time. */
function lineText(found: Case, ours: string, ourSeconds: number): string[] {
  if (found.link === 'loopback') return [];
  const questions = medianOf(found, ours, ({ roundTrips }) => roundTrips?.host);
  const bytes = medianOf(found, ours, ({ receivedBytes }) => receivedBytes);
  const parts = [
    ...(questions === undefined
      ? []
      : [`${questions} questions to the host in turn wait ${(questions * ROUND_TRIP).toFixed(1)} s`]),
    ...(bytes === undefined ? [] : [`its bytes need ${(bytes / LINE_BYTES_A_SECOND).toFixed(1)} s`]),
  ];
  return parts.length === 0 ? [] : [`Of ${ourSeconds.toFixed(1)} s over the line, ${parts.join(' and ')}.`];
}

/** The time of a large first backup over the line, as a part of what its bytes take there. */
function overBytes(recorded: Recorded): Measured | undefined {
  const found = caseOf(recorded, 'backup', 'large', '80 ms');
  const seconds = medianOf(found, 'ours');
  const bytes = medianOf(found, 'ours', ({ receivedBytes }) => receivedBytes);
  if (found === undefined || seconds === undefined || bytes === undefined) return undefined;
  const runs = found.runs.ours ?? [];
  const others = Object.keys(runs[0]?.steps ?? {}).filter((step) => step !== 'transfer');
  const steps = others.map(
    (step) => [step, middle(runs.map((each) => each.steps?.[step] ?? 0)) ?? 0] as const,
  );
  const longest = steps.filter(([, each]) => each >= 0.1).toSorted((a, b) => b[1] - a[1]);
  const needed = bytes / LINE_BYTES_A_SECOND;
  const ssh = medianOf(found, SSH_ALONE);
  const alone =
    ssh === undefined
      ? ''
      : ` Plain ssh takes ${ssh.toFixed(1)} s for as many (${(seconds / ssh).toFixed(2)}): frames, and what TCP loses when the queue of the line is full, take their part.`;
  const list = longest.map(([step, each]) => `${step} ${each.toFixed(1)} s`).join(', ');
  return {
    value: seconds / needed,
    why: `The bytes need ${needed.toFixed(1)} s of ${seconds.toFixed(1)} s.${alone} The steps before and after the transfer: ${list}.`,
  };
}

function reads(recorded: Recorded): Measured | undefined {
  const found = caseOf(recorded, 'again', '1 GB');
  const value = medianOf(found, 'ours', (measure) => measure.reads);
  return value === undefined
    ? undefined
    : { value: Math.round(value), why: 'pg_dump runs once for each dump.' };
}

/** The most memory of all commands. */
function peak(recorded: Recorded): Measured | undefined {
  const peaks = parts.flatMap((part) =>
    casesOf(recorded, part).flatMap((found) =>
      Object.keys(found.runs).flatMap((name) => {
        const bytes = medianOf(found, name, ({ peakBytes }) => peakBytes);
        return bytes === undefined ? [] : [{ name, found, value: bytes / 1e6 }];
      }),
    ),
  );
  const [most, ...others] = peaks.toSorted((a, b) => b.value - a.value);
  if (!most) return undefined;
  const count = others.filter(({ value }) => value > 400).length;
  const more =
    count === 0 ? 'All others are below.' : `${count} of the ${others.length} others are above as well.`;
  return {
    value: most.value,
    why: `It is “${most.name}” of the data “${most.found.size}” (${most.found.link}). ${more}`,
  };
}
