import type { Readable } from 'node:stream';
import { UserError } from '../util/errors.ts';

/** Characters of one record: a name, or a row that we have asked for. */
const LONGEST_RECORD = 2 ** 20;
/** Characters of all records: 2,000,000 names of files take 100 MB. */
const MOST_TEXT = 2 ** 30;

/**
 * Text, cut at the mark behind each record. What is behind the last mark is no record. Not node:readline: that never
 * reports an error of its input.
 *
 * @param program for the message
 * @throws UserError when a record is longer than 1 MiB, or all of them than 1 GiB: a host decides what comes
 */
export async function* recordsOf(
  stream: Readable,
  mark: '\n' | '\0',
  program: string,
): AsyncGenerator<string> {
  let rest = '';
  let length = 0;
  for await (const text of stream.setEncoding('utf8')) {
    length += text.length;
    if (length > MOST_TEXT) throw tooMuch(program, 'more than 1 GiB');
    const records = (rest + text).split(mark);
    rest = records.pop() ?? '';
    if ([rest, ...records].some((record) => record.length > LONGEST_RECORD)) {
      throw tooMuch(program, 'a line of more than 1 MiB');
    }
    yield* records;
  }
}

/** The error for a program on the host that prints what it never prints. */
export const tooMuch = (program: string, what: string): UserError =>
  new UserError(
    `${program} on the host printed ${what}`,
    'It was ended. Find out what stands in its place, or prints into what it prints.',
  );
