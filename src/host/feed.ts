import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../util/errors.ts';
import { type Command, CommandError, type Host } from './host.ts';
import { tooMuch } from './records.ts';

/** The most that a command may print, in bytes. */
const MOST_PRINTED = 64 * 1024 * 1024;

/**
 * Runs a command on the host with these bytes as its standard input, and returns what it printed. It may end before
 * it has read all of them. A source that fails never looks like one that ended: the command is ended instead.
 *
 * @throws CommandError when it ends with another exit code than 0 or by a signal
 * @throws UserError when it prints more than 64 MiB
 * @throws the source's error, the connection's, or the signal's reason, when one of them comes first
 */
export function feed(
  host: Host,
  command: Command,
  source: AsyncIterable<Buffer>,
  signal?: AbortSignal,
): Promise<string> {
  return feedThrough({ host, command, signal }, source, (stdout) => textOf(stdout, command.argv[0] ?? ''));
}

async function textOf(stdout: AsyncIterable<Buffer>, program: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdout) {
    bytes += chunk.length;
    if (bytes > MOST_PRINTED) throw tooMuch(program, `more than ${MOST_PRINTED} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A command that is to run on a host. */
export interface Feeding {
  readonly host: Host;
  readonly command: Command;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** As `feed`, but returns what `read` makes of the output. A UserError of `read` ends the command, and is thrown. */
export async function feedThrough<T>(
  { host, command, signal }: Feeding,
  source: AsyncIterable<Buffer>,
  read: (stdout: Readable) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  await using process = await host.start(command);
  const end = () => void process[Symbol.asyncDispose]();
  signal?.addEventListener('abort', end, { once: true });
  let refusal: UserError | undefined;
  try {
    const printed = read(process.stdout);
    // For any other error, `exited` tells why.
    printed.catch((error) => {
      if (!(error instanceof UserError)) return;
      refusal = error;
      end();
    });
    let failure: { readonly error: unknown } | undefined;
    const watched = async function* () {
      try {
        yield* source;
      } catch (error) {
        failure = { error };
        throw error;
      }
    };
    // A standard input that breaks means that the command has ended, or the connection: `exited` tells which.
    await pipeline(watched, process.stdin, { signal }).catch(() => {});
    if (failure) throw failure.error;
    const exit = await process.exited;
    if (exit.code !== 0) throw new CommandError(command, exit);
    return await printed;
  } catch (error) {
    signal?.throwIfAborted();
    throw refusal ?? error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/**
 * What a command prints, as it comes. It may end before it has read all of its standard input.
 *
 * @param input of its standard input; undefined: it is empty
 * @throws CommandError when it ends with another exit code than 0 or by a signal
 */
export async function* printedBy(
  host: Host,
  command: Command,
  input: AsyncIterable<Buffer> | undefined,
): AsyncGenerator<Buffer> {
  await using process = await host.start(command);
  if (input)
    pipeline(input, process.stdin).catch(() => {}); // how the command ends tells why
  else process.stdin.end();
  yield* process.stdout;
  const exit = await process.exited;
  if (exit.code !== 0) throw new CommandError(command, exit);
}
