import { setTimeout as sleep } from 'node:timers/promises';
import { inTime } from '../host/limits.ts';
import { LostConnectionError, PassingError } from '../host/ssh/errors.ts';
import type { Platform } from '../platform/platform.ts';
import type { Progress } from '../platform/progress.ts';
import type { Run } from '../platform/run.ts';
import { isServerAway } from '../postgres/sql-error.ts';
import type { Cancellation } from '../util/cancellation.ts';
import { CancelledError, messageOf, UserError } from '../util/errors.ts';
import { OvertakenError } from './ownership.ts';

/** What takes a step back. */
export interface Undo {
  /** For the log: `Rename the databases back`. */
  readonly title: string;
  /** Works however far the step came, also when it did nothing at all, and when it is done twice. */
  run(): Promise<void>;
  /** Commands for a person, where `run` itself fails. */
  readonly byHand: readonly string[];
  /** It takes back what Odoo runs on: where it fails, everything behind it is left to a person, Odoo's start as well. */
  readonly isOdoos?: true;
}

/** One step of a restore. */
export interface Step {
  /** Short, for the summary: `swap`. */
  readonly name: string;
  /** For the log: `Swap the databases by rename`. */
  readonly title: string;
  /** What will happen in detail, from what the preflight found: one thought a line. */
  readonly details: readonly string[];
  /** Bytes that it moves. Default: hardly any. */
  readonly bytes?: number;
  /** Odoo is stopped during this step: it runs to its end, and a cancellation waits for that. */
  readonly unbroken?: true;
  /** Once the restore is done: where this fails, the steps behind it would take away what it was to keep. */
  readonly guards?: true;
  /** Does it. Ends early, by throwing the signal's reason, when that is aborted. */
  run(signal: AbortSignal, progress: Pick<Progress, 'add'>): Promise<void>;
  /** Absent: the step leaves nothing behind. */
  readonly undo?: Undo;
}

/** A failed restore whose undo failed as well, or was left to another run: a person has to look at it. */
export class StrandedError extends UserError {
  override readonly name = 'StrandedError';
  /** In this order. None: another run has taken over. */
  readonly commands: readonly string[];
  /** The signal that ended the run, where one did. */
  readonly signal: NodeJS.Signals | undefined;

  constructor(
    message: string,
    commands: readonly string[],
    cause: unknown,
    hint = ['Run these commands on the host, in this order:', ...commands].join('\n  '),
  ) {
    super(message, hint, { cause });
    this.commands = commands;
    this.signal = (cause as Partial<CancelledError> | undefined)?.signal;
  }
}

/** The plan as text: the same for a dry run and for a real one. */
export function describePlan(steps: readonly Step[]): string[] {
  return steps.flatMap(({ title, details, undo }, i) => [
    `${i + 1}. ${title}`,
    ...details.flatMap((detail) => detail.split('\n')).map((line) => `   ${line}`),
    ...(undo ? [`   undo: ${lowerFirst(undo.title)}`] : []),
  ]);
}

/** What `undo` means in the lists of `describePlan` and of summaries. */
export const UNDO_MEANING =
  'If a step fails, or the run is cancelled, every step that was begun is undone, the last one first.';

export const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** How a restore failed, after everything that could be undone was undone. */
export interface StepFailure {
  /** The step that began last. */
  readonly step: Step;
  /** The step's error, or the signal's reason; a StrandedError when the undo failed too. */
  readonly error: unknown;
  /** Titles of what was done to take it back, in that order. */
  readonly undone: readonly string[];
}

/** What is done when a plan fails. */
export interface OnFailure {
  /** Before anything is taken back that others have a part in. @throws OvertakenError when nothing may be */
  readonly beforeUndo?: () => Promise<void> | undefined;
  /** Is told of the failure once everything that could be taken back was. */
  readonly tell?: (failure: StepFailure) => Promise<void>;
}

/** How long one step may take while Odoo is stopped, and how long the undo of any step. */
const UNBROKEN_LIMIT_MS = 15 * 60_000;

/**
 * Runs the steps in order. When one fails, or the run is cancelled, every step that was begun is undone, the last one
 * first. The undo has time limits of its own, and only repeated signals interrupt it.
 *
 * @throws the step's error, or the signal's reason; a StrandedError when the undo failed too
 */
export async function execute(
  steps: readonly Step[],
  run: Run,
  cancellation: Cancellation,
  onFailure?: OnFailure,
): Promise<void> {
  await executed(steps, run, cancellation, onFailure);
}

/**
 * The same for what is there for the time of a run: in the end, every step that was begun is taken back, also when all of
 * them did well.
 *
 * @throws the step's error, or the signal's reason; a StrandedError when something could not be taken back
 */
export async function executeAndTakeBack(
  steps: readonly Step[],
  run: Run,
  cancellation: Cancellation,
  onFailure?: OnFailure,
): Promise<void> {
  const begun = await executed(steps, run, cancellation, onFailure);
  const done = new UserError('All steps are done', '');
  try {
    const { error } = await takeBack(begun, run, done, new Patience(run, cancellation));
    if (error !== done) throw error;
  } finally {
    cancellation.busyWith = undefined;
  }
}

/** Runs the steps, or takes all of them back. @returns what was begun, the last one first */
async function executed(
  steps: readonly Step[],
  run: Run,
  cancellation: Cancellation,
  { beforeUndo, tell }: OnFailure = {},
): Promise<readonly Step[]> {
  const { signal } = cancellation;
  const begun: Step[] = [];
  try {
    for (const step of steps) {
      signal.throwIfAborted();
      begun.unshift(step);
      cancellation.busyWith = step.unbroken && toTakeBack(begun);
      await perform(step, run, cancellation);
    }
    signal.throwIfAborted();
    return begun;
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    const [step] = begun;
    run.platform.warning(`${step?.title ?? 'The restore'} failed: ${messageOf(reason)}`);
    const patience = new Patience(run, cancellation);
    const taken =
      (await overtaken(begun, beforeUndo, reason, patience)) ??
      (await takeBack(begun, run, reason, patience));
    if (step) await tell?.({ step, ...taken });
    throw taken.error;
  } finally {
    cancellation.busyWith = undefined;
  }
}

const toTakeBack = (begun: readonly Step[]): string =>
  begun.flatMap(({ undo }) => (undo ? [lowerFirst(undo.title)] : [])).join('; ');

async function perform(
  { name, title, bytes, unbroken, run }: Step,
  { platform, phases }: Run,
  { signal, abandoned }: Cancellation,
): Promise<void> {
  if (bytes !== undefined) return phases.transfer(name, title, bytes, (progress) => run(signal, progress));
  if (!unbroken) return phases.run(name, title, () => run(signal, silent));
  const told = () => platform.info(`First this has to end: ${lowerFirst(title)}. Odoo is down meanwhile`);
  signal.addEventListener('abort', told, { once: true });
  try {
    await phases.run(name, title, () => inTime(UNBROKEN_LIMIT_MS, () => run(abandoned, silent), abandoned));
  } finally {
    signal.removeEventListener('abort', told);
  }
}

const silent: Pick<Progress, 'add'> = { add() {} };

/** What another signal would do, for the person who has sent one; empty where a step failed, or the time was over. */
function ifSignalledAgain(reason: unknown): string {
  const signal = reason instanceof CancelledError ? reason.signal : undefined;
  if (signal === undefined) return '';
  const another = signal === 'SIGINT' ? 'Ctrl-C' : 'signal';
  return `. A further ${another} does not end that; a third one leaves the rest to you`;
}

/** What another run has taken over is not taken back. undefined: none has, as far as this can be determined. */
async function overtaken(
  begun: readonly Step[],
  beforeUndo: OnFailure['beforeUndo'],
  reason: unknown,
  patience: Patience,
): Promise<Pick<StepFailure, 'error' | 'undone'> | undefined> {
  if (!beforeUndo || !begun.some(({ unbroken }) => unbroken)) return undefined; // what was built has names of its own
  patience.cancellation.busyWith = toTakeBack(begun);
  try {
    await patience.for(async () => beforeUndo());
    return undefined;
  } catch (error) {
    if (!(error instanceof OvertakenError)) return undefined;
    const message = `${messageOf(reason)}. Nothing was undone: ${messageOf(error)}`;
    return { error: new StrandedError(message, [], reason, error.hint), undone: [] };
  }
}

/** How long the undo of a plan waits for a host or a PostgreSQL that is not there: it may just restart. */
const AWAY_MS = 2 * 60_000;
const AWAY_PAUSE_MS = 1000;

/** Does what can be done twice, once more while the host or PostgreSQL is away. */
class Patience {
  readonly cancellation: Cancellation;
  readonly #platform: Platform;
  #until: number | undefined;

  constructor({ platform }: Run, cancellation: Cancellation) {
    this.#platform = platform;
    this.cancellation = cancellation;
  }

  async for<T>(body: () => Promise<T>): Promise<T> {
    const { abandoned } = this.cancellation;
    for (;;) {
      try {
        return await inTime(UNBROKEN_LIMIT_MS, body, abandoned);
      } catch (error) {
        if (!isAway(error)) throw error;
        if (this.#until === undefined) {
          const [what] = messageOf(error).split('\n', 1);
          this.#platform.info(
            `The undo waits up to ${AWAY_MS / 60_000} min for the host or PostgreSQL to come back: ${what}`,
          );
          this.#until = performance.now() + AWAY_MS;
        }
        if (performance.now() > this.#until) throw error;
        await sleep(AWAY_PAUSE_MS, undefined, { signal: abandoned }).catch(() => {});
        abandoned.throwIfAborted();
      }
    }
  }
}

/** Whether what is asked could not be reached, and not what it said. */
function isAway(error: unknown): boolean {
  if (error instanceof LostConnectionError || error instanceof PassingError || isServerAway(error))
    return true;
  return error instanceof Error && error.cause !== undefined && isAway(error.cause);
}

async function takeBack(
  begun: readonly Step[],
  { platform, phases }: Run,
  reason: unknown,
  patience: Patience,
): Promise<Pick<StepFailure, 'error' | 'undone'>> {
  const { cancellation } = patience;
  const undone: string[] = [];
  const failures: string[] = [];
  const byHand: string[] = [];
  const left = begun.filter(({ undo }) => undo);
  let isHalf = false;
  if (left.length > 0) {
    platform.info(`Undoing: ${toTakeBack(left)}${ifSignalledAgain(reason)}`);
  }
  for (const [i, { undo }] of left.entries()) {
    if (!undo) continue;
    if (isHalf) {
      failures.push(`${undo.title}: not done, because database, filestore or code is not back`);
      byHand.push(...undo.byHand);
      continue;
    }
    cancellation.busyWith = toTakeBack(left.slice(i));
    try {
      cancellation.abandoned.throwIfAborted();
      await phases.run('undo', undo.title, () => patience.for(() => undo.run()));
      undone.push(undo.title);
    } catch (error) {
      isHalf = undo.isOdoos === true;
      failures.push(`${undo.title}: ${messageOf(error)}`);
      byHand.push(...undo.byHand);
    }
  }
  if (failures.length === 0) return { error: reason, undone };
  const error = new StrandedError(
    [`${messageOf(reason)}. Undoing failed as well:`, ...failures].join('\n  '),
    byHand,
    reason,
  );
  return { error, undone };
}
