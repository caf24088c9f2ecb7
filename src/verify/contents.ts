import { readEntries } from '../archive/entries.ts';
import { readDirectory } from '../archive/reader.ts';
import { openSelected } from '../restore/source.ts';
import type { Findings, ProofContext, Subject } from './prove.ts';

/** Proof level `contents`: every byte of the archive is read back, and checked. */
export async function proveContents(
  { store, key, receipt }: Subject,
  { phases }: ProofContext,
): Promise<Findings> {
  return phases.transfer('contents', `Read back ${store.uri(key)}`, receipt.size, async (progress) => {
    const source = await openSelected(store, { key, receipt });
    const reader = await store.range(key);
    const { entries } = await readDirectory(reader);
    for await (const { content } of readEntries(reader, entries())) {
      if (Buffer.isBuffer(content)) progress.add(content.length);
      else for await (const chunk of content) progress.add(chunk.length);
    }
    for await (const { content } of source.readFiles(source.filestore?.values() ?? [])) {
      if (!Buffer.isBuffer(content)) for await (const _ of content);
    }
    return {};
  });
}
