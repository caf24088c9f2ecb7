import { messageOf } from '../util/errors.ts';
import type { Platform } from './platform.ts';

export interface Pinged {
  readonly command: string;
  /** A secret: everybody who knows it can ping. undefined: no monitor is told. */
  readonly pingUrl: string | undefined;
  readonly dryRun?: boolean;
}

const TIMEOUT_MS = 10_000;
const ATTEMPTS = 3;

/**
 * Tells a monitor that a run begins and how it ended, as Healthchecks takes it: a POST to the URL with `/start`, then to
 * the URL for success, or to the URL with `/fail`. So the monitor knows how long it took, and notices one that never
 * ended. The command does not wait for the first one. A dry run is no sign of life. A monitor that is not reached is a warning.
 * https://healthchecks.io/docs/http_api/
 *
 * @throws what `body` throws
 */
export async function pinging(
  { command, pingUrl, dryRun }: Pinged,
  platform: Platform,
  body: () => Promise<void>,
): Promise<void> {
  const tell = async (outcome: 'started' | 'done' | 'failed') => {
    if (pingUrl === undefined || dryRun) return;
    const url = new URL(pingUrl);
    const path = PATHS[outcome];
    if (path !== '') url.pathname = url.pathname.replace(/\/$/, '') + path;
    // Why it failed is not sent: the monitor often belongs to somebody else.
    const text = [`odoo-backup ${command}: ${outcome}`, platform.run.url].filter(Boolean).join('\n');
    const problem = await post(url, text, outcome === 'started' ? 1 : ATTEMPTS);
    // Some monitors know no `/start`; one that is away is told of at the end.
    if (problem && outcome !== 'started') platform.warning(`ping-url was not reached: ${problem}`);
  };
  const telling = tell('started');
  try {
    await body();
  } catch (error) {
    await telling; // so that the end is the last thing that the monitor hears
    await tell('failed');
    throw error;
  }
  await telling;
  await tell('done');
}

/** What is behind the URL: https://healthchecks.io/docs/http_api/ */
const PATHS = { started: '/start', done: '', failed: '/fail' } as const;

/** @returns what went wrong, without the URL */
async function post(url: URL, body: string, attempts: number): Promise<string | undefined> {
  let problem: string | undefined;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const answer = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
      await answer.body?.cancel();
      if (answer.ok) return undefined;
      problem = `HTTP ${answer.status}`;
      if (answer.status < 500) break; // the URL is wrong
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      problem = messageOf(cause ?? error).replaceAll(url.href, '…');
    }
  }
  return problem;
}
