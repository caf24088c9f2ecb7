/** How a run is asked to end: first to undo what it has begun; then, by repeated signals, to stop even that. */
export class Cancellation {
  readonly #asked = new AbortController();
  readonly #abandoned = new AbortController();
  /** What must not be cut short now, in words: `rename the databases back`. undefined: nothing. */
  busyWith: string | undefined;

  /** Aborted when the run is to end, and to clean up. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** Aborted when not even the cleaning up is to be waited for. */
  get abandoned(): AbortSignal {
    return this.#abandoned.signal;
  }

  /** One that is asked to end when a signal is aborted, for what has no other. */
  static following(signal: AbortSignal): Cancellation {
    const cancellation = new Cancellation();
    const ask = () => cancellation.ask(signal.reason);
    if (signal.aborted) ask();
    else signal.addEventListener('abort', ask, { once: true });
    return cancellation;
  }

  ask(reason: Error): void {
    this.#asked.abort(reason);
  }

  abandon(reason: Error): void {
    this.#asked.abort(reason);
    this.#abandoned.abort(reason);
  }
}
