import { UserError } from '../util/errors.ts';
import type { Command } from './host.ts';

const PLAIN_WORD = /^[A-Za-z0-9_@:,./+-]+$/;
const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Joins an argument list into one shell line that gives back exactly these arguments.
 *
 * Backslashes stand outside of the single quotes, as single quotes do: that is the one form on which sh, bash,
 * zsh and fish agree (fish reads `\\` and `\'` inside single quotes as escapes, POSIX does not). For csh and tcsh, see
 * `commandLine`.
 *
 * @throws TypeError for a NUL byte, which no argument can hold
 */
export function quote(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  if (word.includes('\0')) throw new TypeError('An argument cannot hold a NUL byte');
  return PLAIN_WORD.test(word) ? word : `'${word.replace(/['\\]/g, "'\\$&'")}'`;
}

/** What to ask sshd for, and what to write to the command's standard input before anything else. */
export interface ShellLine {
  readonly line: string;
  readonly preamble: string;
}

/**
 * Turns a command into the one string that SSH's `exec` takes (RFC 4254, section 6.5). The account's login shell
 * reads it, so the line itself is words and quotes only, and everything cleverer is a script for `sh`.
 *
 * From the outside in: sudo or runuser, then `sh` for secrets and the guard, then `env`, then the command. Each is
 * left out where it is not needed. Every layer replaces itself by the next (`exec`), so that exit code and signal are
 * the command's own; but runuser waits, and ends with 128 and the number of the signal.
 *
 * @param login the account that the line is for
 * @throws UserError when a secret holds a line break: a line of standard input cannot carry it
 */
export function commandLine(command: Command, login: string): ShellLine {
  const secrets = Object.entries(command.secretEnv ?? {});
  const script = wrapper(
    secrets.map(([name]) => environmentName(name)),
    command.guarded === true,
  );
  const words = [
    ...(command.as === undefined ? [] : becoming(command.as, login)),
    ...(script === undefined ? [] : ['sh', '-c', script, 'sh']),
    ...publicEnvironment(command.env ?? {}),
    ...command.argv,
  ];
  // The home of the account that logged in is often closed to the one that it becomes, and tools complain when
  // they cannot go back to where they started (find, psql).
  const start = command.as === undefined ? 'exec' : 'cd /; exec';
  return { line: forAnyShell(`${start} ${quote(words)}`), preamble: secrets.map(secretLine).join('') };
}

/**
 * csh and tcsh take no line break inside of quotes, and `!` there for their history. A line with either is written in
 * octal numbers, and sh takes it over from the login shell.
 */
function forAnyShell(line: string): string {
  if (/^[ -~]*$/.test(line) && !line.includes('!')) return line;
  const octal = (byte: number) => `\\0${byte.toString(8).padStart(3, '0')}`;
  const written = [...Buffer.from(line)]
    .map((byte) =>
      /[\w @%+=:,./-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : octal(byte),
    )
    .join('');
  return `exec sh -c 'eval "$(printf %b "$1")"' sh '${written}'`;
}

/**
 * Root needs no sudo, which then need not be installed either, nor know of root. runuser leaves the environment as it
 * is; without HOME, programs take the account's own.
 */
const becoming = (account: string, login: string): string[] =>
  login === 'root'
    ? ['runuser', '-u', account, '--', 'env', '-u', 'HOME']
    : ['sudo', '-n', '-H', '-u', account, '--'];

/**
 * The guard. Its watcher holds the command's standard input, on which nothing ever arrives but its end: when the
 * connection goes, when we close it, or when the command has ended (sshd then closes the other side). The watcher
 * then ends its own process group: the command, what it started, and itself. A group cannot be reused while the
 * watcher is in it, so no stranger is ever hit. sshd gives every command a group of its own (setsid).
 *
 * The watcher is started by a subshell that ends at once: it is not a child that the command might wait for. It
 * keeps neither standard output nor error open, so sshd sees their end when the command closes them. File
 * descriptor 3 is there because a background list's standard input is /dev/null (POSIX, 2.9.3.1).
 */
const GUARD =
  'exec 3<&0 && ( ( while read -r _; do :; done; kill -s TERM 0 ) <&3 3<&- >/dev/null 2>&1 & )' +
  ' && exec "$@" </dev/null 3<&-';

/** A command that ends when its standard input does, for where no `commandLine` can put the guard in front of it. */
export const guarding = (argv: readonly string[]): string[] => ['sh', '-c', GUARD, 'sh', ...argv];

function wrapper(secretNames: readonly string[], guarded: boolean): string | undefined {
  if (secretNames.length === 0 && !guarded) return undefined;
  const read = secretNames.map((name) => `IFS= read -r ${name} && export ${name} && `).join('');
  return read + (guarded ? GUARD : 'exec "$@"');
}

function publicEnvironment(env: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(env);
  return entries.length === 0
    ? []
    : ['env', ...entries.map(([name, value]) => `${environmentName(name)}=${value}`)];
}

function environmentName(name: string): string {
  if (!ENVIRONMENT_NAME.test(name)) throw new TypeError(`Not the name of an environment variable: ${name}`);
  return name;
}

function secretLine([name, value]: [string, string]): string {
  if (/[\n\0]/.test(value)) {
    throw new UserError(
      `The value for ${name} holds a line break`,
      'A password with a line break cannot be handed to the host; often the secret was saved with a trailing one.',
    );
  }
  return `${value}\n`;
}
