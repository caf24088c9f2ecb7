import type { Host } from '../host/host.ts';
import { type Ahead, ahead } from '../util/begun.ts';

/** What a step, the lock, and two things beside it run on the host at once. */
const AT_ONCE = 5;

/**
 * Work of a restore that goes on while other steps run. A later step takes what it gives, or its failure; the undo of the
 * step that began it ends it. Where the host may not run so much at once, it is begun when it is taken.
 */
export class Background<T> implements AsyncDisposable {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #begun: Ahead<T> | undefined;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /** @param signal of the run */
  begin(host: Host, signal: AbortSignal): void {
    if ((host.atOnce ?? Number.POSITIVE_INFINITY) >= AT_ONCE) this.#start(signal);
  }

  /** @param signal of the step that takes it, where it was not begun before */
  take(signal: AbortSignal): Promise<T> {
    return (this.#begun ?? this.#start(signal)).take();
  }

  #start(signal: AbortSignal): Ahead<T> {
    this.#begun = ahead((givenUp) => this.#work(AbortSignal.any([signal, givenUp])));
    return this.#begun;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#begun?.[Symbol.asyncDispose]();
  }
}
