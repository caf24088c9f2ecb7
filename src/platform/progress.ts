import { formatBytes, formatDuration, formatRate } from '../util/format.ts';
import type { Platform } from './platform.ts';

/** Hands on lines that say what is waited for: not before the first interval is over, and one in each. */
export function nowAndThen(
  platform: Pick<Platform, 'progress' | 'progressIntervalMs'>,
  now: () => number = () => performance.now(),
): (line: string) => void {
  let last = now();
  return (line) => {
    if (now() - last < platform.progressIntervalMs) return;
    last = now();
    platform.progress(line);
  };
}

export interface ProgressOptions {
  /** Name of what is transferred: the first word of the line. */
  readonly title: string;
  /** Expected bytes; undefined where they are not known. An estimate may be too small. */
  readonly expected?: number;
  readonly intervalMs: number;
  readonly print: (line: string, moved: Moved) => void;
  /** A clock that never goes back, in milliseconds. */
  readonly now?: () => number;
}

/** What has moved, in bytes. */
export interface Moved {
  readonly bytes: number;
  /** 0 where it is not known. */
  readonly expected: number;
  /** Bytes a second, in the last seconds. */
  readonly rate: number;
}

/** The rate shown is that of the last seconds, not of the whole time. */
const WINDOW_MS = 15_000;

/** Before that, the rate does not allow an estimate of the time left. */
const SETTLED_MS = 2000;

/** Counts bytes, and prints a line about them once in each interval: bytes, rate, time left. */
export class Progress {
  #bytes = 0;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #started: number;
  /** For each line printed within the window: when, and how many bytes had been counted. */
  #samples: { readonly time: number; readonly bytes: number }[];

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#started = this.#now();
    this.#samples = [{ time: this.#started, bytes: 0 }];
  }

  /** In bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    const time = this.#now();
    const last = this.#samples.at(-1);
    if (last === undefined || time - last.time < this.#options.intervalMs) return;
    const recent = this.#samples.filter((sample) => time - sample.time <= WINDOW_MS);
    const from = recent[0] ?? last; // after a long pause: since then
    const [ms, recentBytes] = [time - from.time, this.#bytes - from.bytes];
    const rate = ms > 0 ? (recentBytes * 1000) / ms : 0;
    const moved = { bytes: this.#bytes, expected: this.#options.expected ?? 0, rate };
    this.#options.print(this.#line(ms, recentBytes), moved);
    this.#samples = [...recent, { time, bytes: this.#bytes }];
  }

  /** All of it, in one line: `filestore: 3.4 GiB in 1 min 12 s (48.4 MiB/s)`. */
  total(): string {
    const ms = this.#now() - this.#started;
    const rate = formatRate(this.#bytes, ms);
    return `${this.#options.title}: ${formatBytes(this.#bytes)} in ${formatDuration(ms)} (${rate})`;
  }

  #line(ms: number, bytes: number): string {
    const { title, expected } = this.#options;
    const rate = formatRate(bytes, ms);
    if (!expected || expected < this.#bytes) {
      return `${title}: ${formatBytes(this.#bytes)} · ${rate}`;
    }
    const percent = Math.floor((this.#bytes / expected) * 100);
    const leftMs = bytes > 0 ? ((expected - this.#bytes) / bytes) * ms : 0;
    const left = ms >= SETTLED_MS && leftMs >= 1000 ? ` · ${formatDuration(leftMs)} left` : '';
    return `${title}: ${formatBytes(this.#bytes)} of ${formatBytes(expected)} (${percent} %) · ${rate}${left}`;
  }
}

/** The same items, told to the progress line as they pass. */
export async function* counting<T>(
  source: AsyncIterable<T>,
  progress: Pick<Progress, 'add'>,
  bytesOf: (item: T) => number,
): AsyncGenerator<T> {
  for await (const item of source) {
    progress.add(bytesOf(item));
    yield item;
  }
}
