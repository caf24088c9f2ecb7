import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Pieces } from '../archive/deflate-content.ts';
import { gzipped } from '../archive/gzip.ts';
import type { SegmentWriter } from '../archive/segment-writer.ts';
import { sealedName } from '../backup-reader/sealed-names.ts';
import type { Recipients } from '../sealing/recipients.ts';
import { seal, sealWhole } from '../sealing/stream.ts';

/** What is known of a member under way. */
export interface MemberSum {
  update(bytes: Buffer): void;
  end(): void;
}

type MemberOptions = Parameters<SegmentWriter['add']>[2];

/** How members are written. */
export interface MemberWriting {
  /** Level of gzip for members that are sealed, 1 to 9. */
  readonly level: number;
  /** Whom members are sealed for; undefined: nobody. */
  readonly recipients?: Recipients | undefined;
}

/**
 * Adds members to the segments of an archive, sealed where there are recipients, and takes the SHA-256 of each while it
 * passes, as the zip has it; also the size of what is sealed, which the zip does not tell.
 */
export class MemberWriter {
  readonly #sums: Record<string, string> = {};
  readonly #sizes: Record<string, number> = {};
  readonly #level: number;
  readonly #recipients: Recipients | undefined;

  constructor({ level, recipients }: MemberWriting) {
    this.#level = level;
    this.#recipients = recipients;
  }

  /** SHA-256, by the names in the zip. */
  get sums(): Readonly<Record<string, string>> {
    return this.#sums;
  }

  /** The sizes of what is sealed, in bytes, by the names of what comes out. */
  get sizes(): Readonly<Record<string, number>> {
    return this.#sizes;
  }

  /** As `SegmentWriter.add`. */
  async add(
    segment: SegmentWriter,
    name: string,
    content: Buffer | Readable,
    options: MemberOptions,
  ): Promise<void> {
    if (!Buffer.isBuffer(content)) {
      const measured = this.#measured(this.begin(name), content);
      return this.addMeasured(segment, name, Readable.from(measured, { objectMode: false }), options);
    }
    const recipients = this.#recipients;
    if (!recipients) return this.#put(segment, name, content, options);
    this.#sizes[name] = content.length;
    const packed = options.deflate ? gzipSync(content, { level: this.#level }) : content;
    const sealed = await sealWhole(packed, recipients);
    await this.#put(segment, sealedName(name, options.deflate), sealed, { ...options, deflate: false });
  }

  /** A member as it is, in the clear. */
  async addPlain(
    segment: SegmentWriter,
    name: string,
    content: Buffer,
    options: MemberOptions,
  ): Promise<void> {
    await this.#put(segment, name, content, options);
  }

  /** Adds a member whose content `begin` is told, also in blocks that are deflated already. */
  async addMeasured(
    segment: SegmentWriter,
    name: string,
    content: Pieces,
    options: MemberOptions,
  ): Promise<void> {
    const recipients = this.#recipients;
    if (!recipients) {
      const whole = options.deflate ? streamOf(content) : bytesOf(content);
      await segment.add(name, whole, options);
      return;
    }
    const stored = sealedName(name, options.deflate);
    const packed = options.deflate ? gzipped(content, this.#level) : bytesOf(content);
    const sealed = this.#measured(this.#sum(stored), seal(packed, recipients));
    const stream = Readable.from(sealed, { objectMode: false });
    await segment.add(stored, stream, { ...options, deflate: false });
  }

  /** Adds a file of the filestore: its name is its sum. What is sealed is not packed before. */
  async addFile(
    segment: SegmentWriter,
    name: string,
    content: Buffer | Readable,
    options: MemberOptions,
  ): Promise<void> {
    const recipients = this.#recipients;
    if (!recipients) return void (await segment.add(name, content, options));
    const sealed = Buffer.isBuffer(content)
      ? await sealWhole(content, recipients)
      : Readable.from(seal(content, recipients), { objectMode: false });
    await segment.add(sealedName(name, false), sealed, { ...options, deflate: false });
  }

  /** Takes back the file added last. */
  dropFile(segment: SegmentWriter, name: string): void {
    segment.drop(this.#recipients ? sealedName(name, false) : name);
  }

  /** To be told the content of a member that `addMeasured` adds. */
  begin(name: string): MemberSum {
    if (!this.#recipients) return this.#sum(name);
    let size = 0;
    return {
      update: ({ length }) => {
        size += length;
      },
      end: () => {
        this.#sizes[name] = size;
      },
    };
  }

  /** It counts once it has ended. */
  #sum(name: string): MemberSum {
    const sha256 = createHash('sha256');
    return {
      update: (bytes) => void sha256.update(bytes),
      end: () => {
        this.#sums[name] = sha256.digest('hex');
      },
    };
  }

  async #put(segment: SegmentWriter, name: string, content: Buffer, options: MemberOptions): Promise<void> {
    this.#sums[name] = hash('sha256', content, 'hex');
    await segment.add(name, content, options);
  }

  async *#measured(sum: MemberSum, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of content) {
      sum.update(chunk);
      yield chunk;
    }
    sum.end();
  }
}

const streamOf = (content: Pieces): Readable =>
  content instanceof Readable ? content : Readable.from(content);

/** What holds no block. */
const bytesOf = (content: Pieces): Readable =>
  content instanceof Readable ? content : Readable.from(content, { objectMode: false });
