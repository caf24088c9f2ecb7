import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ArchiveWriter } from '../archive/writer.ts';

/** Adds members to an archive, and takes the SHA-256 of each while it passes, as it will be restored. */
export class SummedMembers {
  readonly #sums: Record<string, string> = {};
  readonly #writer: Pick<ArchiveWriter, 'add'>;

  constructor(writer: Pick<ArchiveWriter, 'add'>) {
    this.#writer = writer;
  }

  /** By the names of the members. */
  get sums(): Readonly<Record<string, string>> {
    return this.#sums;
  }

  /** As `ArchiveWriter.add`. */
  add(
    name: string,
    content: Buffer | Readable,
    options: Parameters<ArchiveWriter['add']>[2],
  ): Promise<unknown> {
    if (Buffer.isBuffer(content)) {
      this.#sums[name] = hash('sha256', content, 'hex');
      return this.#writer.add(name, content, options);
    }
    return this.#writer.add(name, Readable.from(this.#summed(name, content), { objectMode: false }), options);
  }

  async *#summed(name: string, content: Readable): AsyncGenerator<Buffer> {
    const sha256 = createHash('sha256');
    for await (const chunk of content as AsyncIterable<Buffer>) {
      sha256.update(chunk);
      yield chunk;
    }
    this.#sums[name] = sha256.digest('hex');
  }
}
