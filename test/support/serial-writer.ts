import { finished, Readable } from 'node:stream';
import type { Segment } from '../../src/archive/segment.ts';
import type { SegmentWriter, WrittenEntry } from '../../src/archive/segment-writer.ts';
import { type ArchiveSummary, ArchiveWriter, type WriterOptions } from '../../src/archive/writer.ts';

/** An archive whose segments are written one after another, with all of its bytes in one stream. */
export class SerialWriter implements AsyncDisposable {
  readonly output: Readable;
  readonly #writer: ArchiveWriter;
  readonly #outputs: Readable[] = [];
  #segment: SegmentWriter | undefined;
  #more = Promise.withResolvers<void>();

  constructor(options: WriterOptions) {
    this.#writer = new ArchiveWriter(options);
    this.output = Readable.from(this.#bytes(), { objectMode: false });
    finished(this.output, (error) => error && this.#writer.fail(error));
  }

  async begin(kind: Segment['kind']): Promise<void> {
    await this.#segment?.end();
    this.#segment = this.#writer.segment(kind);
    this.#append(this.#segment.output);
  }

  add(...args: Parameters<SegmentWriter['add']>): Promise<WrittenEntry> {
    if (!this.#segment) throw new Error('begin() comes before add()');
    return this.#segment.add(...args);
  }

  drop(name: string): void {
    this.#segment?.drop(name);
  }

  finish(): Promise<ArchiveSummary> {
    this.#append(this.#writer.directory);
    return this.#writer.finish();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#writer[Symbol.asyncDispose]();
  }

  #append(output: Readable): void {
    output.on('error', (error) => this.output.destroy(error));
    this.#outputs.push(output);
    this.#more.resolve();
  }

  async *#bytes(): AsyncGenerator<Buffer> {
    for (let i = 0; ; i++) {
      while (!this.#outputs[i]) {
        this.#more = Promise.withResolvers();
        await this.#more.promise;
      }
      yield* this.#outputs[i] as Readable;
      if (this.#outputs[i] === this.#writer.directory) return;
    }
  }
}
