/** What a lane has of a budget. */
export type LaneBudget = Pick<PartBudget, 'take' | 'giveBack'>;

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

  /** The same for one lane, which gives back no more than it has taken: its last byte may be a part without. */
  ofLane(): LaneBudget {
    let taken = 0;
    return {
      take: async () => {
        await this.take();
        taken += 1;
      },
      giveBack: () => {
        if (taken === 0) return;
        taken -= 1;
        this.giveBack();
      },
    };
  }
}

/**
 * The same bytes for lib-storage, let through part by part, each within the budget. lib-storage sends a part once it has
 * the first byte of the next one: so that byte goes through with the part before it, which would wait otherwise.
 *
 * @param free bytes at the beginning that are let through without: the first part, which every lane may have
 */
export async function* withinBudget(
  body: AsyncIterable<Buffer>,
  partSize: number,
  budget: LaneBudget,
  free = 0,
): AsyncGenerator<Buffer> {
  let left = free > 0 ? free + 1 : 0;
  let next = free > 0 ? partSize : partSize + 1;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        await budget.take();
        left = next;
        next = partSize;
      }
      const part = chunk.subarray(at, at + left);
      at += part.length;
      left -= part.length;
      yield part;
    }
  }
}
