import type { Readable } from 'node:stream';
import type { Command } from './host.ts';

const TAIL_BYTES = 4096;

/** Shell: a pipe tells only the exit code of its last program, and of a signal no more than a number. */
const SAYS_END = `exec 4>&1
    code=$({ { "$@" 2>&1 >&4 3>&- 4>&-; echo $? >&3; } | tail -c ${TAIL_BYTES} >&2 3>&- 4>&-; } 3>&1)
    [ "$code" -le 128 ] || kill -$((code - 128)) $$
    exit "$code"`;

/**
 * The same command, of whose standard error the host sends the end alone, which is all that is kept of it: one that tells
 * each of thousands of things that it does would keep both ends busy.
 */
export const sayingEnd = (command: Command): Command => ({
  ...command,
  argv: ['sh', '-c', SAYS_END, 'sh', ...command.argv],
});

/**
 * Keeps the last 4 KiB of what a command writes to standard error.
 *
 * @returns gives them as text, trimmed
 */
export function tailOf(stderr: Readable): () => string {
  let tail = Buffer.alloc(0);
  stderr.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
  });
  // The cut may be inside a character.
  return () =>
    tail
      .toString('utf8')
      .replace(/^\uFFFD+/, '')
      .trim();
}
