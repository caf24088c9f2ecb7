import { randomBytes } from 'node:crypto';
import { UserError } from '../../util/errors.ts';
import type { Exit, Host } from '../host.ts';
import { shown } from '../shown.ts';

/** What a shell might change on its way: quotes, a backslash, what starts a variable or a history, a line break. */
const ARGUMENT = `it's \\ "$HOME" !! \`\n*`;
const EXIT_CODE = 42;
const MOST_BYTES = 16 * 1024;

/**
 * Runs one command whose answer is known, so that a login shell that does something else is told as that, and not by
 * what follows from it: one that prints text of its own, ends at once, is a menu, or takes the words apart otherwise.
 *
 * @param onBegun is called when the command is on its way
 * @throws UserError with what came back
 * @throws the signal's reason when that is aborted
 */
export async function probe(
  host: Host,
  timeoutMs: number,
  onBegun: () => void,
  cancel?: AbortSignal,
): Promise<void> {
  const [before, after] = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')];
  const script = `printf '%s:%s:' "$1" "$2"; cat; exit ${EXIT_CODE}`;
  const expected = `${before}:${ARGUMENT}:${after}`;
  await using process = await host.start({ argv: ['sh', '-c', script, 'sh', before, ARGUMENT] });
  onBegun();
  process.stdin.end(after);

  const limit = AbortSignal.timeout(timeoutMs);
  const signal = cancel ? AbortSignal.any([cancel, limit]) : limit;
  let got = Buffer.alloc(0);
  const ended = (async () => {
    for await (const chunk of process.stdout as AsyncIterable<Buffer>) {
      got = Buffer.concat([got, chunk]);
      if (got.length > MOST_BYTES) return undefined;
    }
    return process.exited;
  })();
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const exit = await Promise.race([ended, aborted]);
  cancel?.throwIfAborted();
  const answer = got.toString('utf8');
  if (answer === expected && exit?.code === EXIT_CODE) return;
  throw unexpected(host, answer, expected, exit);
}

function unexpected(host: Host, answer: string, expected: string, exit: Exit | undefined): UserError {
  if (answer.includes(expected)) {
    const noise = answer.replace(expected, '');
    return new UserError(
      `The login shell of ${host.label} prints text of its own into what commands print: ${shown(noise)}`,
      'Let it print only where somebody reads along: in ~/.bashrc, behind `case $- in *i*) ;; *) return ;; esac`; in ' +
        'config.fish, inside `if status is-interactive … end`; in ~/.tcshrc, behind `if (! $?prompt) exit`.',
    );
  }
  const how = !exit
    ? 'it did not end'
    : exit.signal
      ? `it was ended by signal ${exit.signal}`
      : `it ended with exit code ${exit.code}`;
  const said = [answer, exit?.stderr ?? ''].filter((text) => text.trim() !== '').map(shown);
  const printed = said.length > 0 ? said.join(' and ') : 'nothing';
  return new UserError(
    `${host.label} does not run commands as a shell does: one that prints a known text printed ${printed}, and ${how}`,
    `${host.user} needs a login shell that runs what it is given: sh, bash, zsh, fish or tcsh (\`chsh -s /bin/sh ${host.user}\`), ` +
      'not nologin, a restricted shell, a menu or SFTP alone; no ForceCommand, no command= in authorized_keys; and ' +
      'start files such as ~/.bashrc that neither `exit` nor start another shell.',
  );
}
