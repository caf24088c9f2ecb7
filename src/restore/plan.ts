import { messageOf, UserError } from '../errors.ts';
import type { Platform } from '../platform/platform.ts';
import type { Phases } from '../report/phases.ts';
import type { Progress } from '../report/progress.ts';

/** What takes a step back. */
export interface Undo {
  /** For the log: `Rename the databases back`. */
  readonly title: string;
  /** Works however far the step came, also when it did nothing at all, and when it is done twice. */
  run(): Promise<void>;
  /** Commands for a person, where `run` itself fails. */
  readonly byHand: readonly string[];
}

/** One step of a restore. */
export interface Step {
  /** Short, for the summary: `swap`. */
  readonly name: string;
  /** For the log: `Swap the databases by rename`. */
  readonly title: string;
  /** What will happen in detail, from what the preflight found: one thought a line. */
  readonly details: readonly string[];
  /** That it moves; left out: hardly any. */
  readonly bytes?: number;
  /** Does it. Ends early, by throwing the signal's reason, when that is aborted. */
  run(signal: AbortSignal, progress: Pick<Progress, 'add'>): Promise<void>;
  /** Left out: the step leaves nothing behind. */
  readonly undo?: Undo;
}

/** A failed restore whose undo failed as well: a person has to finish it. */
export class StrandedError extends UserError {
  override readonly name = 'StrandedError';
  /** In this order. */
  readonly commands: readonly string[];

  constructor(message: string, commands: readonly string[], cause: unknown) {
    super(message, ['Run these commands on the host, in this order:', ...commands].join('\n  '), { cause });
    this.commands = commands;
  }
}

/** The plan as text: the same for a dry run and for a real one. */
export function describePlan(steps: readonly Step[]): string[] {
  return steps.flatMap(({ title, details, undo }, i) => [
    `${i + 1}. ${title}`,
    ...details.map((detail) => `   ${detail}`),
    ...(undo ? [`   undo: ${lowerFirst(undo.title)}`] : []),
  ]);
}

/** What `undo` means in the lists of `describePlan` and of summaries. */
export const UNDO_MEANING =
  'If a step fails, or the run is cancelled, every step that was begun is undone, the last one first.';

export const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** How a restore failed, after everything that could be taken back was. */
export interface Failure {
  /** Begun last. */
  readonly step: Step;
  /** The step's error, or the signal's reason; a StrandedError when taking back failed too. */
  readonly error: unknown;
  /** Titles of what was done to take it back, in that order. */
  readonly undone: readonly string[];
}

/**
 * Runs the steps in order. When one fails, or the signal is aborted, every step that was begun is taken back, the
 * last one first; nothing interrupts that.
 *
 * @param onFailure is told of a failure once everything that could be taken back was
 * @throws the step's error, or the signal's reason; a StrandedError when taking back failed too
 */
export async function execute(
  steps: readonly Step[],
  phases: Phases,
  platform: Platform,
  signal: AbortSignal,
  onFailure: (failure: Failure) => Promise<void> = async () => {},
): Promise<void> {
  const begun: Step[] = [];
  try {
    for (const step of steps) {
      signal.throwIfAborted();
      begun.unshift(step);
      await perform(step, phases, signal);
    }
    signal.throwIfAborted();
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    const [step] = begun;
    platform.warning(`${step?.title ?? 'The restore'} failed: ${messageOf(reason)}`);
    const taken = await takeBack(begun, phases, reason);
    if (step) await onFailure({ step, ...taken });
    throw taken.error;
  }
}

const perform = ({ name, title, bytes, run }: Step, phases: Phases, signal: AbortSignal): Promise<void> =>
  bytes === undefined
    ? phases.run(name, title, () => run(signal, silent))
    : phases.transfer(name, title, bytes, (progress) => run(signal, progress));

const silent: Pick<Progress, 'add'> = { add() {} };

async function takeBack(
  begun: readonly Step[],
  phases: Phases,
  reason: unknown,
): Promise<Pick<Failure, 'error' | 'undone'>> {
  const undone: string[] = [];
  const failures: string[] = [];
  const byHand: string[] = [];
  for (const { undo } of begun) {
    if (!undo) continue;
    try {
      await phases.run('undo', undo.title, () => undo.run());
      undone.push(undo.title);
    } catch (error) {
      failures.push(`${undo.title}: ${messageOf(error)}`);
      byHand.push(...undo.byHand);
    }
  }
  if (failures.length === 0) return { error: reason, undone };
  const error = new StrandedError(
    [`${messageOf(reason)}. Taking it back failed as well:`, ...failures].join('\n  '),
    byHand,
    reason,
  );
  return { error, undone };
}
