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

/**
 * Something that is opened ahead of its use. Whoever takes it closes it, and learns why it could not be opened. Disposed
 * of before anybody has taken it, it is given up.
 */
export function ahead<T extends AsyncDisposable>(
  open: (givenUp: AbortSignal) => Promise<T>,
): AsyncDisposable & { readonly take: () => Promise<T> } {
  const giveUp = new AbortController();
  const opening = open(giveUp.signal);
  let isTaken = false;
  opening.catch(() => {}); // for who takes it
  return {
    take: () => {
      isTaken = true;
      return opening;
    },
    async [Symbol.asyncDispose]() {
      if (isTaken) return;
      giveUp.abort();
      const opened = await opening.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
    },
  };
}
