import type { Readable } from 'node:stream';

const TAIL_BYTES = 4096;

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
