import { formatBytes, formatDuration, formatRate } from '../util/format.ts';
import type { Platform } from './platform.ts';
import { type Moved, Progress } from './progress.ts';

/** Things that move at the same time: one line tells how far all of them are, and one for each, at its end, sums it up. */
export class Transfers {
  readonly #platform: Platform;
  readonly #lines = new Map<string, { readonly line: string; readonly moved: Moved }>();
  readonly #step: string | undefined;
  #printed = performance.now();

  /** @param step which step of the run this is */
  constructor(platform: Platform, step?: string) {
    this.#platform = platform;
    this.#step = step;
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
    const print = (line: string, moved: Moved) => this.#print(title, line, moved);
    const progress = new Progress({ title, expected, intervalMs, print });
    try {
      const result = await body(progress);
      this.#platform.info(progress.total());
      return result;
    } finally {
      this.#lines.delete(title);
    }
  }

  #print(title: string, line: string, moved: Moved): void {
    this.#lines.set(title, { line, moved });
    const now = performance.now();
    if (now - this.#printed < this.#platform.progressIntervalMs) return;
    this.#printed = now;
    const all = [...this.#lines.values()];
    const sum = (what: keyof Moved) => all.reduce((total, each) => total + each.moved[what], 0);
    const known = all.every(({ moved }) => moved.expected > 0);
    const fraction = known ? Math.min(1, sum('bytes') / sum('expected')) : undefined;
    const short = known ? inShort(sum('bytes'), sum('expected'), sum('rate')) : undefined;
    this.#platform.progress(all.map((each) => each.line).join(' | '), { fraction, step: this.#step, short });
  }
}

function inShort(bytes: number, expected: number, rate: number): string {
  const leftMs = rate > 0 ? ((expected - bytes) / rate) * 1000 : 0;
  const left = leftMs >= 1000 ? [`${formatDuration(leftMs)} left`] : [];
  return [`${formatBytes(bytes)} of ${formatBytes(expected)}`, formatRate(rate, 1000), ...left].join(' · ');
}
