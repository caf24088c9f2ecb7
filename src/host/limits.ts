import { AsyncLocalStorage } from 'node:async_hooks';
import { UserError } from '../util/errors.ts';
import { formatDuration } from '../util/format.ts';
import type { Process } from './host.ts';

/**
 * How long commands on hosts may be waited for. The limit belongs to the run and not to the call: every command that
 * starts within `within`, however deep, ends with its signal, so that no call can forget it. Commands that have to go
 * on, such as the undo of a restore, run in `unlimited`.
 */
const limit = new AsyncLocalStorage<AbortSignal | undefined>();

/** Runs `body`. The commands that it starts on hosts end when the signal is aborted, and fail with its reason. */
export const within = <T>(signal: AbortSignal, body: () => Promise<T>): Promise<T> => limit.run(signal, body);

/** Runs `body`. The commands that it starts on hosts end by themselves, or when their owner ends them. */
export const unlimited = <T>(body: () => Promise<T>): Promise<T> => limit.run(undefined, body);

/**
 * Runs `body` for so long at most, whatever limits the run: for what cleans up.
 *
 * @param also ends it as well
 * @throws UserError when the time is over; the reason of `also`
 */
export async function inTime<T>(ms: number, body: () => Promise<T>, also?: AbortSignal): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const hint = 'Look on the host for what it waits for: pg_stat_activity, ps, journalctl.';
    late.abort(new UserError(`It was not done within ${formatDuration(ms)}`, hint));
  }, ms);
  const signal = also ? AbortSignal.any([late.signal, also]) : late.signal;
  try {
    signal.throwIfAborted();
    return await untilAborted(within(signal, body), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `body` for so long at most, and no longer than what limits the run. @throws as `inTime` */
export const inTimeOfRun = <T>(ms: number, body: () => Promise<T>): Promise<T> =>
  inTime(ms, body, limit.getStore());

/** Waits for something no longer than the limit lets. @throws the reason of the limit's signal */
export function wait<T>(promise: Promise<T>): Promise<T> {
  const signal = limit.getStore();
  return signal ? untilAborted(promise, signal) : promise;
}

/** Waits for something until the signal is aborted. What is waited for goes on. @throws the signal's reason */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const end = () => aborted.reject(signal.reason);
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** Starts a command that ends with the limit. @throws the reason of the limit's signal */
export async function limited<P extends Process>(start: () => Promise<P>): Promise<P | LimitedProcess> {
  const signal = limit.getStore();
  if (!signal) return start();
  signal.throwIfAborted();
  const starting = start();
  try {
    return new LimitedProcess(await untilAborted(starting, signal), signal);
  } catch (error) {
    // It may start nevertheless, after that.
    starting.then(
      (process) => process[Symbol.asyncDispose](),
      () => {},
    );
    throw error;
  }
}

/** A command that is ended when a signal is aborted: the caller that waits for it gets the signal's reason at once. */
class LimitedProcess implements Process {
  readonly stdin: Process['stdin'];
  readonly stdout: Process['stdout'];
  readonly exited: Process['exited'];
  readonly #process: Process;

  constructor(process: Process, signal: AbortSignal) {
    this.#process = process;
    this.stdin = process.stdin;
    this.stdout = process.stdout;
    const aborted = Promise.withResolvers<never>();
    this.exited = Promise.race([process.exited, aborted.promise]);
    this.exited.catch(() => {}); // the caller that awaits it gets the error
    const end = () => {
      aborted.reject(signal.reason);
      this.stdout.destroy(signal.reason);
      this.stdin.destroy(signal.reason);
      Promise.resolve(process[Symbol.asyncDispose]()).catch(() => {});
    };
    const forget = () => signal.removeEventListener('abort', end);
    process.exited.then(forget, forget);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
