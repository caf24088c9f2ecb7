import type { Platform } from './platform.ts';
import type { Progress } from './progress.ts';
import { Transfers } from './transfers.ts';

/** When a phase ran, in milliseconds since the run began. */
export interface PhaseSpan {
  readonly name: string;
  readonly title: string;
  readonly startMs: number;
  readonly ms: number;
}

/** The story of a run: each phase is a group of the log, and its time is kept. */
export class Phases {
  readonly #platform: Platform;
  readonly #seconds = new Map<string, number>();
  readonly #spans: PhaseSpan[] = [];
  readonly #startedAt = performance.now();
  #begun = 0;
  #expected: number | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Seconds of each phase, in the order in which they ran. */
  get seconds(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#seconds);
  }

  /** What ran when, in the order in which it began. */
  get spans(): readonly PhaseSpan[] {
    return this.#spans;
  }

  /** Says how many phases are still to come, for the line that tells how far a run is. */
  expect(more: number): void {
    this.#expected = this.#begun + more;
  }

  get #step(): string | undefined {
    if (this.#expected === undefined || this.#begun > this.#expected) return undefined;
    return `step ${this.#begun} of ${this.#expected}`;
  }

  /**
   * @param name short, for receipt and summary: `filestore`
   * @param title for the log, with what is known beforehand
   */
  async run<T>(name: string, title: string, body: () => Promise<T>): Promise<T> {
    const started = performance.now();
    this.#begun += 1;
    try {
      return await this.#platform.group(title, body);
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#spans.push({ name, title, startMs: started - this.#startedAt, ms: seconds * 1000 });
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
    return this.transfers(name, title, (transfers) => transfers.move(name, expected, body));
  }

  /** A phase that moves several things at the same time. */
  transfers<T>(name: string, title: string, body: (transfers: Transfers) => Promise<T>): Promise<T> {
    return this.run(name, title, () => body(new Transfers(this.#platform, this.#step)));
  }
}
