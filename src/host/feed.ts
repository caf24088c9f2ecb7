import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Command, CommandError, type Host } from './host.ts';

/**
 * Runs a command on the host with these bytes as its standard input, and returns what it printed. It may end before
 * it has read all of them. A source that fails never looks like one that ended: the command is ended instead.
 *
 * @throws CommandError when it ends with another exit code than 0 or by a signal
 * @throws the source's error, the connection's, or the signal's reason, when one of them comes first
 */
export function feed(
  host: Host,
  command: Command,
  source: AsyncIterable<Buffer>,
  signal?: AbortSignal,
): Promise<string> {
  return feedThrough(host, command, source, text, signal);
}

/** Likewise, and returns what `read` makes of what it prints. */
export async function feedThrough<T>(
  host: Host,
  command: Command,
  source: AsyncIterable<Buffer>,
  read: (stdout: Readable) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  await using process = await host.start(command);
  const end = () => void process[Symbol.asyncDispose]();
  signal?.addEventListener('abort', end, { once: true });
  try {
    const printed = read(process.stdout);
    printed.catch(() => {}); // `exited` tells why
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
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}
