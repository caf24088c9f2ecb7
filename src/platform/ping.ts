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
 * Tells a monitor how the run ended, as Healthchecks takes it: a POST to the URL for success, to the URL with `/fail`
 * for failure. A dry run is no sign of life. A monitor that is not reached is a warning.
 * https://healthchecks.io/docs/http_api/
 *
 * @throws what `body` throws
 */
export async function pinging(
  { command, pingUrl, dryRun }: Pinged,
  platform: Platform,
  body: () => Promise<void>,
): Promise<void> {
  const tell = async (outcome: 'done' | 'failed') => {
    if (pingUrl === undefined || dryRun) return;
    const url = new URL(pingUrl);
    if (outcome === 'failed') url.pathname = `${url.pathname.replace(/\/$/, '')}/fail`;
    // Why it failed is not sent: the monitor often belongs to somebody else.
    const text = [`odoo-backup ${command}: ${outcome}`, platform.run.url].filter(Boolean).join('\n');
    const problem = await post(url, text);
    if (problem) platform.warning(`ping-url was not reached: ${problem}`);
  };
  try {
    await body();
  } catch (error) {
    await tell('failed');
    throw error;
  }
  await tell('done');
}

/** @returns what went wrong, without the URL */
async function post(url: URL, body: string): Promise<string | undefined> {
  let problem: string | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
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
