import { failure } from './sdk-errors.ts';

/** The keys of a session of a role. */
export interface SessionKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When the session ends; undefined where only the S3 service can tell. */
  readonly expiration?: Date;
}

/** A session that ends sooner is followed by the next one before it is used, as in the SDK. */
const MARGIN_MS = 5 * 60_000;

const endsWithin = ({ expiration }: SessionKeys, ms: number): boolean =>
  expiration !== undefined && expiration.getTime() - Date.now() < ms;

/**
 * The sessions of one role, each assumed before the one before it ends: an upload that takes longer than a session goes
 * on in the next one. All who ask at the same time get the same session.
 */
export class RoleSessions {
  readonly #assumeRole: () => Promise<SessionKeys>;
  #current: Promise<SessionKeys> | undefined;

  constructor(assumeRole: () => Promise<SessionKeys>) {
    this.#assumeRole = assumeRole;
  }

  /** The keys of a session that goes on for some minutes. @throws what assuming the role throws */
  async keys(): Promise<SessionKeys> {
    const current = this.#current;
    if (current === undefined) return this.#next();
    const keys = await current;
    if (!endsWithin(keys, MARGIN_MS)) return keys;
    return this.#current === current ? this.#next(keys) : this.keys();
  }

  /** Ends a session that the S3 service has refused. What another request has assumed since then stays. */
  async end(refused: SessionKeys): Promise<void> {
    const current = this.#current;
    if ((await current?.catch(() => undefined)) === refused && this.#current === current)
      this.#current = undefined;
  }

  /** @param before a session that has not been refused: it goes on where the next one cannot be had yet */
  #next(before?: SessionKeys): Promise<SessionKeys> {
    const next = this.#assumeRole().then(
      // One that seems to be over as soon as it begins: the clock of this machine is wrong. S3 tells when it has ended.
      (keys) => (endsWithin(keys, MARGIN_MS) ? { ...keys, expiration: undefined } : keys),
      (error: unknown) => {
        if (this.#current === next) this.#current = undefined;
        if (before === undefined || endsWithin(before, 0)) throw error;
        this.#current ??= Promise.resolve(before);
        return before;
      },
    );
    this.#current = next;
    return next;
  }
}

/** How services say that a session has ended. */
const ENDED = ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'];

/** A request that has no answer but its status: Amazon refuses an ended session with 400, and cannot say why. */
const isMute = (command: string, error: unknown): boolean =>
  command.startsWith('Head') && failure(error).$metadata?.httpStatusCode === 400;

interface Sent {
  readonly input: unknown;
}

/**
 * A middleware for the step `initialize`, outside of what signs a request: where a session is refused in the middle of a
 * run, it sends the request once more in the next one. A body that was a stream is gone; all of ours are bytes.
 */
export function inNextSession(sessions: RoleSessions) {
  return <A extends Sent, R>(next: (args: A) => Promise<R>, { commandName = '' }: { commandName?: string }) =>
    async (args: A): Promise<R> => {
      const keys = await sessions.keys();
      try {
        return await next(args);
      } catch (error) {
        const hasEnded = ENDED.includes(failure(error).name ?? '') || isMute(commandName, error);
        if (!hasEnded || isStream((args.input as { Body?: unknown }).Body)) throw error;
        await sessions.end(keys);
        return next(args);
      }
    };
}

const isStream = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && ('pipe' in body || 'getReader' in body);
