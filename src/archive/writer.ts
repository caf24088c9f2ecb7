import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { inBatches } from '../util/batches.ts';
import { ArchiveOutput } from './archive-output.ts';
import { encodeEnd } from './central-directory.ts';
import type { Reuse } from './reuse.ts';
import type { Directory, Segment } from './segment.ts';
import { SegmentWriter } from './segment-writer.ts';

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
  /** What others write before the segments. */
  readonly reuse?: Reuse | undefined;
}

/** Entries that the directory takes at once. */
const BATCH = 1000;

/**
 * Writes one zip archive. Its segments grow at the same time, each into an output of its own; they follow one another in
 * the order in which they were asked for. Only when all have ended is it known where each of them lies: the directory,
 * which comes last, names their entries. Any failure, of a source or of the reader of an output, ends the whole: the
 * calls under way and all later ones reject, and all outputs are destroyed, with the same error.
 */
export class ArchiveWriter implements AsyncDisposable {
  readonly #options: WriterOptions;
  readonly #segments: SegmentWriter[] = [];
  readonly #directory = new ArchiveOutput();
  readonly #failed = new AbortController();
  #finished = false;
  #failure: Error | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#directory.on('error', (error) => this.fail(error));
  }

  /** Bytes of the archive's end, which come when all segments have ended. */
  get directory(): Readable {
    return this.#directory;
  }

  /** Aborted with the first failure. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** The next segment. */
  segment(kind: Segment['kind']): SegmentWriter {
    const { level, unitSize } = this.#options;
    const segment = new SegmentWriter({ kind, level, unitSize, onFailure: (error) => this.fail(error) });
    this.#segments.push(segment);
    if (this.#failure) segment.fail(this.#failure);
    return segment;
  }

  /** Ends the segments, and the archive with its directory. Resolves when the outputs have taken everything. */
  async finish(): Promise<ArchiveSummary> {
    if (this.#finished) throw new Error('The archive is finished');
    if (this.#failure) throw this.#failure;
    try {
      await Promise.all(this.#segments.map((segment) => segment.end()));
      const summary = await this.#writeDirectory();
      this.#finished = true;
      this.#directory.end();
      return summary;
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Ends everything. The first reason is the archive's: returns that one. */
  fail(error: unknown): Error {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    if (this.#finished) return this.#failure;
    this.#failed.abort(this.#failure);
    this.#directory.destroy(this.#failure);
    for (const segment of this.#segments) segment.fail(this.#failure);
    return this.#failure;
  }

  /** Gives the archive up, unless it is finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#finished) this.fail(new Error('The archive was given up before its end'));
  }

  async #writeDirectory(): Promise<ArchiveSummary> {
    const { reuse } = this.#options;
    const [md5, sha256] = [createHash('md5'), createHash('sha256')];
    const write = async (bytes: Buffer): Promise<void> => {
      md5.update(bytes);
      sha256.update(bytes);
      await this.#directory.write(bytes);
      await turn(); // else nothing is sent while entries are encoded: seconds, where there are millions
    };
    const writeEntries = async (entries: Iterable<Buffer>): Promise<void> => {
      for (const some of inBatches(entries, BATCH)) await write(Buffer.concat(some));
    };
    const segments: Segment[] = [];
    if (reuse) {
      segments.push(copiedSegment(reuse));
      await writeEntries(reuse.directory());
    }
    let offset = reuse?.length ?? 0;
    for (const segment of this.#segments) {
      await writeEntries(segment.encode(offset));
      segments.push(placed(segment, offset));
      offset += segment.length;
    }
    const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
    await write(encodeEnd({ entries, size: this.#directory.written, offset }));
    const length = this.#directory.written;
    const sums = { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
    const directory = { offset, length, ...sums, entries };
    return { size: offset + length, segments, directory, entries };
  }
}

function placed({ kind, length, entries, units }: SegmentWriter, offset: number): Segment {
  const moved = units.map((unit) => ({ ...unit, offset: unit.offset + offset }));
  return { kind, offset, length, entries, units: moved };
}

function copiedSegment({ copies, length, entries }: Reuse): Segment {
  const units = copies.map(({ unit, offset }) => ({ ...unit, offset }));
  return { kind: 'filestore', offset: 0, length, entries, units };
}
