import type { RangeReader, ReadAhead } from '../archive/ranges.ts';
import type { CheckedRange } from '../archive/units.ts';
import { type Selected, wrongBackup } from '../backup-reader/select.ts';
import type { Receipt } from '../catalog/receipt.ts';
import type { Store } from '../s3/store.ts';
import { ContentError } from '../util/errors.ts';

/** Requests under way while the bytes of another one are written. */
export const READ_AHEAD: ReadAhead = { ahead: 3 };

/** An object on its way, and what is known of its bytes. */
export interface Download {
  readonly uri: string;
  readonly reader: RangeReader;
  /** What the receipt says of the bytes, in their order. */
  readonly units: readonly CheckedRange[];
  /** Where those end that the receipt says something of, from the first byte on without a gap. */
  readonly covered: number;
}

/** @throws ContentError where the object is not the one of its receipt */
export async function openDownload(store: Store, { key, receipt }: Selected): Promise<Download> {
  const uri = store.uri(key);
  const reader = await store.range(key);
  if (receipt && receipt.size !== reader.size) {
    throw wrongBackup(uri, `it has ${reader.size} bytes instead of ${receipt.size}`);
  }
  const units = receipt ? unitsOf(receipt, uri) : [];
  return { uri, reader, units, covered: coveredFrom(units) };
}

/**
 * Every run of bytes that the receipt knows.
 *
 * @throws ContentError where they cannot all be true
 */
function unitsOf({ segments, directory, size }: Receipt, uri: string): CheckedRange[] {
  const all = [...segments.flatMap(({ units }) => units), ...(directory ? [directory] : [])]
    .filter(({ length }) => length > 0)
    .sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { offset, length } of all) {
    if (offset < end) throw wrongBackup(uri, 'units of its receipt overlap');
    end = offset + length;
  }
  if (end > size) throw wrongBackup(uri, 'its receipt has units beyond its end');
  return all;
}

/** Where the bytes end that follow one another from the first on. */
function coveredFrom(units: readonly CheckedRange[]): number {
  let end = 0;
  for (const { offset, length } of units) {
    if (offset !== end) break;
    end += length;
  }
  return end;
}

/** Bytes of the object are not those of its receipt. */
export const otherBytes = (uri: string, { offset, length }: CheckedRange): ContentError =>
  new ContentError(
    `${uri} has other bytes than were written, from ${offset} to ${offset + length}.`,
    'It was damaged or replaced since the backup. The command verify says what is left of it; choose another backup.',
  );
