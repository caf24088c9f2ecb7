import { AsyncLocalStorage } from 'node:async_hooks';

const within = new AsyncLocalStorage<true>();

/**
 * Runs what writes GitHub's workflow commands (`::debug::…`) to standard output, and drops what it writes: elsewhere
 * than on GitHub, results go there. What others write meanwhile is written.
 */
export async function withoutToolkitOutput<T>(body: () => Promise<T>): Promise<T> {
  const { stdout } = process;
  const write = stdout.write;
  const filtered = (...args: Parameters<typeof write>) =>
    within.getStore() ? true : write.apply(stdout, args);
  stdout.write = filtered as typeof write;
  try {
    return await within.run(true, body);
  } finally {
    stdout.write = write;
  }
}
