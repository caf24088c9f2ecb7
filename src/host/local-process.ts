import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit, Process } from './host.ts';
import { tailOf } from './stderr-tail.ts';

/** How long a command that was told to end may take for its own cleaning up. */
const GRACE_MS = 30_000;

/** A command that runs on this machine, in a process group of its own. */
export class LocalProcess implements Process {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcessWithoutNullStreams;
  #settled = false;

  /**
   * @param child the leader of its process group
   * @param preamble written to standard input before anything else
   */
  constructor(child: ChildProcessWithoutNullStreams, preamble: string) {
    this.#child = child;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    this.stdin.on('error', () => {}); // a command that has ended: its exit tells
    this.stdout.on('error', () => {});
    this.exited = exitOf(child).finally(() => {
      this.#settled = true;
    });
    this.exited.catch(() => {}); // the caller that awaits it gets the error
    if (preamble !== '') this.stdin.write(preamble);
  }

  /** Ends a command that still runs, and what it started: the end of its standard input, and TERM to its group. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#settled) {
      this.stdin.destroy();
      this.#signal('SIGTERM');
      this.stdout.resume(); // it may have to write before it can end
      const patience = new AbortController();
      const late = sleep(GRACE_MS, 'late', { signal: patience.signal }).catch(() => {});
      if ((await Promise.race([this.exited.catch(() => {}), late])) === 'late') this.#signal('SIGKILL');
      patience.abort();
      await this.exited.catch(() => {});
    }
    this.stdout.destroy();
    this.stdin.destroy();
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // The group has ended by itself.
    }
  }
}

/** Rejects when it could not be started. */
async function exitOf(child: ChildProcessWithoutNullStreams): Promise<Exit> {
  const tail = tailOf(child.stderr);
  const said = new Promise<void>((resolve) => child.stderr.once('close', resolve));
  const ended = await new Promise<Pick<Exit, 'code' | 'signal'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve({ code: code ?? undefined, signal: signal?.slice('SIG'.length) }),
    );
  });
  await said;
  return { ...ended, stderr: tail() };
}
