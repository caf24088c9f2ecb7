/** How many parts may be in memory at once. Who wants one more waits for it, in the order of asking. */
export class PartBudget {
  readonly #stop: AbortSignal;
  readonly #waiting: (() => void)[] = [];
  #left: number;

  /** @param stop ends the wait of all, with its reason */
  constructor(parts: number, stop: AbortSignal) {
    this.#left = parts;
    this.#stop = stop;
  }

  async take(): Promise<void> {
    this.#stop.throwIfAborted();
    if (this.#left > 0) {
      this.#left -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stopped = () => reject(this.#stop.reason);
    this.#stop.addEventListener('abort', stopped, { once: true });
    this.#waiting.push(resolve);
    await promise.finally(() => this.#stop.removeEventListener('abort', stopped));
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#left += 1;
  }
}

/**
 * The same bytes, let through part by part, each within the budget.
 *
 * @param free bytes at the beginning that are let through without: the first part, which every lane may have
 */
export async function* withinBudget(
  body: AsyncIterable<Buffer>,
  partSize: number,
  budget: PartBudget,
  free = 0,
): AsyncGenerator<Buffer> {
  let left = free;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        await budget.take();
        left = partSize;
      }
      const part = chunk.subarray(at, at + left);
      at += part.length;
      left -= part.length;
      yield part;
    }
  }
}
