import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { ContentError, UserError } from '../util/errors.ts';
import { assertObject } from './assert-s3.ts';
import type { S3Request } from './errors.ts';
import { isPreconditionFailed } from './sdk-errors.ts';

/** The bucket that objects are read from. */
export interface ReadableBucket {
  readonly client: S3Client;
  readonly options: { readonly bucket: string; readonly endpoint?: string };
  /** Options of every request. */
  readonly reading: { readonly abortSignal?: AbortSignal };
  uri(key: string): string;
  error(error: unknown, request: S3Request): UserError;
}

/** A run of an object's bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Waits, in milliseconds, before the rest of a body that broke off is asked for: as often as there are waits. */
const RESUME_MS = [100, 400, 1600, 6400];

/** What is read of an object. */
export interface Reading {
  /** Default: all of it. */
  readonly range?: ByteRange;
  /** ETag of the object that is meant. Default: the one that is there at first. */
  readonly etag?: string;
  /** No more are read, whatever the server says. */
  readonly mostBytes?: number;
  /** Is given the bytes of the range as they come, which are not kept. */
  readonly hash?: Hash;
}

/** Bytes of one object. */
export interface ReadBytes {
  readonly bytes: Buffer;
  /** How many came, also where they were only hashed. */
  readonly length: number;
  /** The ETag of the object that they come from, without its quotes; undefined: the server sends no ETag. */
  readonly etag: string | undefined;
}

/**
 * Reads an object, or a run of it. A body that breaks off is continued from the byte that was reached; the SDK itself
 * repeats only requests that were not answered. A whole object that is replaced meanwhile is read from its start.
 *
 * @returns fewer bytes where the object ends before
 * @throws ContentError when there are more than `mostBytes`
 * @throws UserError about S3, also when the object of a range or of an ETag is replaced; the signal's reason of
 *   `bucket.reading`
 */
export async function readObject(bucket: ReadableBucket, key: string, reading: Reading): Promise<ReadBytes> {
  const body = new Body(bucket, key, reading);
  for (const wait of RESUME_MS) {
    if (await body.read()) return body;
    await sleep(wait, undefined, { signal: bucket.reading.abortSignal }).catch(() => {});
  }
  if (await body.read()) return body;
  throw bucket.error(body.broken, { action: 's3:GetObject', key });
}

/** The error for an object that is too large for a receipt, whatever its name. */
function tooLarge(uri: string, mostBytes: number): ContentError {
  return new ContentError(
    `${uri} is larger than ${mostBytes / 1024 ** 2} MiB, which no receipt is`,
    'Another program has written this key. Remove it, or choose another backup.',
  );
}

/** What has arrived of an object so far. */
class Body implements ReadBytes {
  /** Why the last attempt broke off. */
  broken: unknown;
  #chunks: Buffer[] = [];
  /** The bytes of a range, as far as they have come. Chunks that are held until the end are slow garbage. */
  #whole: Buffer | undefined;
  #length = 0;
  #etag: string | undefined;
  readonly #bucket: ReadableBucket;
  readonly #key: string;
  readonly #range: ByteRange | undefined;
  readonly #mostBytes: number;
  readonly #hash: Hash | undefined;
  /** Whether the whole of any object will do. */
  readonly #isWhole: boolean;

  constructor(
    bucket: ReadableBucket,
    key: string,
    { range, etag, mostBytes = Number.POSITIVE_INFINITY, hash }: Reading,
  ) {
    this.#mostBytes = mostBytes;
    this.#hash = hash;
    this.#bucket = bucket;
    this.#key = key;
    this.#range = range;
    this.#etag = etag && `"${etag}"`;
    this.#isWhole = range === undefined && etag === undefined;
  }

  get etag(): string | undefined {
    return this.#etag?.replaceAll('"', '');
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    if (this.#whole) return this.#whole.subarray(0, this.#length);
    const [only] = this.#chunks;
    return only && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
  }

  /** Returns whether it came to its end; if not, it may be continued. */
  async read(): Promise<boolean> {
    const chunks = await this.#ask();
    try {
      for await (const chunk of chunks) {
        const length = this.#length + chunk.length;
        if (this.#range && length > this.#range.length) throw this.#tooLong();
        if (length > this.#mostBytes) throw tooLarge(this.#bucket.uri(this.#key), this.#mostBytes);
        this.#take(chunk);
      }
      return true;
    } catch (error) {
      this.#bucket.reading.abortSignal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      this.broken = error;
      return this.#length === this.#range?.length;
    }
  }

  #take(chunk: Buffer): void {
    if (this.#hash) {
      this.#hash.update(chunk);
    } else if (this.#range) {
      this.#whole ??= Buffer.allocUnsafeSlow(this.#range.length);
      chunk.copy(this.#whole, this.#length);
    } else {
      this.#chunks.push(chunk);
    }
    this.#length += chunk.length;
  }

  async #ask(): Promise<AsyncIterable<Buffer>> {
    const command = new GetObjectCommand({
      Bucket: this.#bucket.options.bucket,
      Key: this.#key,
      Range: this.#missing(),
      IfMatch: this.#etag,
    });
    try {
      const answer = await this.#bucket.client.send(command, this.#bucket.reading);
      assertObject(answer, this.#bucket.options.endpoint);
      const { Body, ETag, ContentRange, ContentLength = 0 } = answer;
      if (this.#length + ContentLength > this.#mostBytes) {
        (Body as Readable | undefined)?.destroy();
        throw tooLarge(this.#bucket.uri(this.#key), this.#mostBytes);
      }
      // Servers that do not know If-Match, or Range, send what is there, all of it.
      if (this.#etag !== undefined && ETag !== undefined && ETag !== this.#etag) {
        (Body as Readable | undefined)?.destroy();
        return await this.#askAgain();
      }
      const from = /^bytes (\d+)-/.exec(ContentRange ?? '')?.[1];
      if (from === undefined ? this.#length > 0 : Number(from) !== this.#next) {
        (Body as Readable | undefined)?.destroy();
        throw from === undefined ? this.#tooLong() : this.#elsewhere();
      }
      this.#etag ??= ETag;
      return (Body ?? []) as AsyncIterable<Buffer>;
    } catch (error) {
      this.#bucket.reading.abortSignal?.throwIfAborted();
      if (isPreconditionFailed(error)) return await this.#askAgain(error);
      throw this.#bucket.error(error, { action: 's3:GetObject', key: this.#key });
    }
  }

  /** Another object is there now. */
  async #askAgain(cause?: unknown): Promise<AsyncIterable<Buffer>> {
    if (!this.#isWhole) throw this.#replaced(cause);
    this.#chunks = [];
    this.#length = 0;
    this.#etag = undefined;
    return this.#ask();
  }

  #missing(): string | undefined {
    if (this.#range) return `bytes=${this.#next}-${this.#range.offset + this.#range.length - 1}`;
    return this.#length === 0 ? undefined : `bytes=${this.#next}-`;
  }

  /** Offset of the first byte that is missing, in the object. */
  get #next(): number {
    return (this.#range?.offset ?? 0) + this.#length;
  }

  #elsewhere(): UserError {
    return new UserError(
      `${this.#bucket.uri(this.#key)} gave bytes from another place than were asked for, from byte ${this.#next} on`,
      'The server does not serve ranges, or a proxy before it mixes them up.',
    );
  }

  #replaced(cause?: unknown): UserError {
    return new UserError(
      `${this.#bucket.uri(this.#key)} was replaced while it was being read`,
      'Another program writes this key. Find out which, and run this again.',
      { cause },
    );
  }

  #tooLong(): UserError {
    return new UserError(
      `${this.#bucket.uri(this.#key)} gave more bytes than were asked for`,
      'The server does not serve ranges, or a proxy before it drops them.',
    );
  }
}
