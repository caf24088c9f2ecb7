// The program in a worker thread of a test, which has an environment, standard streams and an exit code of its own. One
// run after the other; what it has loaded stays.
import { parentPort, workerData } from 'node:worker_threads';
import './compile-cache.ts';
import type { Ended } from './backup-run.ts';

// Not by a declaration: that would be compiled before there is a cache, which a thread does not take over.
const { main } = (await import(workerData.program)) as typeof import('../../src/main.ts');

export interface Asked {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const printed = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    printed[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const done = rest.at(-1);
    if (typeof done === 'function') queueMicrotask(() => done());
    return true;
  };
}

parentPort?.on('message', async ({ args, env }: Asked) => {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [...process.argv.slice(0, 2), ...args];
  process.exitCode = undefined;
  Object.assign(printed, { stdout: '', stderr: '' });
  await main();
  const ended: Ended = {
    exitCode: Number(process.exitCode ?? 0),
    log: printed.stderr,
    stdout: printed.stdout,
  };
  parentPort?.postMessage(ended);
});
