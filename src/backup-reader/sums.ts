import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { quoted } from '../util/controls.ts';
import { ContentError } from '../util/errors.ts';

/** Compares what is taken from a backup with the SHA-256 that its receipt has for it. */
export class ContentSums {
  readonly #expected: Readonly<Record<string, string>> | undefined;
  /** What was opened, and has not come to its end yet. */
  readonly #unread = new Map<string, () => Readable>();

  /** @param expected undefined: there is no receipt, or an older one, and everything passes */
  constructor(expected: Readonly<Record<string, string>> | undefined) {
    this.#expected = expected;
  }

  /** A content that is compared each time it is read to its end: then it fails there. */
  watched(name: string, open: () => Readable): () => Readable {
    if (!this.#expected) return open;
    this.#unread.set(name, open);
    return () => this.streamed(name, open());
  }

  /** The same as a stream, which fails at its end. */
  streamed(name: string, content: Readable): Readable {
    if (!this.#expected) return content;
    return Readable.from(this.compared(name, content), { objectMode: false });
  }

  /** The same bytes. @throws ContentError at their end when they are others than were written */
  async *compared(name: string, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const expected = this.#of(name);
    if (expected === undefined) {
      yield* content;
      return;
    }
    const sha256 = createHash('sha256');
    for await (const chunk of content) {
      sha256.update(chunk);
      yield chunk;
    }
    if (sha256.digest('hex') !== expected) throw otherContent(name);
    this.#unread.delete(name);
  }

  /** The same content of a member, which fails when it is others than was written: see `has`. */
  checked<T extends Buffer | Readable>(name: string, content: T): T | Readable {
    if (!this.has(name)) return content;
    if (!Buffer.isBuffer(content)) return this.streamed(name, content as Readable);
    this.compare(name, content);
    return content;
  }

  /** Whether there has to be a sum of a member: files of the filestore have the SHA-1 of their content in their names. */
  has(name: string): boolean {
    if (!this.#expected) return false;
    return Object.hasOwn(this.#expected, name) || !name.startsWith('filestore/');
  }

  /** @throws ContentError when they are others than were written */
  compare(name: string, content: Buffer): void {
    const expected = this.#of(name);
    if (expected === undefined) return;
    if (hash('sha256', content, 'hex') !== expected) throw otherContent(name);
    this.#unread.delete(name);
  }

  /**
   * Reads once more what was watched and never read to its end: a program may need the beginning alone.
   *
   * @throws ContentError when it is not what was written
   */
  async assertRead(): Promise<void> {
    for (const [name, open] of this.#unread) {
      for await (const _ of this.compared(name, open()));
    }
  }

  #of(name: string): string | undefined {
    if (!this.#expected) return undefined;
    if (Object.hasOwn(this.#expected, name)) return this.#expected[name];
    throw new ContentError(
      `The receipt has no SHA-256 of ${quoted(name)}.`,
      'The archive or its receipt was changed. Choose another backup.',
    );
  }
}

function otherContent(name: string): ContentError {
  return new ContentError(
    `${quoted(name)} is not what was written: its SHA-256 is not the one in the receipt.`,
    'The archive was damaged, or somebody has replaced what it holds. Choose another backup, and find out what has changed this one.',
  );
}
