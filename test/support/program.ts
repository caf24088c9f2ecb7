import { Worker } from 'node:worker_threads';
import type { Ended } from './backup-run.ts';
import { programModule } from './program-folder.ts';
import type { Asked } from './program-worker.ts';

const WORKER = new URL('program-worker.ts', import.meta.url);
const idle: Worker[] = [];

/**
 * Runs the program to its end in a thread of this process: for tests that look at what it says and does, and not at the
 * process, its signals, streams or memory. Several at once run side by side. A start in a process of its own takes ten
 * times as long.
 */
export async function runProgram(asked: Asked): Promise<Ended> {
  const worker = idle.pop() ?? new Worker(WORKER, { env: {}, workerData: { program: programModule } });
  worker.ref();
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const onExit = () => reject(new Error(`The program ended its thread: ${asked.args.join(' ')}`));
  worker.once('message', resolve).once('error', reject).once('exit', onExit).postMessage(asked);
  try {
    const ended = await promise;
    idle.push(worker);
    return ended;
  } finally {
    worker.off('message', resolve).off('error', reject).off('exit', onExit);
    worker.unref(); // it is no reason for this process to go on
  }
}
