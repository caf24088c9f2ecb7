import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Run } from './backup-run.ts';

const exec = promisify(execFile);

/** A `stop-command` that begins, and goes on when the test lets it. */
export interface HeldStop extends AsyncDisposable {
  readonly command: string;
  /** Waits until the run is at it. @throws Error when the run ends before */
  reached(run: Run): Promise<void>;
  letGo(): Promise<void>;
}

/** @param folder that the account of the host may enter */
export async function heldStop(folder: string, stopCommand: string): Promise<HeldStop> {
  const own = await mkdtemp(join(folder, 'stop-'));
  await exec('chmod', ['755', folder, own]);
  const [began, go] = [join(own, 'began'), join(own, 'go')];
  await exec('mkfifo', [began, go]);
  await exec('chmod', ['666', began, go]);
  return {
    command: `echo >'${began}'; cat '${go}'; ${stopCommand}`,
    async reached(run) {
      const abandoned = new AbortController();
      const ended = run.ended.then(({ log }) => {
        abandoned.abort();
        throw new Error(`The run never came to stop Odoo:\n${log}`);
      });
      ended.catch(() => {});
      await Promise.race([exec('cat', [began], { signal: abandoned.signal }), ended]);
    },
    async letGo() {
      await exec('sh', ['-c', 'echo >"$1"', 'sh', go]);
    },
    [Symbol.asyncDispose]: () => rm(own, { recursive: true }),
  };
}
