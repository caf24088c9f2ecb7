import type { BlockHead } from '../../postgres/custom-format/blocks.ts';
import { canDecompress, decompressedData } from '../../postgres/custom-format/compression.ts';
import type { TocEntry } from '../../postgres/custom-format/entries.ts';
import { type OpenDump, openDump } from '../../postgres/custom-format/open.ts';
import { outOfOrder, readsBlock, restoredEntries } from '../../postgres/custom-format/restored.ts';
import { ContentError } from '../../util/errors.ts';
import { continued } from '../../util/iterables.ts';
import type { DumpedRows } from './dumped-rows.ts';

/**
 * Reads a dump in custom format to its end, as pg_restore would.
 *
 * @returns for a dump that is not known here, all of its bytes
 * @throws ContentError when it is not a whole one. Its bytes have been read nevertheless.
 */
export async function readCustomDump(
  rows: DumpedRows,
  dump: AsyncIterable<Buffer>,
): Promise<AsyncIterable<Buffer> | undefined> {
  const chunks = dump[Symbol.asyncIterator]();
  try {
    const open = await openDump(rows.name, chunks);
    if (open.kind === 'known' && canDecompress(open.contents.head.compression))
      return await readAll(rows, open);
    return continued(open.read, chunks);
  } catch (error) {
    // Where the bytes themselves are wrong, that says more.
    if (error instanceof ContentError) while (!(await chunks.next()).done);
    throw error;
  }
}

async function readAll(rows: DumpedRows, dump: OpenDump): Promise<undefined> {
  for (const { entry, parts } of restoredEntries(dump)) {
    if (!readsBlock(entry, parts)) continue;
    let block = await dump.blocks.next();
    while (block && block.id !== entry.id) block = await dump.blocks.next();
    if (!block) throw outOfOrder(dump, entry);
    await readBlock(rows, dump, block, entry);
  }
  while (await dump.blocks.next());
  return undefined;
}

async function readBlock(
  rows: DumpedRows,
  dump: OpenDump,
  { kind }: BlockHead,
  entry: TocEntry,
): Promise<void> {
  const { name, blocks, contents } = dump;
  const data = () => decompressedData(name, blocks, contents.head.compression);
  if (kind === 'rows') return await rows.read(entry, data());
  while ((await blocks.nextObject()) !== undefined) for await (const _ of data());
}
