import { createHash } from 'node:crypto';
import { finished, Readable } from 'node:stream';
import { ZipArchive } from 'archiver';
import { ArchiveOutput } from './archive-output.ts';
import { type ArchiverEngine, appendDeflated, engineOf } from './archiver-internals.ts';
import { encodeEnd } from './central-directory.ts';
import type { DeflateBlock } from './deflate-block.ts';
import { deflateContent } from './deflate-content.ts';
import { DirectoryMerger } from './directory.ts';
import type { Reuse } from './reuse.ts';
import type { Directory, Segment } from './segment.ts';
import { UnitMeter } from './units.ts';

/** The result of one `add()`. Sizes in bytes. */
export interface WrittenEntry {
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly crc32: number;
}

export interface ArchiveSummary {
  /** Size of the whole archive in bytes. */
  readonly size: number;
  readonly segments: readonly Segment[];
  readonly directory: Directory;
  /** Number of entries that the directory names. */
  readonly entries: number;
}

export interface WriterOptions {
  /** Level of deflate, 1 to 9. */
  readonly level: number;
  /** Size of the segments' units in bytes. */
  readonly unitSize?: number;
  /** What others write before `output`; all offsets count from its start. */
  readonly reuse?: Reuse | undefined;
}

/** One archiver at work. */
interface SegmentRun {
  readonly zip: ZipArchive;
  readonly engine: ArchiverEngine;
  /** Offset of its first byte in the archive. */
  readonly offset: number;
  entries: number;
  /** Length of its entries in bytes, known once all are added. What archiver writes after them is its own directory. */
  length: number;
}

interface OpenSegment {
  readonly kind: Segment['kind'];
  readonly offset: number;
  readonly units: UnitMeter;
}

/**
 * archiver writes its directory all at once, each field a buffer of its own: for 70,000 entries that took 600 MB.
 * So a fresh archiver takes over now and then, within the segment.
 */
const RUN_ENTRIES = 1000;

/** Bytes that may wait inside archiver, which takes buffers as fast as they are given. */
const WINDOW = 2 ** 20;

/**
 * Writes one zip archive as a sequence of segments. archiver writes the entries; its directories are merged into
 * the one at the end. One call at a time. Any failure, of a source or of the reader of `output`, ends the whole:
 * the call under way and every later one rejects, and `output` is destroyed, all with the same error.
 */
export class ArchiveWriter implements AsyncDisposable {
  readonly #output = new ArchiveOutput({ highWaterMark: WINDOW });
  readonly #directory: DirectoryMerger;
  readonly #segments: Omit<Segment, 'entries'>[] = [];
  readonly #level: number;
  readonly #unitSize: number | undefined;
  #segment: OpenSegment | undefined;
  #run: SegmentRun | undefined;
  /** Settles with archiver's own directory, when the run's last byte has come out. */
  #runDirectory: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));
  /** Settles the add() under way; `taken` when archiver has done its part. */
  #entry: (PromiseWithResolvers<void> & { taken: boolean }) | undefined;
  #state: 'idle' | 'busy' | 'finished' = 'idle';
  #failure: Error | undefined;

  constructor({ level, unitSize, reuse }: WriterOptions) {
    this.#level = level;
    this.#unitSize = unitSize;
    this.#directory = new DirectoryMerger(reuse);
    if (reuse) {
      this.#output.written = reuse.length;
      this.#segments.push(copiedSegment(reuse));
    }
    this.#output.on('error', (error) => this.#fail(error));
  }

  /** The archive's bytes, without those that are copied. Somebody must read them, else nothing moves. */
  get output(): Readable {
    return this.#output;
  }

  /** Ends the segment before, and starts one. */
  begin(kind: Segment['kind']): Promise<void> {
    return this.#exclusively(async () => {
      await this.#endSegment();
      const offset = this.#output.written;
      this.#segment = { kind, offset, units: new UnitMeter(offset, this.#unitSize) };
    });
  }

  /**
   * Adds an entry under a name that no other has. Size and CRC stand before the data of a buffer that is stored, else
   * after it. A stream is read to its end, or destroyed. Resolves when the next may come. The content of an entry that
   * is deflated may also come as blocks of `deflateBlock`, with buffers between them: the same block may be given to
   * several entries, and is deflated once. A block is taken when there is room for it.
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
      finished(source, { writable: false }, (error) => error && this.#fail(error));
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
    if (this.#state === 'finished') throw new Error('The archive is finished');
    this.#directory.drop(name);
  }

  /** Ends the archive with its central directory. Resolves when `output` has taken everything. */
  async finish(): Promise<ArchiveSummary> {
    const summary = await this.#exclusively(async () => {
      await this.#endSegment();
      const offset = this.#output.written;
      const [md5, sha256] = [createHash('md5'), createHash('sha256')];
      const write = (bytes: Buffer): Promise<void> => {
        md5.update(bytes);
        sha256.update(bytes);
        return this.#output.write(bytes);
      };
      const named = this.#segments.map(() => 0);
      for (const { segment, entries, bytes } of this.#directory.encode()) {
        named[segment] = (named[segment] ?? 0) + entries;
        await write(bytes);
      }
      const { entries } = this.#directory;
      await write(encodeEnd({ entries, size: this.#output.written - offset, offset }));
      const size = this.#output.written;
      const segments = this.#segments.map((segment, i) => ({ ...segment, entries: named[i] ?? 0 }));
      const sums = { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
      const directory = { offset, length: size - offset, ...sums, entries };
      return { size, segments, directory, entries };
    });
    this.#state = 'finished';
    this.#output.end();
    return summary;
  }

  /** Gives the archive up, unless it is finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Error('The archive was given up before its end'));
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state !== 'idle') throw new Error(`The archive is ${this.#state}`);
    this.#state = 'busy';
    try {
      if (this.#failure) throw this.#failure;
      return await work();
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#state = 'idle';
      this.#entry = undefined;
    }
  }

  /** The first failure is the archive's: returns that one. */
  #fail(error: unknown): Error | undefined {
    if (this.#failure || this.#state === 'finished') return this.#failure;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#output.destroy(this.#failure);
    this.#run?.zip.destroy(this.#failure);
    this.#entry?.reject(this.#failure);
    return this.#failure;
  }

  async #append(
    name: string,
    source: Buffer | Readable,
    { deflate, modified }: { deflate: boolean; modified: Date },
  ): Promise<WrittenEntry> {
    if (!this.#segment) throw new Error('begin() comes before add()');
    if (this.#run?.entries === RUN_ENTRIES) await this.#endRun();
    this.#directory.book(name);
    this.#run ??= this.#startRun(this.#segment);
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
      const write = deflateContent.bind(undefined, pieces, this.#level);
      appendDeflated(zip, engine, { name, date: modified }, write);
    }
    await entry.promise;
    const written = engine._entries.at(-1);
    if (!written) throw new Error(`archiver did not write ${name}`);
    const [size, compressedSize, crc32] = [written.getSize(), written.getCompressedSize(), written.getCrc()];
    return { name, size, compressedSize, crc32 };
  }

  #startRun({ units }: OpenSegment): SegmentRun {
    const zip = new ZipArchive({ highWaterMark: WINDOW });
    zip.on('error', (error) => this.#fail(error));
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
    this.#runDirectory = this.#pump(run, units);
    this.#runDirectory.catch((error) => this.#fail(error));
    return run;
  }

  /** Passes the entries of a run on, to the end; returns the directory that follows them. */
  async #pump(run: SegmentRun, units: UnitMeter): Promise<Buffer> {
    const directory: Buffer[] = [];
    for await (const chunk of run.zip as AsyncIterable<Buffer>) {
      const entries = chunk.subarray(0, run.offset + run.length - this.#output.written);
      units.update(entries);
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
    zip.finalize().catch((error) => this.#fail(error));
    const directory = await this.#runDirectory;
    this.#directory.addRun(directory, { segment: this.#segments.length, offset, length });
    this.#run = undefined;
  }

  async #endSegment(): Promise<void> {
    if (!this.#segment) return;
    await this.#endRun();
    const { kind, offset, units } = this.#segment;
    this.#segments.push({ kind, offset, length: this.#output.written - offset, units: units.finish() });
    this.#segment = undefined;
  }
}

function copiedSegment({ copies, length }: Reuse): Omit<Segment, 'entries'> {
  const units = copies.map(({ unit, offset }) => ({ ...unit, offset }));
  return { kind: 'filestore', offset: 0, length, units };
}
