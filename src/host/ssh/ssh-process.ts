import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import type { Exit, Process } from '../host.ts';
import { tailOf } from '../stderr-tail.ts';
import { raiseWindow, sendSignal } from './ssh2-internals.ts';

const STDOUT_BUFFER_BYTES = 256 * 1024;
/** How long a command that was told to end may take until we stop listening. */
const GRACE_MS = 2000;

/**
 * A command that runs in a channel. The channel's own streams are not handed out: when the connection breaks, ssh2
 * ends them as if all were well, and it forgets writes to a command that has ended. Here, standard output ends only
 * after the command's exit is known.
 */
export class SshProcess implements Process {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly exited: Promise<Exit>;
  readonly #channel: ClientChannel;
  readonly #exit = Promise.withResolvers<Exit>();
  #settled = false;
  #discarding = false;

  /** @param preamble written to standard input before anything else */
  constructor(channel: ClientChannel, preamble: string) {
    this.#channel = channel;
    this.exited = this.#exit.promise;
    this.stdout = new Readable({ highWaterMark: STDOUT_BUFFER_BYTES, read: () => void channel.resume() });
    this.stdin = new Writable({
      write: (chunk, _, done) => void channel.write(chunk, done),
      final: (done) => void channel.end(done),
    });
    // A caller that awaits them gets the errors; these listeners are for the case that none does.
    this.exited.catch(() => {});
    this.stdout.on('error', () => {});
    this.stdin.on('error', () => {});
    channel.on('error', (error: Error) => this.fail(error));

    this.#readStdout();
    this.#readExit();
    raiseWindow(channel);
    if (preamble !== '') this.stdin.write(preamble);
  }

  /** Settles when it prints something, or ends. Never rejects. */
  get answers(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#channel.once('data', () => resolve());
    this.exited.then(
      () => resolve(),
      () => resolve(),
    );
    return promise;
  }

  #readStdout(): void {
    const { stdout } = this;
    this.#channel.on('data', (chunk: Buffer) => {
      if (!this.#discarding && !stdout.push(chunk)) this.#channel.pause();
    });
    this.#channel.on('end', () => {
      this.exited.then(
        () => stdout.push(null),
        () => {}, // `fail` has destroyed it
      );
    });
  }

  #readExit(): void {
    const tail = tailOf(this.#channel.stderr);
    let ended: Pick<Exit, 'code' | 'signal'> | undefined;
    this.#channel.on('exit', (code: number | null, signal?: string) => {
      ended = { code: code ?? undefined, signal };
    });
    // The channel's own `close` waits until standard output is read; this one comes when sshd has closed it.
    this.#channel.stderr.on('close', () => {
      if (!ended) return this.fail(new Error('The host closed the command’s channel without an exit status'));
      if (this.#settled) return;
      this.#settled = true;
      this.#exit.resolve({ ...ended, stderr: tail() });
      if (!this.stdin.writableFinished)
        this.stdin.destroy(new Error('The command has ended: it reads no more'));
    });
  }

  /** Ends it for us: everything that waits gets the error. Does nothing after the command's end. */
  fail(error: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#exit.reject(error);
    this.stdout.destroy(error);
    this.stdin.destroy(error);
  }

  /**
   * Ends a command that still runs: TERM to its process group (OpenSSH 7.9 and newer), the end of standard input,
   * and the end of the channel, so that it cannot write either. What sudo runs as another account gets only the
   * latter two; `guarded` commands end by the former of them.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#discarding = true;
    this.#channel.resume();
    if (!this.#settled) {
      sendSignal(this.#channel, 'TERM');
      this.#channel.end();
      await Promise.race([this.exited.catch(() => {}), sleep(GRACE_MS, undefined, { ref: false })]);
      this.#channel.close();
      this.fail(new Error('The command was ended'));
    }
    this.stdout.destroy();
    this.stdin.destroy();
  }
}
