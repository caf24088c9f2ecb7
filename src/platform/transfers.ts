import type { Platform } from './platform.ts';
import { Progress } from './progress.ts';

/** Things that move at the same time: one line tells how far all of them are, and one for each, at its end, sums it up. */
export class Transfers {
  readonly #platform: Platform;
  readonly #lines = new Map<string, string>();
  #printed = performance.now();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /**
   * Moves one of them.
   *
   * @param title short: `filestore`
   * @param expected in bytes; undefined where it is not known
   */
  async move<T>(
    title: string,
    expected: number | undefined,
    body: (progress: Progress) => Promise<T>,
  ): Promise<T> {
    const { progressIntervalMs: intervalMs } = this.#platform;
    const print = (line: string) => this.#print(title, line);
    const progress = new Progress({ title, expected, intervalMs, print });
    try {
      const result = await body(progress);
      this.#platform.info(progress.total());
      return result;
    } finally {
      this.#lines.delete(title);
    }
  }

  #print(title: string, line: string): void {
    this.#lines.set(title, line);
    const now = performance.now();
    if (now - this.#printed < this.#platform.progressIntervalMs) return;
    this.#printed = now;
    this.#platform.progress([...this.#lines.values()].join(' | '));
  }
}
