import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutControls } from '../util/controls.ts';
import { messageOf, UserError } from '../util/errors.ts';
import type { Environment } from './platform.ts';

/** A token has a few KiB. In bytes. */
const LARGEST_TOKEN = 64 * 1024;
const ATTEMPTS = 5;
const TIMEOUT_MS = 10_000;

/**
 * Gets the job's ID token, by which it proves to others who it is: from GitHub, which makes a new one each time, or from
 * the file that AWS_WEB_IDENTITY_TOKEN_FILE names, which is read anew each time, for somebody may have replaced it.
 *
 * @param audience for which GitHub makes it; a file has it already
 * @param pauseMs before GitHub is asked again, the first time; then twice as long each time
 * @throws UserError where the job has no token
 */
export async function jobToken(audience: string, env: Environment, pauseMs = 500): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
  if (url && bearer) return tokenOfGitHub(new URL(url), bearer, audience, pauseMs);
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE) return tokenOfFile(env.AWS_WEB_IDENTITY_TOKEN_FILE);
  throw new UserError(
    'This job has no ID token to assume a role with',
    'On GitHub: `permissions: id-token: write` of the job. On GitLab: `id_tokens`. Anywhere: AWS_WEB_IDENTITY_TOKEN_FILE names a file with a token.',
  );
}

async function tokenOfFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new UserError(
      `The ID token cannot be read from ${withoutControls(path)}, which AWS_WEB_IDENTITY_TOKEN_FILE names`,
      'The file has to be there for as long as this program runs: a role is assumed anew with it.',
      { cause },
    );
  }
  return checked(text.trim(), 'The file that AWS_WEB_IDENTITY_TOKEN_FILE names');
}

/** https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token */
async function tokenOfGitHub(url: URL, bearer: string, audience: string, pauseMs: number): Promise<string> {
  url.searchParams.set('audience', audience);
  let problem: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(pauseMs * 2 ** (attempt - 1));
    try {
      const { status, body } = await get(url, bearer);
      if (status === 200) return checked(tokenIn(body), 'The answer of GitHub');
      problem = new Error(`HTTP ${status}`);
      if (status < 500 && status !== 429) break; // asking again would not help
    } catch (error) {
      if (error instanceof UserError) throw error;
      problem = error;
    }
  }
  throw new UserError(
    `GitHub gave this job no ID token: ${withoutControls(messageOf(problem))}`,
    'The job needs `permissions: id-token: write`. Look at githubstatus.com, and whether the runner reaches GitHub.',
  );
}

/** `{"value": "the token"}` */
function tokenIn(body: string): string {
  try {
    const { value } = JSON.parse(body) as { value?: unknown };
    return typeof value === 'string' ? value : '';
  } catch {
    return ''; // the message of the error might repeat a token
  }
}

/** Three parts in base64url: RFC 7515, section 3.1. Nothing of it is repeated. */
function checked(token: string, source: string): string {
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) && token.length <= LARGEST_TOKEN) return token;
  throw new UserError(
    `${source} holds no ID token`,
    'An ID token is one line of three parts with dots in between, as the CI gives it.',
  );
}

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY count. A redirect is not followed: the bearer token is for this URL alone. */
async function get(url: URL, bearer: string): Promise<{ readonly status: number; readonly body: string }> {
  const isPlain = url.protocol === 'http:';
  const agent = new (isPlain ? HttpAgent : HttpsAgent)({ proxyEnv: process.env });
  const headers = { authorization: `Bearer ${bearer}`, accept: 'application/json; api-version=2.0' };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const outgoing = (isPlain ? httpRequest : httpsRequest)(url, { agent, headers, signal }, resolve);
      outgoing.once('error', reject).end();
    });
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk;
      if (body.length > LARGEST_TOKEN) throw new Error('its answer is too long');
    }
    return { status: response.statusCode ?? 0, body };
  } finally {
    agent.destroy();
  }
}
