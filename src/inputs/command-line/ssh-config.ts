import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';

/** What ssh itself would do for a host that a person names, as `~/.ssh/config` and its defaults have it. */
export interface SshSettings {
  readonly hostName: string;
  readonly user: string;
  /** Whether no configuration names the user: it is the person's own name on this machine. */
  readonly userByDefault: boolean;
  readonly port: number;
  /** Hosts to go through, in order; each may be an alias as well. */
  readonly jumps: readonly string[];
  /** The first private key that is there; undefined where an agent comes before those that ssh tries by default. */
  readonly keyFile: string | undefined;
  /** Lines of the known_hosts files that are there; undefined where there is none. */
  readonly knownHosts: string | undefined;
  /** Whether the host is reached by a command, which this program does not run. */
  readonly byCommand: boolean;
}

/** Asks what stands for a host. undefined: there is no ssh to ask. */
export type AskSsh = (host: string) => SshSettings | undefined;

/**
 * Asks ssh, which reads its configuration better than a copy of it would: with Include, Match and tokens. It connects to
 * nothing.
 *
 * @param options for tests: another configuration, and whether there is an agent
 */
export function askSsh(
  host: string,
  options: { readonly config?: string; readonly agent?: boolean } = {},
): SshSettings | undefined {
  const { config, agent = Boolean(process.env.SSH_AUTH_SOCK) } = options;
  let printed: string;
  try {
    const args = [...(config === undefined ? [] : ['-F', config]), '-G', '--', host];
    printed = execFileSync('ssh', args, {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  }
  const lines = printed.split('\n').map((line) => {
    const at = line.indexOf(' ');
    return [line.slice(0, at), line.slice(at + 1).trim()] as const;
  });
  const all = (name: string) => lines.filter(([key]) => key === name).map(([, value]) => value);
  const [hostName = host] = all('hostname');
  const [user = ''] = all('user');
  const [jump = 'none'] = all('proxyjump');
  const files = [...all('userknownhostsfile'), ...all('globalknownhostsfile')].flatMap((list) =>
    list.split(/\s+/),
  );
  const known = files.map(expanded).filter((path) => path !== '/dev/null' && existsSync(path));
  return {
    hostName,
    user,
    userByDefault: user === userInfo().username,
    port: Number(all('port')[0] ?? 22),
    jumps: jump === 'none' ? [] : jump.split(','),
    keyFile: keyFile(all('identityfile').map(expanded), agent),
    knownHosts: known.length === 0 ? undefined : known.map(readable).join('\n'),
    byCommand: all('proxycommand').some((command) => command !== 'none'),
  };
}

/** A path as ssh prints it, with the home of the person and quotes around what has spaces. */
const expanded = (path: string): string => path.replace(/^"(.*)"$/, '$1').replace(/^(~|%d)(?=\/)/, homedir());

/** If a configuration names no key, ssh prints all that it would try: at least so many. */
const LEAST_BY_DEFAULT = 4;

function keyFile(candidates: readonly string[], agent: boolean): string | undefined {
  if (agent && candidates.length >= LEAST_BY_DEFAULT) return undefined;
  return candidates.find((path) => existsSync(path));
}

function readable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // one of another account; whether the host's key is known is said where it is looked for
  }
}
