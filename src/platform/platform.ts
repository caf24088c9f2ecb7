import { constants } from 'node:os';
import type { Summary } from '../report/summary.ts';
import { type CancelledError, GateError, InputError, messageOf, UserError } from '../util/errors.ts';
import { moreHelp } from './more-help.ts';

/** How far something is, for a platform that draws it. */
export interface ProgressState {
  /** From 0 to 1; undefined where it is not known. */
  readonly fraction?: number | undefined;
  /** Which step of the run this is: `step 3 of 8`. */
  readonly step?: string | undefined;
  /** All that moves, in short: `1.2 GiB of 3.4 GiB · 48.4 MiB/s · 46 s left`. */
  readonly short?: string | undefined;
}

/** Where the program runs, and how it speaks there. */
export interface Platform {
  readonly run: RunIdentity;
  /** How often a progress line is worth printing, in milliseconds. */
  readonly progressIntervalMs: number;
  /** The raw value of an input; an empty string where it is not given. */
  input(name: string): string;
  /** Names of the inputs that somebody has given to this run alone, where that is known. */
  given?(): readonly string[];
  /** Never to be printed, nor any line of it. To be told before anything that may contain it is printed. */
  secret(value: string): void;
  /**
   * Gets the ID token of the job, by which it proves who it is. It is not to be kept, for it lives for minutes.
   *
   * @param audience for which it is made, where the platform makes it
   * @throws UserError where the job has none
   */
  idToken(audience: string): Promise<string>;
  /**
   * Looks whether outputs can be written, before anything is done.
   *
   * @throws UserError where they cannot
   */
  prepare(): void;
  /** Puts what is printed until `body` has settled under this title. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
  info(message: string): void;
  /** Worth seeing without opening the log. */
  notice(message: string): void;
  warning(message: string): void;
  /** Prints how far something is. On a terminal the line replaces the one before, and has a bar. */
  progress(line: string, state?: ProgressState): void;
  /**
   * A result for the steps and jobs that follow, by its name in action.yml. Does not throw: a value that cannot be
   * handed on is a warning, and one that could not be written is told by `finish`.
   */
  output(name: string, value: string): void;
  /** What a person should have read. */
  summary(summary: Summary): Promise<void>;
  /**
   * To be called when a command is done.
   *
   * @throws UserError where outputs could not be written
   */
  finish(): Promise<void>;
  /**
   * Tells why the run failed: message, causes, and what to do.
   *
   * @param left what was left as it was, as a sentence
   */
  fail(error: unknown, left?: string): void;
}

/** Who made a backup, for its receipt. */
export interface RunIdentity {
  readonly platform: PlatformName;
  readonly actor?: string;
  readonly repository?: string;
  readonly commit?: string;
  readonly ref?: string;
  /** URL of the run's log. */
  readonly url?: string;
}

/** `rollback, run 123 of acme/odoo, by alice`: who holds a lock, for those that have to wait. */
export function holderOf(command: string, { url, repository, actor }: RunIdentity): string {
  const id = /\/(?:runs|pipelines|jobs)\/(\d+)/.exec(url ?? '')?.[1];
  const run = [id && `run ${id}`, repository && `of ${repository}`].filter(Boolean).join(' ');
  return [command, run, actor && `by ${actor}`].filter(Boolean).join(', ');
}

/** The raw values of inputs, wherever they were read. */
export interface RawInputs {
  /** Names of the inputs that are flags of the command line. */
  readonly flags?: readonly string[];
  /** The raw value of an input; an empty string where it is not given. */
  input(name: string): string;
}

export type PlatformName = 'github' | 'gitlab' | 'terminal';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * GitHub's runner sets INPUT_COMMAND, which has a default in action.yml, for an action only: where the command
 * line program runs in a `run:` step, the platform is a terminal.
 */
export function detectPlatform(env: Environment): PlatformName {
  if (env.GITHUB_ACTIONS === 'true' && env.INPUT_COMMAND !== undefined) return 'github';
  return env.GITLAB_CI === 'true' ? 'gitlab' : 'terminal';
}

/** 0 is done; see also README.md. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof InputError) return 2;
  if (error instanceof GateError) return 3;
  const signal = (error as Partial<CancelledError> | undefined)?.signal;
  return signal === undefined ? 1 : 128 + constants.signals[signal];
}

/** What a person needs to know of a failure, one thought a line: what happened, why, what to do. */
export function describeError(error: unknown): string[] {
  const messages = [messageOf(error)];
  for (const cause of causesOf(error)) {
    const message = messageOf(cause);
    // Many a message repeats its cause's.
    if (message !== '' && !SAYS_NOTHING.test(message) && !messages.some((each) => each.includes(message)))
      messages.push(message);
  }
  const [what = '', ...why] = messages;
  const because = why.map((message) => `because: ${message}`);
  const lines =
    error instanceof UserError
      ? [what, ...because, error.hint]
      : [`Unexpected error: ${what}`, ...because, ...unforeseen(error)];
  return lines.filter((line) => line !== '');
}

/** What a log tells of a failure: the same, and where to read more. */
export function failureLines(error: unknown): string[] {
  const more = moreHelp(error);
  return [...describeError(error), ...(more === undefined ? [] : [`See ${more}`])];
}

/** What the SDK says where a server says nothing. */
const SAYS_NOTHING = /^Unknown(Error)?$/;

/** What to do about an error that no part of the program has foreseen, and where it was thrown. */
function unforeseen(error: unknown): string[] {
  const { code, stack } = (error ?? {}) as { readonly code?: unknown; readonly stack?: unknown };
  const known = typeof code === 'string' ? systemErrors[code] : undefined;
  const thrown = typeof stack === 'string' ? stack.replace(/^.*?\n(?=\s+at )/s, '') : '';
  return [
    known ??
      'What was done until then stands above. Run the command again; if it fails in the same way, report it with these lines:',
    thrown,
  ];
}

/** Errors of the system on the machine that runs the program: those of the host are told by who asks it. */
const systemErrors: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk of the machine that runs the job is full: make room there, then run the command again.',
  EDQUOT: 'The account that runs the job may not use more disk: make room, then run the command again.',
  EROFS: 'The machine that runs the job does not let it write there.',
  EACCES: 'The account that runs the job may not use that file.',
  EPERM: 'The account that runs the job may not do that.',
  EMFILE: 'The account that runs the job may not open more files: raise its limit (ulimit -n).',
};

/** The chain of causes; of several errors that count as one (a host with two addresses), each. */
function* causesOf(error: unknown): Generator<unknown> {
  if (error instanceof AggregateError) {
    for (const each of error.errors) yield* [each, ...causesOf(each)];
  }
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause !== undefined) yield* [cause, ...causesOf(cause)];
}
