import type { Platform } from './platform.ts';
import { Progress } from './progress.ts';

/** The story of a run: each phase is a group of the log, and its time is kept. */
export class Phases {
  readonly #platform: Platform;
  readonly #seconds = new Map<string, number>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Seconds of each phase, in the order in which they ran. */
  get seconds(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#seconds);
  }

  /**
   * @param name short, for receipt and summary: `filestore`
   * @param title for the log, with what is known beforehand
   */
  async run<T>(name: string, title: string, body: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await this.#platform.group(title, body);
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#seconds.set(name, Math.round(((this.#seconds.get(name) ?? 0) + seconds) * 1000) / 1000);
    }
  }

  /**
   * A phase that moves bytes: with progress lines, and one in the end that sums them up.
   *
   * @param expected in bytes; undefined where it is not known
   */
  transfer<T>(
    name: string,
    title: string,
    expected: number | undefined,
    body: (progress: Progress) => Promise<T>,
  ): Promise<T> {
    const { progressIntervalMs: intervalMs } = this.#platform;
    const print = (line: string) => this.#platform.progress(line);
    return this.run(name, title, async () => {
      const progress = new Progress({ title: name, expected, intervalMs, print });
      const result = await body(progress);
      this.#platform.info(progress.total());
      return result;
    });
  }
}
