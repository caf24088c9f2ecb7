/**
 * Calls `run` for every item, with a few calls under way at once, and returns what they give in the items' order. After
 * a failure no more are begun, and it is thrown once those under way have ended.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  let failed = false;
  const work = async () => {
    for (const [index, item] of waiting) {
      if (failed) return;
      try {
        results[index] = await run(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: width }, work));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return results;
}
