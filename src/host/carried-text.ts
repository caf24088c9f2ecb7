import type { Command } from './host.ts';

/** Where a command finds the text that it carries. It can be read once. */
export const CARRIED_TEXT = '/dev/fd/3';

/** Shell: dd takes no byte more than these, in any of its versions; head and a buffered reader may. */
const CARRYING = `exec 4<&0
    text=$(dd bs=1 count="$1" 2>/dev/null) || exit
    shift
    printf '%s\\n' "$text" | { exec 3<&0 <&4 4<&-; exec "$@"; }`;

/**
 * The same command, which reads a text as the file `CARRIED_TEXT`, and needs no disk for it: its standard input has to
 * begin with the text, and go on with what it reads itself.
 *
 * @param text a small one, of ASCII, which ends with a line break
 */
export const carrying = (command: Command, text: string): Command => ({
  ...command,
  argv: ['sh', '-c', CARRYING, 'sh', String(text.length), ...command.argv],
});
