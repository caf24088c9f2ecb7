/** Something for the first reader of a stream, for the second, or for both. */
export interface Forked<T> {
  readonly to: 'first' | 'second' | 'both';
  readonly value: T;
}

interface Branch<T> {
  readonly waiting: T[];
  closed: boolean;
}

/**
 * One stream as two, which are read at the same time, at about the same pace: one that is ahead by `most` values waits
 * for the other. What the stream throws, both throw. A reader that ends early is waited for no more.
 *
 * @param signal ends both, also while one waits for the other
 */
export function forked<T>(
  source: AsyncIterable<Forked<T>>,
  most: number,
  signal?: AbortSignal,
): { readonly first: AsyncIterable<T>; readonly second: AsyncIterable<T> } {
  const fork = new Fork(source[Symbol.asyncIterator](), most);
  signal?.addEventListener('abort', () => fork.fail(signal.reason), { once: true });
  if (signal?.aborted) fork.fail(signal.reason);
  return { first: fork.read('first'), second: fork.read('second') };
}

class Fork<T> {
  readonly #source: AsyncIterator<Forked<T>>;
  readonly #most: number;
  readonly #branches = { first: branch<T>(), second: branch<T>() };
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #pulling: Promise<void> | undefined;
  #taken = Promise.withResolvers<void>();

  constructor(source: AsyncIterator<Forked<T>>, most: number) {
    this.#source = source;
    this.#most = most;
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#tellTaken();
  }

  async *read(which: 'first' | 'second'): AsyncGenerator<T> {
    const { [which]: mine } = this.#branches;
    try {
      for (;;) {
        if (mine.waiting.length > 0) {
          const value = mine.waiting.shift() as T;
          this.#tellTaken();
          yield value;
        } else if (this.#failure) throw this.#failure.error;
        else if (this.#ended) return;
        else await this.#pullOnce();
      }
    } finally {
      await this.#close(mine);
    }
  }

  #pullOnce(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => {
      this.#pulling = undefined;
    });
    return this.#pulling;
  }

  /** Takes one more from the source, for whoever it is. */
  async #pull(): Promise<void> {
    const branches = Object.values(this.#branches);
    while (branches.some(({ waiting }) => waiting.length >= this.#most)) {
      if (this.#failure) return;
      await this.#taken.promise;
    }
    if (this.#failure) return;
    try {
      const next = await this.#source.next();
      if (next.done) this.#ended = true;
      else this.#hand(next.value);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #hand({ to, value }: Forked<T>): void {
    const { first, second } = this.#branches;
    if (to !== 'second' && !first.closed) first.waiting.push(value);
    if (to !== 'first' && !second.closed) second.waiting.push(value);
  }

  #tellTaken(): void {
    this.#taken.resolve();
    this.#taken = Promise.withResolvers();
  }

  async #close(mine: Branch<T>): Promise<void> {
    mine.closed = true;
    mine.waiting.length = 0;
    this.#tellTaken();
    const { first, second } = this.#branches;
    if (first.closed && second.closed && !this.#ended) await this.#source.return?.();
  }
}

const branch = <T>(): Branch<T> => ({ waiting: [], closed: false });
