import type { ZipArchive } from 'archiver';

/**
 * Internals of archiver that this project relies on: zip-stream, which does archiver's work, tells how many
 * bytes it has written, and holds the entries that it has written with their sizes and CRC. archiver's own `pointer()`
 * counts what came out at the other end. That the entries are those of the directory is checked by
 * `DirectoryMerger.addRun`.
 */
export interface ArchiverEngine {
  /** Bytes that went in, whether or not they have come out. */
  getBytesWritten(): number;
  readonly _entries: readonly {
    /** Length of the content in bytes. */
    getSize(): number;
    /** Length of the content as it is stored, in bytes. */
    getCompressedSize(): number;
    getCrc(): number;
  }[];
}

/**
 * Gives the internals of a new archiver.
 *
 * @throws Error when this version of archiver has other internals, before it writes a byte
 */
export function engineOf(zip: ZipArchive): ArchiverEngine {
  const { engine } = (zip as unknown as { _module?: { engine?: Partial<ArchiverEngine> } })._module ?? {};
  if (engine?.getBytesWritten?.() !== 0 || engine._entries?.length !== 0) {
    throw new Error('This version of archiver does not have the inside that archiver-internals.ts relies on');
  }
  return engine as ArchiverEngine;
}
