import { setImmediate as turn } from 'node:timers/promises';

/** Rounds of a loop between two turns of the event loop: a fiftieth of a second, where a round takes microseconds. */
const ROUNDS = 8192;

/**
 * Turns of the event loop for a loop that runs millions of times and waits for nothing: without them, no signal would
 * arrive and no connection be kept alive before its end.
 */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  #rounds = 0;

  /** @param signal ends the loop */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Counts a round. @returns whether it is time for `take` */
  isDue(): boolean {
    this.#rounds += 1;
    return this.#rounds % ROUNDS === 0;
  }

  /** @throws the signal's reason when that is aborted */
  async take(): Promise<void> {
    await turn();
    this.#signal?.throwIfAborted();
  }
}
