import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, type Host } from '../host/host.ts';
import { run } from '../host/run.ts';
import { LostConnectionError, PassingError } from '../host/ssh/errors.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { formatLimit } from '../util/format.ts';
import type { Services } from './services.ts';

/** How to check that Odoo is healthy. */
export type HealthCheck =
  /** Its pages answer on its own port, asked from the host. */
  | { readonly kind: 'odoo'; readonly baseUrl: string }
  /** A page answers with a status from 200 to 399. */
  | { readonly kind: 'url'; readonly url: string; readonly from: 'host' | 'runner' };

/** What is asked whether it is healthy. */
export interface Patient {
  /** Where the check is asked. */
  readonly host: Host;
  readonly services: Pick<Services, 'states'>;
  readonly check: HealthCheck;
}

/** Where Odoo listens, by its odoo.conf. An address that means "all" is asked at 127.0.0.1. */
export function odooUrl(httpInterface: string | undefined, httpPort: number | undefined): string {
  const everywhere = ['', '0.0.0.0', '::', '*'];
  const address = everywhere.includes(httpInterface ?? '') ? '127.0.0.1' : (httpInterface ?? '');
  return `http://${address.includes(':') ? `[${address}]` : address}:${httpPort ?? 8069}`;
}

export interface Healthy {
  /** Seconds from the first question to the good answer. */
  readonly seconds: number;
  /** `http://127.0.0.1:8069/web/login answers 200` */
  readonly answer: string;
}

const PAUSE_MS = 250;
/** The first page after a start waits until Odoo has loaded its registry. */
const ANSWER_SECONDS = 60;

/**
 * Asks until all units are active and the check is passed. When the time is over, it asks once more: a runner that was
 * suspended, or had no network, has not heard how Odoo is, and people may have worked with it for long.
 *
 * @param onWait is told what the last answer was, and for how long it is waited: `not yet: odoo is activating, 12 s of 2 min`
 * @throws UserError when one has failed, or the time is over, with what the last answer was
 */
export async function waitHealthy(
  patient: Patient,
  timeoutMs: number,
  signal?: AbortSignal,
  onWait: (line: string) => void = () => {},
): Promise<Healthy> {
  const started = performance.now();
  for (let isLast = false; ; ) {
    const left = timeoutMs - (performance.now() - started);
    const patience = isLast ? GLANCE_SECONDS : Math.min(ANSWER_SECONDS, left / 1000);
    const { healthy, answer } = await ask(patient, patience, signal).catch(unanswered);
    const seconds = (performance.now() - started) / 1000;
    if (healthy) return { seconds, answer };
    if (healthy === undefined || isLast) {
      throw new UserError(
        `Odoo is not healthy after ${seconds.toFixed(1)} s: ${answer}`,
        'See Odoo’s log on the host. What counts as healthy, and for how long to wait, is set by health-check.',
      );
    }
    isLast = seconds * 1000 + PAUSE_MS >= timeoutMs;
    if (isLast) continue;
    onWait(`not yet: ${answer}, ${Math.round(seconds)} s of ${formatLimit(timeoutMs)}`);
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

/** Time that a page may take while a person waits for the plan; a slower page is reported as slow. */
const GLANCE_SECONDS = 5;

/**
 * What the check would say at this moment: `http://127.0.0.1:8069/web/webclient/version_info answers 200`. Odoo's pages
 * are not asked for: the first look at one makes Odoo 14 write attachments, and so may the page of a 404 on a website.
 * The version call has no database, writes nothing, and is there in every version.
 */
export async function healthNow(patient: Patient): Promise<string> {
  const { host, services, check } = patient;
  if (check.kind === 'url') return (await ask(patient, GLANCE_SECONDS, undefined)).answer;
  const idle = await idleAnswer(services);
  if (idle) return idle.answer;
  const version = `${check.baseUrl}/web/webclient/version_info`;
  return told(version, await statusFromHost(host, { url: version, json: '{}' }, GLANCE_SECONDS));
}

/** A lost connection says nothing about Odoo, nor does one that cannot be made: the next question uses a new one. */
function unanswered(error: unknown): Answer {
  if (!(error instanceof LostConnectionError || error instanceof PassingError)) throw error;
  return { healthy: false, answer: error.message };
}

/** `healthy` undefined: it never will be. */
interface Answer {
  readonly healthy: boolean | undefined;
  readonly answer: string;
}

async function ask(
  { host, services, check }: Patient,
  seconds: number,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const idle = await idleAnswer(services);
  if (idle) return idle;
  const limit = Math.max(1, Math.ceil(seconds));
  if (check.kind === 'odoo') return askOdoo(host, check.baseUrl, limit, signal);
  const status =
    check.from === 'runner'
      ? await statusFromRunner(check.url, limit, signal)
      : await statusFromHost(host, { url: check.url }, limit, signal);
  return { healthy: isGood(status), answer: told(check.url, status) };
}

/** What is to be said of a unit that does not run; undefined: all do. */
async function idleAnswer(services: Pick<Services, 'states'>): Promise<Answer | undefined> {
  const idle = (await services.states()).find(({ state }) => state !== 'active');
  if (!idle) return undefined;
  return { healthy: idle.state === 'failed' ? undefined : false, answer: `${idle.unit} is ${idle.state}` };
}

/**
 * The login page shows that the database is served. Where Odoo cannot know which one is meant (a dbfilter by the
 * host's name), it has none, and `/web/health` (from Odoo 15 on) has to do.
 */
async function askOdoo(host: Host, baseUrl: string, limit: number, signal?: AbortSignal): Promise<Answer> {
  const login = `${baseUrl}/web/login`;
  const status = await statusFromHost(host, { url: login }, limit, signal);
  if (status !== 404) return { healthy: isGood(status), answer: told(login, status) };
  const health = `${baseUrl}/web/health`;
  const answered = await statusFromHost(host, { url: health }, limit, signal);
  return { healthy: isGood(answered), answer: told(health, answered) };
}

/** An HTTP status, or why there is none. */
type Status = number | string;

const isGood = (status: Status): boolean => typeof status === 'number' && status >= 200 && status < 400;

const told = (url: string, status: Status): string =>
  typeof status === 'number' ? `${url} answers ${status}` : `${url} does not answer: ${status}`;

async function statusFromRunner(url: string, limit: number, cancel?: AbortSignal): Promise<Status> {
  const timeout = AbortSignal.timeout(limit * 1000);
  const signal = cancel ? AbortSignal.any([timeout, cancel]) : timeout;
  try {
    const response = await fetch(url, { signal, redirect: 'manual' });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    cancel?.throwIfAborted();
    return error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
  }
}

/**
 * Asks by what the host has: curl, wget or Python. Redirects are not followed.
 *
 * @param json body of a POST request; without it, the page is read by GET
 */
async function statusFromHost(
  host: Host,
  { url, json = '' }: { readonly url: string; readonly json?: string },
  limit: number,
  signal?: AbortSignal,
): Promise<Status> {
  const python = `import sys, urllib.error, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_): return None
proxyless = urllib.request.ProxyHandler({})
url, limit, json = sys.argv[1:]
request = urllib.request.Request(url, json.encode() or None, {'Content-Type': 'application/json'} if json else {})
try: print(urllib.request.build_opener(Stay, proxyless).open(request, timeout=int(limit)).status)
except urllib.error.HTTPError as error: print(error.code)`;
  const script = `url=$1 limit=$2 python=$3 json=$4 type='Content-Type: application/json'; set --
    if command -v curl; then
      [ -z "$json" ] || set -- -H "$type" --data-binary "$json"
      exec 1>&3; exec curl -sS --noproxy '*' -o /dev/null -w '%{http_code}' --max-time "$limit" "$@" -- "$url"
    elif command -v wget; then
      [ -z "$json" ] || set -- --header="$type" --post-data="$json"
      said=$(wget -S -q -O /dev/null --no-proxy --max-redirect=0 --tries=1 --timeout="$limit" "$@" -- "$url" 2>&1)
      status=$(printf '%s\\n' "$said" | sed -n 's|^ *HTTP/[0-9.]* \\([0-9]*\\).*|\\1|p' | head -n 1)
      [ -n "$status" ] || { printf '%s\\n' "$said" >&2; exit 1; }
      printf %s "$status" >&3
    elif command -v python3; then
      exec python3 -c "$python" "$url" "$limit" "$json" >&3
    else echo 'the host has neither curl nor wget nor python3' >&2; exit 1
    fi`;
  const argv = ['sh', '-c', `{ ${script}\n} 3>&1 >/dev/null`, 'sh', url, String(limit), python, json];
  try {
    return Number(await run(host, { argv }, { signal }));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.exit.stderr.split('\n').at(-1) ?? '';
  }
}
