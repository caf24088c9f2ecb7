/**
 * What several tasks give that were begun at the same time. Of their failures, the first one in this order is thrown: what
 * a person is told does not depend on which answer came first.
 */
export async function inOrder<const T extends readonly Promise<unknown>[]>(
  ...begun: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  for (const each of begun) each.catch(() => {}); // awaited below
  const given: unknown[] = [];
  for (const each of begun) given.push(await each);
  return given as { -readonly [K in keyof T]: Awaited<T[K]> };
}

/** Begins a task for each item at the same time, to be awaited in their order as far as anybody wants to know. */
export function begunInOrder<T, R>(items: readonly T[], begin: (item: T) => Promise<R>): Promise<R>[] {
  const begun = items.map(begin);
  for (const each of begun) each.catch(() => {}); // for who awaits it
  return begun;
}

/** The same as `inOrder`, once all of them have ended, however they did: nothing of theirs goes on behind a failure. */
export async function allEnded<const T extends readonly Promise<unknown>[]>(
  ...begun: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(begun);
  return await inOrder(...begun);
}

/** Something that was begun ahead of its use. */
export interface Ahead<T> extends AsyncDisposable {
  /** Settles when it has been given, or has failed. Never rejects. */
  readonly settled: Promise<void>;
  /** What it gives, or its failure. From then on it is whose it was taken by. */
  take(): Promise<T>;
}

/**
 * Begins something ahead of its use. Disposed of before anybody has taken it, it is given up, and what it has opened is
 * closed.
 */
export function ahead<T>(begin: (givenUp: AbortSignal) => Promise<T>): Ahead<T> {
  const giveUp = new AbortController();
  const begun = begin(giveUp.signal);
  let isTaken = false;
  const settled = begun.then(
    () => {},
    () => {}, // for who takes it
  );
  return {
    settled,
    take: () => {
      isTaken = true;
      return begun;
    },
    async [Symbol.asyncDispose]() {
      if (isTaken) return;
      giveUp.abort();
      const given = (await begun.catch(() => undefined)) as Partial<AsyncDisposable> | undefined;
      await given?.[Symbol.asyncDispose]?.();
    },
  };
}
