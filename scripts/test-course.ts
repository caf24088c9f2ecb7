/** What a run of tests took, and what it left out, for its last lines. */
export class Course {
  readonly #startedAt = performance.now();
  readonly #seconds = new Map<string, number>();
  readonly #skipped = new Map<string, number>();

  ended(file: string, milliseconds: number): void {
    this.#seconds.set(file, milliseconds / 1000);
  }

  skipped(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  /** Whole seconds of each file, by its name. */
  get seconds(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#seconds].map(([file, seconds]) => [file, Math.ceil(seconds)]));
  }

  /** The time of the whole run, its slowest files, and what was not run. */
  describe(): string[] {
    const all = (performance.now() - this.#startedAt) / 1000;
    const slowest = [...this.#seconds].toSorted(([, a], [, b]) => b - a).slice(0, 5);
    const notRun = [...this.#skipped].map(([reason, count]) => `Not run: ${count} (${reason})`);
    return [
      `Tests took ${Math.floor(all / 60)} min ${Math.round(all % 60)} s. The slowest files:`,
      ...slowest.map(([file, seconds]) => `  ${seconds.toFixed(0).padStart(4)} s  ${file}`),
      ...notRun,
    ];
  }
}
