import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { codeOf, failure, isConflict, type SdkFailure } from './sdk-errors.ts';

/** The SDK's own strategy for retries, as far as one is asked. */
export type Retries = Extract<
  Awaited<ReturnType<S3Client['config']['retryStrategy']>>,
  { acquireInitialRetryToken: unknown }
>;
type Token = Parameters<Retries['refreshRetryTokenForRetry']>[0];
type Failed = Parameters<Retries['refreshRetryTokenForRetry']>[1];

/**
 * Waits, in milliseconds, before a server that had answered is asked again, behind the four of the SDK, which end within
 * a second: half a minute in all. A gateway or a proxy takes some seconds to start again, a load balancer up to half a
 * minute to notice. What waits on the host meanwhile (a connection, pg_dump) is often cut after a minute of silence. None
 * is longer than five seconds, so that little is lost once the server is back.
 */
const WAITS_MS: readonly number[] = [500, 1000, 2000, 4000, 5000, 5000, 5000, 5000, 5000];

/** No wait begins later than so many milliseconds after the first error: attempts can be slow as well. */
const PATIENCE_MS = 30_000;

/** What the timeouts of `client.ts` let an attempt take without any progress. */
const LONGEST_ATTEMPT_MS = 70_000;

export interface OutageOptions {
  /** The server, for people. */
  readonly server: string;
  /** Default: half a minute in all. */
  readonly waitsMs?: readonly number[] | undefined;
  /** Ends the waits, also of what it does not interrupt. */
  readonly signal?: AbortSignal | undefined;
  /** Is told of an outage once, and of its end. */
  readonly tell?: ((message: string) => void) | undefined;
}

/** The errors of one request so far. */
interface Series {
  readonly since: number;
  /** How many of our own waits it has had. */
  waits: number;
}

/**
 * The SDK's retries, and behind them patience with a server that has answered before: it may start again in the middle of
 * an upload. One that has not answered yet may not exist, and fails as fast as the SDK has it.
 */
export class OutageRetries implements Retries {
  readonly #sdk: Retries;
  readonly #options: OutageOptions;
  readonly #series = new WeakMap<Token, Series>();
  #hasAnswered = false;
  /** When the errors began that the log has told of. */
  #toldSince: number | undefined;
  /** Requests that have failed and are to be sent again, each with the time until which it is thought of. */
  readonly #failing = new Map<Token, number>();
  /** It was waited for in vain: what cleans up is not kept waiting as well, until the server answers. */
  #givenUpSince: number | undefined;

  constructor(sdk: Retries, options: OutageOptions) {
    this.#sdk = sdk;
    this.#options = options;
  }

  acquireInitialRetryToken(scope: string): Promise<Token> {
    return this.#sdk.acquireInitialRetryToken(scope);
  }

  /** @throws when the request is not to be sent again */
  async refreshRetryTokenForRetry(token: Token, failed: Failed): Promise<Token> {
    const error = failure(failed.error);
    const series = this.#series.get(token) ?? { since: performance.now(), waits: 0 };
    this.#failing.delete(token);
    if (isAnswer(error)) this.#answered();
    this.#failing.set(token, Number.POSITIVE_INFINITY);
    try {
      const next = await this.#next(token, failed, series);
      this.#series.set(next, series);
      // The SDK does not say when a request is given up on for another reason.
      this.#failing.set(next, performance.now() + LONGEST_ATTEMPT_MS);
      return next;
    } finally {
      this.#failing.delete(token);
    }
  }

  async #next(token: Token, failed: Failed, series: Series): Promise<Token> {
    try {
      return await this.#sdk.refreshRetryTokenForRetry(token, failed);
    } catch (refused) {
      const error = failure(failed.error);
      const waitedMs = passes(failed, error) && (await this.#wait(error, series));
      if (waitedMs === false) throw refused;
      return tokenAfter(token, waitedMs);
    }
  }

  recordSuccess(token: Token): void {
    this.#failing.delete(token);
    this.#answered();
    this.#sdk.recordSuccess(token);
  }

  #answered(): void {
    this.#hasAnswered = true;
    this.#givenUpSince = undefined;
    if (this.#toldSince === undefined) return;
    // Of many requests, some may be answered while others are not: only the last one of them ends the outage.
    const now = performance.now();
    if ([...this.#failing.values()].some((until) => until > now)) return;
    this.#failing.clear();
    const seconds = secondsSince(this.#toldSince);
    this.#toldSince = undefined;
    this.#options.tell?.(`${this.#options.server} answers again, after ${seconds} s`);
  }

  /** How long it waited, in milliseconds; false where the request is not to be sent again. */
  async #wait(error: SdkFailure, series: Series): Promise<number | false> {
    const { waitsMs = WAITS_MS, signal } = this.#options;
    if (!this.#hasAnswered || signal?.aborted) return false;
    const wait = waitsMs[series.waits];
    const isOver = wait === undefined || performance.now() - series.since > PATIENCE_MS;
    if (isOver || this.#givenUpSince !== undefined) {
      this.#givenUpSince ??= series.since;
      Object.assign(error, { askedAgainFor: secondsSince(this.#givenUpSince) });
      return false;
    }
    this.#tell(error, series.since);
    series.waits += 1;
    const waitedMs = wait * (0.5 + Math.random()); // not all requests at the same moment
    try {
      await sleep(waitedMs, undefined, { signal });
      return waitedMs;
    } catch {
      return false;
    }
  }

  #tell(error: SdkFailure, since: number): void {
    if (this.#toldSince !== undefined) return;
    this.#toldSince = since;
    const { server, tell } = this.#options;
    tell?.(
      `${server} does not answer as it did before (${inShort(error)}): it is asked again for half a minute`,
    );
  }
}

const secondsSince = (start: number): number => Math.max(1, Math.round((performance.now() - start) / 1000));

/** An answer of the service itself, although it is an error: not that it, or what stands behind a proxy, is down. */
function isAnswer({ $metadata }: SdkFailure): boolean {
  const status = $metadata?.httpStatusCode;
  return status !== undefined && status < 500 && status !== 429;
}

/** Whether it is the server that fails, and for now. Somebody else's request that is under way is no outage. */
const passes = ({ errorType }: Failed, error: SdkFailure): boolean =>
  (errorType === 'TRANSIENT' || errorType === 'THROTTLING') && !isConflict(error);

/** Code and status alone: what else the server says is for the error in the end. */
function inShort(error: SdkFailure): string {
  const status = error.$metadata?.httpStatusCode;
  const name = codeOf(error) ?? '';
  if (status === undefined) return error.code ?? name;
  return /^[A-Z]\w{1,60}$/.test(name) ? `HTTP ${status}, ${name}` : `HTTP ${status}`;
}

/** What the SDK counts attempts and waits by. */
function tokenAfter(before: Token, waitedMs: number): Token {
  const token = {
    getRetryCount: () => before.getRetryCount() + 1,
    getRetryDelay: () => 0, // it has passed
    getRetryCost: () => undefined,
    $retryLog: { acquisitionDelay: waitedMs },
  };
  return token as unknown as Token;
}
