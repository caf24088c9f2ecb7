import { damaged } from './cursor.ts';
import type { TocEntry } from './entries.ts';
import type { OpenDump } from './open.ts';
import { type EntryParts, partsOf, type RestorePass } from './parts.ts';

const PASSES: readonly RestorePass[] = ['main', 'privileges', 'last'];

/** The entries that pg_restore restores, in the order in which it does. */
export function* restoredEntries({
  contents,
}: OpenDump): Generator<{ readonly entry: TocEntry; readonly parts: EntryParts }> {
  for (const pass of PASSES) {
    for (const entry of contents.entries()) {
      const parts = partsOf(entry, contents.head);
      if (parts?.pass === pass) yield { entry, parts };
    }
  }
}

/** Whether a data block is read when the entry is restored. */
export const readsBlock = (entry: TocEntry, parts: EntryParts): boolean =>
  parts.data && entry.hasData && entry.hasBlock;

/** The data block of an entry is not where a stream can have it. pg_dump writes them in the order of their entries. */
export const outOfOrder = ({ name }: OpenDump, { id, kind }: TocEntry) =>
  damaged(name, `the data of its entry ${id} (${kind}) are not there, or not in the order of its entries`);
