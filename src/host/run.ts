import { addAbortSignal } from 'node:stream';
import { type Command, CommandError, type Host } from './host.ts';
import { recordsOf, tooMuch } from './records.ts';

/**
 * Runs a command to its end, and gives what it prints as it comes, record by record.
 *
 * @param mark behind each record
 * @throws CommandError as `run` does
 * @throws UserError when it prints more than `recordsOf` takes
 */
export async function* records(host: Host, command: Command, mark: '\n' | '\0'): AsyncGenerator<string> {
  await using process = await host.start(command);
  if (!command.guarded) process.stdin.end();
  yield* recordsOf(process.stdout, mark, command.argv[0] ?? '');
  const exit = await process.exited;
  if (exit.code !== 0) throw new CommandError(command, exit);
}

export interface RunOptions {
  /** Written to the command's standard input, which is then closed. Not for `guarded` commands. */
  readonly input?: string;
  /** Ends the command. */
  readonly signal?: AbortSignal;
  /** The most that the command may print, in bytes. Default 64 MiB. */
  readonly maxBytes?: number;
}

/**
 * Runs a command to its end and returns what it printed, as UTF-8.
 *
 * @throws CommandError when it ends with another exit code than 0 or by a signal
 * @throws UserError when it prints more than it may
 * @throws the signal's reason when that is aborted, and the connection's error when that is lost
 */
export async function run(host: Host, command: Command, options: RunOptions = {}): Promise<string> {
  const { signal, maxBytes = 64 * 1024 * 1024 } = options;
  signal?.throwIfAborted();
  await using process = await host.start(command);
  if (signal) addAbortSignal(signal, process.stdout);
  // The end of a guarded command's standard input is what ends it.
  if (!command.guarded) process.stdin.end(options.input ?? '');

  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of process.stdout as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooMuch(command.argv[0] ?? '', `more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  const exit = await process.exited;
  if (exit.code !== 0) throw new CommandError(command, exit);
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Whether a command ends with exit code 0: false also where its program does not exist, as in an image without setpriv.
 */
export async function succeeds(host: Host, command: Command): Promise<boolean> {
  try {
    await run(host, command);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}
