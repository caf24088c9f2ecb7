import type { Command } from './host.ts';

/**
 * A shell command of an input. What it leaves running may keep its output open, and sshd waits for the end of that: so the output
 * goes to a file, whose end is shown when the command fails. Where there is no place for one, as on a full disk, it goes nowhere:
 * Odoo is to start all the same.
 */
export function detached(shellCommand: string): Command {
  const script = `log=$(mktemp) || log=
    sh -c "$1" >"\${log:-/dev/null}" 2>&1 </dev/null; code=$?
    [ -n "$log" ] || exit $code
    [ $code -eq 0 ] || tail -c 2000 -- "$log" >&2
    rm -f -- "$log"; exit $code`;
  return { argv: ['sh', '-c', script, 'sh', shellCommand] };
}
