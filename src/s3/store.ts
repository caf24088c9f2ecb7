import { createHash, type Hash } from 'node:crypto';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { RangeReader } from '../archive/ranges.ts';
import { ContentError, messageOf, UserError } from '../util/errors.ts';
import { parseJson } from '../util/json.ts';
import { assertListing, assertObject } from './assert-s3.ts';
import { type Connection, type Job, s3Client } from './client.ts';
import { type S3Request, s3Error } from './errors.ts';
import { lockFields, type ObjectLock } from './object-lock.ts';
import { pagesOf } from './pages.ts';
import { type ByteRange, readObject } from './read-object.ts';
import { isNotFound, isPreconditionFailed, isRepeated } from './sdk-errors.ts';

/** In bytes. The receipt of an archive of 5 TiB takes 2 MB, the rows of 10,000 tables another 600 kB. */
const LARGEST_RECEIPT = 4 * 1024 ** 2;

/** For people to read, unless it is large. */
function encodeJson(value: unknown): Buffer {
  const text = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  return text.length > LARGEST_RECEIPT ? Buffer.from(`${JSON.stringify(value)}\n`) : text;
}

export interface StoreOptions extends Connection {
  readonly bucket: string;
  /** Prefix of every key: empty, or ending in a slash. */
  readonly prefix: string;
  /** For archives only: a receipt has to be readable at once. */
  readonly storageClass?: string;
  /** Object lock of archives and receipts. Default: that of the bucket. */
  readonly lock?: ObjectLock;
  /** Encryption of new objects. Default: that of the bucket. */
  readonly encryption?: { readonly kind: 'AES256' } | { readonly kind: 'aws:kms'; readonly keyId?: string };
}

/** An object as a listing shows it. */
export interface StoredObject {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  readonly modified: Date;
}

export interface ObjectHead {
  /** In bytes. */
  readonly size: number;
  /** Without its quotes. */
  readonly etag: string | undefined;
  readonly modified: Date | undefined;
  readonly storageClass: string | undefined;
  readonly encryption: string | undefined;
  /** An ARN, or an ID. */
  readonly kmsKeyId: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One bucket. Every method throws a UserError that says which permission, key or setting is at fault. */
export class Store implements Disposable {
  readonly client: S3Client;
  readonly options: StoreOptions;

  /** Options of requests that change nothing: they end with the signal. What writes or removes is never interrupted. */
  readonly reading: { readonly abortSignal?: AbortSignal };

  /**
   * @param signal ends requests under way that change nothing, and all waits for a server that is down
   * @param job assumes the role, and is told when the server is down
   */
  constructor(options: StoreOptions, signal?: AbortSignal, job?: Job) {
    this.options = options;
    this.reading = { abortSignal: signal };
    this.client = s3Client(options, job, signal);
  }

  [Symbol.dispose](): void {
    this.client.destroy();
  }

  /** `s3://bucket/key`, for people. */
  uri(key: string): string {
    return `s3://${this.options.bucket}/${key}`;
  }

  /** Makes sure that the bucket is there and may be listed under `prefix`. */
  async check(prefix: string): Promise<void> {
    await this.#listing({ Prefix: prefix, MaxKeys: 1 });
  }

  /** Returns undefined when there is no such object. */
  async head(key: string): Promise<ObjectHead | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.options.bucket, Key: key });
    try {
      const head = await this.client.send(command, this.reading);
      assertObject(head, this.options.endpoint);
      return {
        size: head.ContentLength ?? 0,
        etag: head.ETag?.replaceAll('"', ''),
        modified: head.LastModified,
        storageClass: head.StorageClass,
        encryption: head.ServerSideEncryption,
        kmsKeyId: head.SSEKMSKeyId,
        metadata: head.Metadata ?? {},
      };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw this.error(error, { action: 's3:GetObject', key });
    }
  }

  /**
   * Reads `length` bytes from `offset` on.
   *
   * @param etag of the object that is meant; default: the one that is there
   * @throws UserError when the object ends before, or is another one
   */
  async read(key: string, offset: number, length: number, etag?: string): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    const { bytes } = await readObject(this, key, { range: { offset, length }, etag });
    if (bytes.length === length) return bytes;
    throw this.#tooShort(key, { offset, length }, bytes.length);
  }

  /** Hashes `length` bytes from `offset` on as they come: many take no more memory than few. @throws as `read` */
  async hash(key: string, offset: number, length: number, hash: Hash): Promise<void> {
    if (length === 0) return;
    const read = await readObject(this, key, { range: { offset, length }, hash });
    if (read.length !== length) throw this.#tooShort(key, { offset, length }, read.length);
  }

  #tooShort(key: string, { offset, length }: ByteRange, came: number): UserError {
    return new UserError(
      `${this.uri(key)} gave ${came} bytes where ${length} were asked for, from byte ${offset}`,
      'The object is shorter than its receipt says, or the server does not serve ranges.',
    );
  }

  /** All reads are of the object that is there now. @throws UserError when there is none */
  async range(key: string): Promise<RangeReader> {
    const head = await this.#existing(key);
    return {
      size: head.size,
      signal: this.reading.abortSignal,
      read: (offset, length) => this.read(key, offset, length, head.etag),
    };
  }

  async #existing(key: string): Promise<ObjectHead> {
    const head = await this.head(key);
    if (!head) throw this.error({ name: 'NoSuchKey' }, { action: 's3:GetObject', key });
    return head;
  }

  /** @throws UserError when there is no such object, or it is not JSON */
  async getJson(key: string): Promise<unknown> {
    return (await this.getTaggedJson(key)).value;
  }

  /** Reads JSON with its ETag, for `putJson`. @throws UserError when there is no such object, or it is not JSON */
  async getTaggedJson(key: string): Promise<{ readonly value: unknown; readonly etag: string | undefined }> {
    const { bytes, etag } = await readObject(this, key, { mostBytes: LARGEST_RECEIPT });
    return { value: this.#parsed(key, bytes), etag };
  }

  #parsed(key: string, bytes: Buffer): unknown {
    try {
      return parseJson(bytes);
    } catch (cause) {
      const why = cause instanceof SyntaxError ? '' : `: ${messageOf(cause)}`;
      throw new ContentError(`${this.uri(key)} is not JSON${why}`, 'Another program has written this key.', {
        cause,
      });
    }
  }

  /**
   * @param replaces the ETag of the object that it replaces; default: any object
   * @throws UserError when another one is there, where the server looks
   */
  async putJson(key: string, value: unknown, replaces?: string): Promise<void> {
    const body = encodeJson(value);
    if (body.length > LARGEST_RECEIPT) {
      throw new UserError(
        `${this.uri(key)} would be larger than ${LARGEST_RECEIPT / 1024 ** 2} MiB: nothing would read it`,
        'Let count-tables name fewer tables: their rows are what can make a receipt so large.',
      );
    }
    const params = {
      ...this.encryption(),
      ...lockFields(this.options.lock),
      Bucket: this.options.bucket,
      Key: key,
      Body: body,
      ContentType: 'application/json',
      ContentMD5: createHash('md5').update(body).digest('base64'),
    };
    const put = (IfMatch?: string) => this.client.send(new PutObjectCommand({ ...params, IfMatch }));
    await this.attempt({ action: 's3:PutObject', key }, async () => {
      if (!replaces) return put();
      try {
        return await put(`"${replaces}"`);
      } catch (error) {
        // An answer got lost and the SDK asked again: what is there now is not what it was to replace, but itself.
        if (isPreconditionFailed(error) && isRepeated(error) && (await this.#holds(key, body)))
          return undefined;
        // Ceph 16 and 18 take the quotes for a part of the ETag: nothing ever matches.
        const unchanged = isPreconditionFailed(error) && (await this.head(key))?.etag === replaces;
        if (!unchanged) throw error;
        return put(replaces);
      }
    });
  }

  /** Whether the object is there and has these bytes. */
  async #holds(key: string, body: Buffer): Promise<boolean> {
    const there = await readObject(this, key, { mostBytes: LARGEST_RECEIPT }).catch(() => undefined);
    return there?.bytes.equals(body) ?? false;
  }

  /** Writes a file for people, which no lock keeps from being written anew. */
  async putFile(key: string, content: string | Buffer, contentType: string): Promise<void> {
    const body = typeof content === 'string' ? Buffer.from(content) : content;
    const params = {
      ...this.encryption(),
      Bucket: this.options.bucket,
      Key: key,
      Body: body,
      ContentType: contentType,
      ContentMD5: createHash('md5').update(body).digest('base64'),
    };
    await this.attempt({ action: 's3:PutObject', key }, () => this.client.send(new PutObjectCommand(params)));
  }

  /**
   * All objects whose key starts with `prefix`, in the order of their keys.
   *
   * @throws UserError when the list is not whole
   */
  list(prefix: string): AsyncGenerator<StoredObject> {
    const page = async (from: readonly (string | undefined)[] | undefined) => {
      const answer = await this.#listing({ Prefix: prefix, ContinuationToken: from?.[0] });
      const { Contents = [], IsTruncated: truncated, NextContinuationToken } = answer;
      const items = Contents.flatMap(({ Key, Size = 0, LastModified = new Date(0) }) =>
        // The prefix is compared again: a server that ignores it would show the backups of others.
        Key?.startsWith(prefix) ? { key: Key, size: Size, modified: LastModified } : [],
      );
      return { items, truncated, next: [NextContinuationToken] };
    };
    return pagesOf(`objects in the bucket ${this.options.bucket}`, page, ({ key }) => key);
  }

  #listing(input: Omit<ListObjectsV2CommandInput, 'Bucket'>): Promise<ListObjectsV2CommandOutput> {
    const { bucket, endpoint } = this.options;
    return this.attempt({ action: 's3:ListBucket' }, async () => {
      const command = new ListObjectsV2Command({ Bucket: bucket, ...input });
      const answer = await this.client.send(command, this.reading);
      assertListing(answer, endpoint);
      return answer;
    });
  }

  /** Deletes an object. One that is not there is no error. */
  async delete(key: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.options.bucket, Key: key });
    await this.attempt({ action: 's3:DeleteObject', key }, () => this.client.send(command));
  }

  /** The encryption that new objects ask for, as fields of a request. */
  encryption() {
    const { encryption } = this.options;
    if (!encryption) return {};
    if (encryption.kind === 'AES256') return { ServerSideEncryption: 'AES256' } as const;
    return { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: encryption.keyId } as const;
  }

  /** Runs a request; what it throws becomes a UserError. */
  async attempt<T>(request: S3Request, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw this.error(error, request);
    }
  }

  error(error: unknown, request: S3Request): UserError {
    const { bucket, endpoint, lock } = this.options;
    return s3Error(error, { ...request, bucket, endpoint, locks: lock !== undefined });
  }
}
