import type { RestoreSource } from '../backup-reader/open.ts';
import { receiptKey } from '../catalog/keys.ts';
import { levelOf } from '../catalog/proofs.ts';
import type { PhaseSpan } from '../platform/phases.ts';
import { type Block, code, type Facts, type Summary, type Text } from '../report/summary.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { formatCounted, formatDuration, formatInstant } from '../util/format.ts';
import { type CodeFinding, codeJson, codeNote } from './code.ts';
import { backupFacts, whichBackup } from './facts.ts';
import { type Losses, lossFacts, lossTable } from './losses.ts';
import { lowerFirst, type Step, type StepFailure, StrandedError, UNDO_MEANING } from './plan.ts';
import type { Problem } from './problem.ts';

/** What a rollback or restore is about. */
export interface Matter {
  readonly source: RestoreSource;
  /** The database that is rolled back or made. */
  readonly database: string;
  readonly host: string;
  /** Whether it is a rollback. */
  readonly inPlace: boolean;
}

/** How it ended, if it ended well. */
export interface RestoreOutcome extends Matter {
  /** Rows of `factsOf`: what was found before anything was done. */
  readonly facts: Facts['rows'];
  /** What was entered since the backup. */
  readonly losses: Losses | undefined;
  /** How the code stood to the backup's; undefined: it was left alone. */
  readonly code: CodeFinding | undefined;
  readonly dryRun: boolean;
  readonly steps: readonly Step[];
  /** Whether a copy is neutralized. */
  readonly neutralize: boolean;
  readonly newUuid: boolean;
  /** What is not as in the backup, in words. */
  readonly leftOut: readonly string[];
  /** What was replaced and is still there, each with how long. */
  readonly kept: readonly string[];
  /** undefined: Odoo was not stopped. */
  readonly downtimeSeconds: number | undefined;
  readonly seconds: number;
  /** What ran when. */
  readonly spans: readonly PhaseSpan[];
}

/** The outputs, by their names in action.yml. */
export function outcomeOutputs({
  source,
  database,
  downtimeSeconds,
  seconds,
  dryRun,
  losses,
  code: finding,
  spans,
}: RestoreOutcome): Record<string, string> {
  return {
    ...sourceOutputs(source, database),
    duration: seconds.toFixed(1),
    json: JSON.stringify({ losses: losses ?? null, code: codeJson(finding), durations: secondsOf(spans) }),
    ...(dryRun ? {} : { 'restore-seconds': seconds.toFixed(1) }),
    ...(downtimeSeconds === undefined ? {} : { downtime: downtimeSeconds.toFixed(1) }),
  };
}

/** The outputs about a backup that is put back, or tried, and the database that it is for. */
export const sourceOutputs = (source: RestoreSource, database: string): Record<string, string> => ({
  key: source.key,
  uri: source.uri,
  receipt: source.receipt ? receiptKey(source.key) : '',
  size: String(source.size),
  database,
  'odoo-version': source.odooVersion ?? '',
  verified: (source.receipt && levelOf(source.receipt)) ?? '',
});

/** Seconds of each phase: those of one name together. */
function secondsOf(spans: readonly PhaseSpan[]): Record<string, number> {
  const seconds: Record<string, number> = {};
  for (const { name, ms } of spans) seconds[name] = Math.round((seconds[name] ?? 0) * 1000 + ms) / 1000;
  return seconds;
}

/** What a person reads in ten seconds. */
export function outcomeSummary(outcome: RestoreOutcome): Summary {
  return outcome.dryRun ? planSummary(outcome) : doneSummary(outcome);
}

/** What the person who approves the real run has to know. */
function planSummary(outcome: RestoreOutcome): Summary {
  const { facts, steps, inPlace, database } = outcome;
  const what = inPlace ? `${database} can go back to ${whenMade(outcome)}` : `${database} can be restored`;
  return {
    outcome: 'done',
    told: true,
    title: `Dry run: ${what}; nothing was changed`,
    blocks: [
      ...codeNote(outcome.code),
      { kind: 'facts', rows: [targetRow(outcome), ...facts] },
      ...lossTable(outcome.losses),
      planOf(steps),
      { kind: 'note', text: UNDO_MEANING },
    ],
  };
}

function doneSummary(outcome: RestoreOutcome): Summary {
  const { source, database, inPlace, leftOut, kept, downtimeSeconds, seconds } = outcome;
  return {
    outcome: 'done',
    title: inPlace
      ? `${database} is back to ${whenMade(outcome)}`
      : `${database} is restored from ${whichBackup(source)}`,
    blocks: [
      ...codeNote(outcome.code),
      {
        kind: 'facts',
        rows: [
          targetRow(outcome),
          ...backupFacts(source),
          ...lossFacts(outcome.losses, new Date()),
          ...row('Code', switchedWords(outcome.code)),
          ...(inPlace ? [] : [['Copy', identityOf(outcome)] as const]),
          ...row('Left out', leftOut.length === 0 ? undefined : leftOut.join('; ')),
          ...row(
            'Downtime',
            downtimeSeconds === undefined
              ? undefined
              : `${formatDuration(downtimeSeconds * 1000)}, from the stop of Odoo until it was healthy`,
          ),
          ...row('Kept', kept.length === 0 ? undefined : `what was replaced: ${kept.join('; ')}`),
          ['Time', formatDuration(seconds * 1000)],
        ],
      },
      ...waterfallOf(outcome),
      ...lossTable(outcome.losses),
    ],
  };
}

/** The summary of a run that cannot be done as things are. */
export function refusalSummary(matter: Matter, facts: Facts['rows'], problems: readonly Problem[]): Summary {
  const things = `${formatCounted(problems.length, 'thing')} ${problems.length === 1 ? 'stands' : 'stand'}`;
  return {
    outcome: 'failed',
    told: true,
    title: `${matter.database} cannot be ${doneTo(matter)}: ${things} in the way; nothing was changed`,
    blocks: [
      {
        kind: 'table',
        columns: [{ name: 'In the way' }, { name: 'What to do' }],
        rows: problems.map(({ message, hint }) => [message, hint]),
      },
      { kind: 'facts', rows: [targetRow(matter), ...facts] },
    ],
  };
}

/** The summary of a run that failed: it was undone, or even that failed. */
export function failureSummary(matter: Matter, { step, error, undone }: StepFailure): Summary {
  const stranded = error instanceof StrandedError;
  const overtaken = stranded && error.commands.length === 0;
  const state = overtaken
    ? 'another run has taken over'
    : stranded
      ? 'it needs you now'
      : 'everything is as it was before';
  return {
    outcome: 'failed',
    title: `${matter.database} was not ${doneTo(matter)}: ${state}`,
    blocks: [
      {
        kind: 'facts',
        rows: [
          targetRow(matter),
          ['Backup', code(matter.source.uri)],
          ['Failed', step.title],
          ['Because', messageOf(error)],
          ...(undone.length > 0 || stranded ? [] : ([['Taken back', 'nothing was changed']] as const)),
          ...row(
            'What to do',
            error instanceof UserError && (!stranded || overtaken) ? error.hint : undefined,
          ),
        ],
      },
      ...(undone.length > 0 ? [{ kind: 'steps', title: 'Taken back', items: undone } as const] : []),
      ...(stranded && !overtaken ? [commandsOf(error)] : []),
    ],
  };
}

export const commandsOf = ({ commands }: StrandedError): Block => ({
  kind: 'steps',
  title: 'Run on the host, in this order',
  items: commands.map(code),
});

/** undefined: it was left as it is, which the note at the top says where that matters. */
const switchedWords = (code: CodeFinding | undefined): string | undefined =>
  code?.kind === 'compared' && code.switching
    ? `switched back to that of the backup: ${code.differences.join('; ')}`
    : undefined;

const identityOf = ({ neutralize, newUuid }: RestoreOutcome): string =>
  [
    neutralize ? 'neutralized' : 'NOT neutralized: it runs its scheduled actions and sends mail',
    newUuid ? 'with a database.uuid of its own' : 'with the database.uuid of the original',
  ].join(', ');

const doneTo = ({ inPlace }: Matter): string => (inPlace ? 'rolled back' : 'restored');

const whenMade = ({ source: { createdAt, key } }: Matter): string =>
  createdAt ? formatInstant(createdAt) : key;

const targetRow = ({ database, host }: Matter): Facts['rows'][number] => [
  'Database',
  [code(database), ` on ${host}`],
];

const row = (name: string, value: Text | undefined): Facts['rows'] =>
  value === undefined ? [] : [[name, value]];

const planOf = (steps: readonly Step[]): Block => ({
  kind: 'steps',
  title: 'The plan',
  items: steps.map(({ title, undo }) => (undo ? `${title} (undo: ${lowerFirst(undo.title)})` : title)),
});

/** The first and the last step while Odoo is away. */
const [STOPS, IS_BACK] = ['stop', 'health'];

/** What ran when: the time without Odoo is seen at a glance. */
function waterfallOf({
  source,
  database,
  inPlace,
  spans,
  seconds,
  downtimeSeconds,
}: RestoreOutcome): Block[] {
  const sorted = spans.toSorted((a, b) => a.startMs - b.startMs);
  const stop = sorted.findIndex(({ name }) => name === STOPS);
  const back = sorted.findLastIndex(({ name }) => name === IS_BACK);
  const away = (at: number) => stop >= 0 && at >= stop && at <= (back < 0 ? stop : back);
  const stateOf = (at: number) => {
    if (stop < 0) return 'Restore';
    return away(at) ? 'Odoo is down' : at < stop ? 'Odoo runs' : 'Odoo runs again';
  };
  const what = inPlace ? `Rollback of ${database}` : `Restore of ${whichBackup(source)}`;
  const down =
    downtimeSeconds === undefined ? '' : `, Odoo away for ${formatDuration(downtimeSeconds * 1000)}`;
  const bars = sorted.map(({ title, startMs, ms }, at) => ({
    name: shortTitle(title),
    state: stateOf(at),
    away: away(at),
    startMs,
    ms,
  }));
  return [{ kind: 'waterfall', title: `${what}: ${formatDuration(seconds * 1000)}${down}`, bars }];
}

/** A title of the log without what stands there for details: `Load the dump: 10.0 MiB, custom format`. */
export const shortTitle = (title: string): string =>
  title.replace(/(( to| of)? \S+@.*|( [^ ]+)?__(new|rehearsal)_\d+.*|: .*)$/s, '').slice(0, 60);
