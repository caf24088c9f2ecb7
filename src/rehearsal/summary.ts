import { exceptionIn, type LogEntry } from '../odoo/boot/odoo-log.ts';
import type { PhaseSpan } from '../platform/phases.ts';
import { type Block, code, type Facts, type Summary } from '../report/summary.ts';
import { backupFacts } from '../restore/facts.ts';
import { lowerFirst, type Step, type StepFailure, StrandedError } from '../restore/plan.ts';
import { commandsOf, type Matter, shortTitle, sourceOutputs } from '../restore/summary.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { formatCounted, formatDuration } from '../util/format.ts';
import { overwritingError } from './in-use.ts';
import type { Experience } from './outcome.ts';

/** What a rehearsal was about, and what it has found. */
export interface Rehearsal extends Matter {
  /** What was found before anything was done. */
  readonly facts: Facts['rows'];
  readonly steps: readonly Step[];
  readonly experience: Experience;
  /** What of the copy is not as in the backup, in words. */
  readonly leftOut: readonly string[];
  readonly copySeconds: number;
  readonly seconds: number;
  /** What ran when. */
  readonly spans: readonly PhaseSpan[];
}

/** How a rehearsal has ended. `planned`: it was a dry run. */
export type Ending = 'planned' | 'works' | 'failed';

/** The outputs, by their names in action.yml. */
export function rehearsalOutputs(rehearsal: Rehearsal, ending: Ending): Record<string, string> {
  const { source, database, seconds, copySeconds } = rehearsal;
  return {
    ...sourceOutputs(source, database),
    duration: seconds.toFixed(1),
    json: JSON.stringify(rehearsalJson(rehearsal, ending)),
    ...(ending === 'planned' ? {} : { 'restore-seconds': copySeconds.toFixed(1) }),
  };
}

/** What programs read of it. */
export function rehearsalJson({ experience, copySeconds, seconds }: Rehearsal, ending: Ending): object {
  const { migration, boot, checks, warnings, errors, lastWords } = experience;
  const rounded = (value: number) => Math.round(value * 10) / 10;
  const part = (each: { readonly seconds: number; readonly warnings: number; readonly errors: number }) => ({
    seconds: rounded(each.seconds),
    warnings: each.warnings,
    errors: each.errors,
  });
  return {
    result: ending,
    seconds: rounded(seconds),
    copy: { seconds: rounded(copySeconds) },
    migration: migration ? part(migration) : null,
    boot: boot ? { ...part(boot), answer: boot.answer } : null,
    checks: checks.map(({ name, passed, found, seconds: took }) => ({
      name,
      passed,
      found,
      seconds: rounded(took),
    })),
    warnings,
    errors,
    log: entriesOf(experience),
    lastLines: lastWords,
  };
}

const entriesOf = ({ migration, boot }: Experience): readonly LogEntry[] => [
  ...(migration?.entries ?? []),
  ...(boot?.entries ?? []),
];

/** What the person who approves the real run has to know. */
export const planSummary = (rehearsal: Rehearsal): Summary => ({
  outcome: 'done',
  told: true,
  title: `Dry run: a deploy of ${rehearsal.database} can be rehearsed; nothing was changed`,
  blocks: [
    { kind: 'facts', rows: [databaseRow(rehearsal), ...rehearsal.facts] },
    {
      kind: 'steps',
      title: 'The plan',
      items: rehearsal.steps.map(({ title, undo }) =>
        undo ? `${title} (in the end: ${lowerFirst(undo.title)})` : title,
      ),
    },
  ],
});

/** What a person reads in ten seconds of a rehearsal that has worked. */
export function rehearsalSummary(rehearsal: Rehearsal): Summary {
  const { database, experience, leftOut, copySeconds, seconds, source } = rehearsal;
  return {
    outcome: experience.errors > 0 ? 'flawed' : 'done',
    title: `${database}: the rehearsal works: ${worksHow(experience)}`,
    blocks: [
      {
        kind: 'facts',
        rows: [
          databaseRow(rehearsal),
          ...backupFacts(source),
          ...experienceRows(experience),
          ['Copy', `built in ${formatDuration(copySeconds * 1000)}, neutralized, and dropped again`],
          ...(leftOut.length === 0 ? [] : ([['Left out', leftOut.join('; ')]] as const)),
          ['Time', formatDuration(seconds * 1000)],
        ],
      },
      ...logTable(experience),
      waterfall(rehearsal),
    ],
  };
}

/** The summary of one that has failed. */
export function failureSummary(rehearsal: Rehearsal, { step, error }: StepFailure): Summary {
  const { database, experience, source } = rehearsal;
  const stranded = error instanceof StrandedError;
  const overwriting = overwritingError(experience.overwritten);
  const untouched = overwriting ? 'files of the filestore in use were changed' : 'nothing else was touched';
  const state = stranded ? 'the copy is still there, and needs you now' : `the copy is dropped, ${untouched}`;
  return {
    outcome: 'failed',
    title: `${database}: the rehearsal failed; ${state}`,
    blocks: [
      {
        kind: 'facts',
        rows: [
          databaseRow(rehearsal),
          ['Backup', code(source.uri)],
          ['Failed', step.title],
          ['Because', messageOf(error)],
          ...(overwriting && messageOf(overwriting) !== messageOf(error)
            ? ([['Filestore', messageOf(overwriting)]] as const)
            : []),
          ...experienceRows(experience),
          ...(error instanceof UserError && !stranded ? ([['What to do', error.hint]] as const) : []),
        ],
      },
      ...(experience.lastWords.length === 0
        ? []
        : [{ kind: 'printed', title: 'The last lines', lines: experience.lastWords } as const]),
      ...(stranded ? [commandsOf(error)] : []),
      ...logTable(experience),
    ],
  };
}

/** `4 min 12 s of migration, Odoo answers after 12.3 s, 3 warnings` */
function worksHow(experience: Experience): string {
  const { migration, boot, checks, errors, warnings } = experience;
  return [
    ...(migration ? [`${formatDuration(migration.seconds * 1000)} of migration`] : []),
    ...(boot ? [`Odoo answers after ${formatDuration(boot.seconds * 1000)}`] : []),
    ...(checks.length > 0 ? [`${formatCounted(checks.length, 'check')} passed`] : []),
    ...(errors > 0 ? [formatCounted(errors, 'error')] : []),
    warnings === 0 ? 'no warnings' : formatCounted(warnings, 'warning'),
  ].join(', ');
}

function experienceRows({ migration, boot, checks }: Experience): Facts['rows'] {
  const logged = ({ errors, warnings }: { readonly errors: number; readonly warnings: number }) =>
    `${formatCounted(errors, 'error')} and ${formatCounted(warnings, 'warning')} in its log`;
  return [
    ...(migration
      ? ([['Migration', `${formatDuration(migration.seconds * 1000)}; ${logged(migration)}`]] as const)
      : []),
    ...(boot
      ? ([['Odoo', `${boot.answer} after ${formatDuration(boot.seconds * 1000)}; ${logged(boot)}`]] as const)
      : []),
    ...checks.map(
      ({ name, passed, found }) => [passed ? 'Check' : 'Check failed', [code(name), `: ${found}`]] as const,
    ),
  ];
}

function logTable(experience: Experience): Block[] {
  const entries = entriesOf(experience);
  if (entries.length === 0) return [];
  return [
    {
      kind: 'table',
      name: 'Warnings and errors in Odoo’s log',
      columns: [{ name: 'Level' }, { name: 'Logger' }, { name: 'Message' }],
      rows: entries.map(({ level, logger, message, trace }) => {
        const end = level === 'WARNING' ? undefined : (exceptionIn(trace) ?? trace.at(-1));
        return [level, code(logger), end === undefined ? message : `${message} … ${end}`];
      }),
    },
  ];
}

const databaseRow = ({ database, host }: Matter): Facts['rows'][number] => [
  'Database',
  [code(database), ` on ${host}`],
];

const REHEARSED: ReadonlySet<string> = new Set(['guest', 'command', 'boot', 'checks', 'verdict']);

function waterfall({ database, seconds, spans }: Rehearsal): Block {
  const first = spans.findIndex(({ name }) => REHEARSED.has(name));
  const stateOf = (name: string, at: number) => {
    if (REHEARSED.has(name)) return 'Rehearsal';
    return at < first ? 'Copy' : 'End';
  };
  return {
    kind: 'waterfall',
    title: `Rehearsal of a deploy of ${database}: ${formatDuration(seconds * 1000)}`,
    bars: spans.map(({ name, title, startMs, ms }, at) => ({
      name: shortTitle(title),
      state: stateOf(name, at),
      startMs,
      ms,
    })),
  };
}
