import { once } from 'node:events';
import type { ZipArchive } from 'archiver';
import type { DeflatedContent } from './deflate-content.ts';

/** An entry of archiver's. Lengths in bytes. */
interface ArchiverEntry {
  /** Length of the content. */
  getSize(): number;
  /** Length of the content as it is stored. */
  getCompressedSize(): number;
  getCrc(): number;
  setSize(size: number): void;
  setCompressedSize(size: number): void;
  setCrc(crc: number): void;
}

/** Writes the bytes of an entry; resolves when more may come. */
type Write = (bytes: Buffer) => Promise<void> | void;

/**
 * Internals of archiver that this project relies on: zip-stream, which does archiver's work, tells how many
 * bytes it has written, and holds the entries that it has written with their sizes and CRC. archiver's own `pointer()`
 * counts what came out at the other end. That the entries are those of the directory is checked by
 * `SegmentDirectory.addRun`.
 */
export interface ArchiverEngine {
  /** Bytes that went in, whether or not they have come out. */
  getBytesWritten(): number;
  readonly _entries: readonly ArchiverEntry[];
}

/**
 * The part of compress-commons that deflates, which `appendDeflated` takes the place of. For an entry with content that
 * is not stored, the engine writes a local header that announces a data descriptor, calls `_smartStream`, and ends what
 * that returns with the content. What `_smartStream` returned then writes the deflated content to the engine, sets sizes
 * and CRC of the entry, calls `_afterAppend`, which writes the data descriptor, and then the callback.
 */
interface DeflatingEngine extends ArchiverEngine {
  /** A method of the engine's class, which a property of the engine can hide. */
  _smartStream?: (
    entry: ArchiverEntry,
    callback: (error: unknown, entry: ArchiverEntry) => void,
  ) => { end(content: Buffer): void };
  _afterAppend(entry: ArchiverEntry): void;
  write(bytes: Buffer): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/**
 * Gives the internals of a new archiver.
 *
 * @throws Error when this version of archiver has other internals, before it writes a byte
 */
export function engineOf(zip: ZipArchive): ArchiverEngine {
  const { engine } = (zip as unknown as { _module?: { engine?: Partial<DeflatingEngine> } })._module ?? {};
  const methods = [engine?._smartStream, engine?._afterAppend, engine?.write, engine?.once];
  if (
    engine?.getBytesWritten?.() !== 0 ||
    engine._entries?.length !== 0 ||
    methods.some((method) => typeof method !== 'function')
  ) {
    throw new Error('This version of archiver does not have the inside that archiver-internals.ts relies on');
  }
  return engine as ArchiverEngine;
}

/** archiver's own way brings any content through three streams; this stands for content that it is not to touch. */
const STAND_IN = Buffer.from('content that archiver-internals.ts writes');

/**
 * Appends an entry whose deflated content `deflate` writes, instead of archiver. archiver's `entry` and `error` tell
 * how it ends, as for any other entry. Only when no other entry is under way.
 */
export function appendDeflated(
  zip: ZipArchive,
  engine: ArchiverEngine,
  data: { readonly name: string; readonly date: Date },
  deflate: (write: Write) => Promise<DeflatedContent>,
): void {
  const deflating = engine as DeflatingEngine;
  const write: Write = (bytes) => {
    if (!deflating.write(bytes)) return once(deflating as never, 'drain').then(() => {});
  };
  const finish = (entry: ArchiverEntry, { size, compressedSize, crc32 }: DeflatedContent): void => {
    entry.setSize(size);
    entry.setCompressedSize(compressedSize);
    entry.setCrc(crc32);
    deflating._afterAppend(entry);
  };
  deflating._smartStream = (entry, callback) => {
    delete deflating._smartStream; // the next entry may be a stored one
    const end = (): void => {
      const finished = deflate(write).then((content) => finish(entry, content));
      finished.then(
        () => callback(null, entry),
        (error) => callback(error, entry),
      );
    };
    return { end };
  };
  zip.append(STAND_IN, { ...data, store: false });
}
