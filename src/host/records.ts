import type { Readable } from 'node:stream';

/**
 * Text, cut at the mark behind each record. What is behind the last mark is no record. Not node:readline: that never tells
 * of an error of its input.
 */
export async function* recordsOf(stream: Readable, mark: '\n' | '\0'): AsyncGenerator<string> {
  let rest = '';
  for await (const text of stream.setEncoding('utf8')) {
    const records = (rest + text).split(mark);
    rest = records.pop() ?? '';
    yield* records;
  }
}
