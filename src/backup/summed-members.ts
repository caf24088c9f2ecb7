import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { SegmentWriter } from '../archive/segment-writer.ts';

/** The SHA-256 of a member under way. */
export interface MemberSum {
  update(bytes: Buffer): void;
  end(): void;
}

/** Adds members to the segments of an archive, and takes the SHA-256 of each while it passes, as it will be restored. */
export class SummedMembers {
  readonly #sums: Record<string, string> = {};

  /** By the names of the members. */
  get sums(): Readonly<Record<string, string>> {
    return this.#sums;
  }

  /** As `SegmentWriter.add`. */
  add(
    segment: SegmentWriter,
    name: string,
    content: Buffer | Readable,
    options: Parameters<SegmentWriter['add']>[2],
  ): Promise<unknown> {
    if (Buffer.isBuffer(content)) {
      this.#sums[name] = hash('sha256', content, 'hex');
      return segment.add(name, content, options);
    }
    return segment.add(name, Readable.from(this.#summed(name, content), { objectMode: false }), options);
  }

  /** Begins the sum of a member that is added in another way. It counts once it has ended. */
  begin(name: string): MemberSum {
    const sha256 = createHash('sha256');
    return {
      update: (bytes) => void sha256.update(bytes),
      end: () => {
        this.#sums[name] = sha256.digest('hex');
      },
    };
  }

  async *#summed(name: string, content: Readable): AsyncGenerator<Buffer> {
    const sum = this.begin(name);
    for await (const chunk of content as AsyncIterable<Buffer>) {
      sum.update(chunk);
      yield chunk;
    }
    sum.end();
  }
}
