import type { TableOfContents } from '../postgres/custom-format/contents.ts';
import { openDump } from '../postgres/custom-format/open.ts';
import type { DumpSource } from './dump.ts';

/**
 * Reads the table of contents of a dump for pg_restore, without one.
 *
 * @param pgRestore major version of the pg_restore that will load it. One that is too old says so best itself.
 * @returns undefined for plain SQL, which has none, and for a dump that is not known here, or not to that pg_restore
 * @throws ContentError when the dump is not whole
 */
export async function contentsOf(dump: DumpSource, pgRestore: number): Promise<TableOfContents | undefined> {
  const contents = await read(dump);
  return contents && pgRestore >= readFrom(contents.head.version) ? contents : undefined;
}

/**
 * The first major version of a pg_restore that reads a dump.
 * @returns undefined for plain SQL, and for a dump that is not known here
 * @throws ContentError when the dump is not whole
 */
export async function pgRestoreFor(dump: DumpSource): Promise<number | undefined> {
  const contents = await read(dump);
  return contents && readFrom(contents.head.version);
}

async function read(dump: DumpSource): Promise<TableOfContents | undefined> {
  if (dump.kind === 'plain') return undefined;
  const file = dump.kind === 'custom' ? dump : dump.files.find(({ name }) => name === 'toc.dat');
  if (!file) return undefined;
  const bytes = file.open();
  try {
    const open = await openDump(file.name, bytes[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
    return open.kind === 'known' ? open.contents : undefined;
  } finally {
    bytes.destroy();
  }
}

/** The first major version of a pg_restore that reads a version of the format. */
const readFrom = (version: number): number => (version >= 16 ? 17 : version === 15 ? 16 : 0);
