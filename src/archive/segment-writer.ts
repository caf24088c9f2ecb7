import { finished, Readable } from 'node:stream';
import { ZipArchive } from 'archiver';
import { ArchiveOutput } from './archive-output.ts';
import { type ArchiverEngine, appendDeflated, engineOf } from './archiver-internals.ts';
import type { DeflateBlock } from './deflate-block.ts';
import { deflateContent } from './deflate-content.ts';
import { SegmentDirectory } from './directory.ts';
import type { Segment, Unit } from './segment.ts';
import { UnitMeter } from './units.ts';

/** The result of one `add()`. Sizes in bytes. */
export interface WrittenEntry {
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly crc32: number;
}

export interface SegmentOptions {
  readonly kind: Segment['kind'];
  /** Level of deflate, 1 to 9. */
  readonly level: number;
  /** Size of the units in bytes. */
  readonly unitSize?: number | undefined;
  /** Told of the first failure, of a source or of the reader of `output`. It is to call `fail()`. */
  readonly onFailure: (error: Error) => void;
}

/** One archiver at work. */
interface SegmentRun {
  readonly zip: ZipArchive;
  readonly engine: ArchiverEngine;
  /** Offset of its first byte in the segment. */
  readonly offset: number;
  entries: number;
  /** Length of its entries in bytes, known once all are added. What archiver writes after them is its own directory. */
  length: number;
}

/**
 * archiver writes its directory all at once, each field a buffer of its own: for 70,000 entries that took 600 MB.
 * So a fresh archiver takes over now and then, within the segment.
 */
const RUN_ENTRIES = 1000;

/** Bytes that may wait inside archiver, which takes buffers as fast as they are given. */
const WINDOW = 2 ** 20;

/**
 * Writes one segment of an archive, by archiver. One call at a time. Any failure ends the whole archive: the call under
 * way and every later one rejects, and `output` is destroyed, all with the same error.
 */
export class SegmentWriter {
  readonly kind: Segment['kind'];
  readonly #output = new ArchiveOutput({ highWaterMark: WINDOW });
  readonly #directory = new SegmentDirectory();
  readonly #units: UnitMeter;
  readonly #options: SegmentOptions;
  #run: SegmentRun | undefined;
  /** Settles with archiver's own directory, when the run's last byte has come out. */
  #runDirectory: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));
  /** Settles the add() under way; `taken` when archiver has done its part. */
  #entry: (PromiseWithResolvers<void> & { taken: boolean }) | undefined;
  #state: 'idle' | 'busy' | 'ended' = 'idle';
  #failure: Error | undefined;
  #ended: readonly Unit[] | undefined;

  constructor(options: SegmentOptions) {
    this.kind = options.kind;
    this.#options = options;
    this.#units = new UnitMeter(0, options.unitSize);
    this.#output.on('error', (error) => options.onFailure(error));
  }

  /** The segment's bytes. Somebody must read them, else nothing moves. */
  get output(): Readable {
    return this.#output;
  }

  /** Number of entries that the archive's directory will name. */
  get entries(): number {
    return this.#directory.entries;
  }

  /** Length of what has been written so far, in bytes. */
  get length(): number {
    return this.#output.written;
  }

  /** With offsets from the segment's start. @throws Error before its end */
  get units(): readonly Unit[] {
    if (!this.#ended) throw new Error('The segment has not ended');
    return this.#ended;
  }

  /** Entries for the archive's directory. @param offset where the segment lies in the archive, in bytes */
  encode(offset: number): Generator<Buffer> {
    return this.#directory.encode(offset);
  }

  /**
   * Adds an entry under a name that no other of the archive has. Size and CRC stand before the data of a buffer that is
   * stored, else after it. A stream is read to its end, or destroyed. Resolves when the next may come. The content of an
   * entry that is deflated may also come as blocks of `deflateBlock`, with buffers between them: the same block may be
   * given to several entries, and is deflated once. A block is taken when there is room for it.
   */
  async add(
    name: string,
    content: Buffer | Readable | AsyncIterable<DeflateBlock | Buffer>,
    { deflate, modified }: { deflate: boolean; modified: Date },
  ): Promise<WrittenEntry> {
    const source = Buffer.isBuffer(content) || content instanceof Readable ? content : Readable.from(content);
    if (source !== content && !deflate) throw new Error(`The blocks of ${name} can only be deflated`);
    if (!Buffer.isBuffer(source)) {
      // First of all: the source may fail while it waits for its turn, or end without an error.
      finished(source, { writable: false }, (error) => error && this.#options.onFailure(error));
    }
    try {
      return await this.#exclusively(() => this.#append(name, source, { deflate, modified }));
    } catch (error) {
      if (!Buffer.isBuffer(source)) source.destroy(error as Error);
      throw error;
    }
  }

  /** Leaves the entry added last out of the directory: its bytes stay, as a gap. The name may be added again. */
  drop(name: string): void {
    if (this.#state === 'ended') throw new Error('The segment has ended');
    this.#directory.drop(name);
  }

  /** Ends the segment, unless it has ended. */
  async end(): Promise<void> {
    if (this.#ended) return;
    await this.#exclusively(() => this.#endRun());
    this.#ended = this.#units.finish();
    this.#state = 'ended';
    this.#output.end();
  }

  /** Gives the segment up. The first reason counts. */
  fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#output.destroy(error);
    this.#run?.zip.destroy(error);
    this.#entry?.reject(error);
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state !== 'idle') throw new Error(`The segment is ${this.#state}`);
    this.#state = 'busy';
    try {
      if (this.#failure) throw this.#failure;
      return await work();
    } catch (error) {
      this.#options.onFailure(error as Error);
      throw this.#failure ?? error;
    } finally {
      this.#state = 'idle';
      this.#entry = undefined;
    }
  }

  async #append(
    name: string,
    source: Buffer | Readable,
    { deflate, modified }: { deflate: boolean; modified: Date },
  ): Promise<WrittenEntry> {
    if (this.#run?.entries === RUN_ENTRIES) await this.#endRun();
    this.#directory.book(name);
    this.#run ??= this.#startRun();
    this.#run.entries += 1;
    const { zip, engine } = this.#run;
    if (!Buffer.isBuffer(source) && source.destroyed) {
      throw source.errored ?? new Error(`The content of ${name} was gone before it could be read`);
    }
    const entry = { ...Promise.withResolvers<void>(), taken: false };
    this.#entry = entry;
    // Nothing to deflate in an empty file, and archiver would put its size and CRC after the data.
    const store = !deflate || (Buffer.isBuffer(source) && source.length === 0);
    if (store) {
      zip.append(source, { name, date: modified, store });
    } else {
      const pieces = Buffer.isBuffer(source) ? [source] : source;
      const write = deflateContent.bind(undefined, pieces, this.#options.level);
      appendDeflated(zip, engine, { name, date: modified }, write);
    }
    await entry.promise;
    const written = engine._entries.at(-1);
    if (!written) throw new Error(`archiver did not write ${name}`);
    const [size, compressedSize, crc32] = [written.getSize(), written.getCompressedSize(), written.getCrc()];
    return { name, size, compressedSize, crc32 };
  }

  #startRun(): SegmentRun {
    const zip = new ZipArchive({ highWaterMark: WINDOW });
    zip.on('error', (error) => this.#options.onFailure(error));
    const run: SegmentRun = {
      zip,
      engine: engineOf(zip),
      offset: this.#output.written,
      entries: 0,
      length: Number.POSITIVE_INFINITY,
    };
    zip.on('entry', () => {
      if (this.#entry) this.#entry.taken = true;
      this.#admit(run);
    });
    this.#runDirectory = this.#pump(run);
    this.#runDirectory.catch((error) => this.#options.onFailure(error));
    return run;
  }

  /** Passes the entries of a run on, to the end; returns the directory that follows them. */
  async #pump(run: SegmentRun): Promise<Buffer> {
    const directory: Buffer[] = [];
    for await (const chunk of run.zip as AsyncIterable<Buffer>) {
      const entries = chunk.subarray(0, run.offset + run.length - this.#output.written);
      this.#units.update(entries);
      await this.#output.write(entries);
      if (entries.length < chunk.length) directory.push(chunk.subarray(entries.length));
      this.#admit(run);
    }
    return Buffer.concat(directory);
  }

  /** Ends the add() under way when archiver has taken its entry and does not hold too many bytes. */
  #admit({ zip, engine }: SegmentRun): void {
    const waiting = engine.getBytesWritten() - zip.pointer();
    if (this.#entry?.taken && waiting <= WINDOW) this.#entry.resolve();
  }

  async #endRun(): Promise<void> {
    if (!this.#run) return;
    const { zip, engine, offset } = this.#run;
    const length = engine.getBytesWritten();
    this.#run.length = length;
    // After a failure this never settles: the run's last byte is what to wait for.
    zip.finalize().catch((error) => this.#options.onFailure(error));
    const directory = await this.#runDirectory;
    this.#directory.addRun(directory, { offset, length });
    this.#run = undefined;
  }
}
