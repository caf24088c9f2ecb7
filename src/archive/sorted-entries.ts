import { Turns } from '../util/turns.ts';
import { PackedEntries } from './packed-entries.ts';
import { refused } from './refused-entry.ts';

/** Entries that are sorted at once: as objects, each takes half a kilobyte. */
const PART = 32_768;

/**
 * The same entries in the order of their bytes in the archive. There may be millions: they are divided into parts by where
 * they begin, packed, and each part is sorted by itself. What has gone into another place is held no longer in its old one.
 *
 * @param packed is empty afterwards
 * @throws ContentError where two begin in one place; the signal's reason when that is aborted
 */
export async function sortedEntries(
  packed: PackedEntries,
  count: number,
  signal: AbortSignal | undefined,
): Promise<PackedEntries> {
  const turns = new Turns(signal);
  const { firsts, twice } = await division(packed, count, turns);
  const parts = Array.from(firsts, () => new PackedEntries());
  for (const { name, offset, raw } of packed.drain()) {
    if (turns.isDue()) await turns.take();
    if (offset === twice) throw refused(name, 'overlaps with another file');
    parts[lastUpTo(firsts, offset)]?.add(raw);
  }
  const sorted = new PackedEntries();
  for (let left = count; left > 0; left -= PART) {
    const part = parts.shift();
    part?.finish(Math.min(left, PART));
    const entries = [...(part?.drain() ?? [])];
    for (const { raw } of entries.sort((a, b) => a.offset - b.offset)) sorted.add(raw);
    await turns.take();
  }
  sorted.finish(count);
  return sorted;
}

/** Where the first entry of each part begins; and where two do, if so. */
async function division(
  packed: PackedEntries,
  count: number,
  turns: Turns,
): Promise<{ readonly firsts: Float64Array; readonly twice: number | undefined }> {
  const offsets = new Float64Array(count);
  for (const [number, { offset }] of packed.decode()) {
    if (turns.isDue()) await turns.take();
    offsets[number] = offset;
  }
  offsets.sort();
  return {
    firsts: offsets.filter((_, i) => i % PART === 0),
    twice: offsets.find((offset, i) => offset === offsets[i - 1]),
  };
}

/** Index of the last of ascending numbers that is not greater than `limit`. */
function lastUpTo(numbers: Float64Array, limit: number): number {
  let [low, high] = [0, numbers.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= limit) low = middle;
    else high = middle;
  }
  return low;
}
