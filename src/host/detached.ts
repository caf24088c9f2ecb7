import type { Command } from './host.ts';

/**
 * A shell command of an input. What it leaves running may keep its output open, and sshd waits for the end of that: so the output
 * goes to a file, whose end is shown when the command fails.
 */
export function detached(shellCommand: string): Command {
  const script = `log=$(mktemp) || exit
    sh -c "$1" >"$log" 2>&1 </dev/null; code=$?
    [ $code -eq 0 ] || tail -c 2000 -- "$log" >&2
    rm -f -- "$log"; exit $code`;
  return { argv: ['sh', '-c', script, 'sh', shellCommand] };
}
