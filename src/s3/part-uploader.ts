import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { messageOf, UserError } from '../util/errors.ts';
import { beginUpload, type ObjectParams } from './begin-upload.ts';
import { errorName, isNotImplemented, isRepeated } from './sdk-errors.ts';
import { CopyError, etagOf, firstPartRepeated, type ServerCopy } from './server-copy.ts';
import type { Store } from './store.ts';

/**
 * What says that the server holds the bytes that were sent. `md5`: the server reported the MD5 of every part.
 * `content-md5`: the server was given the MD5s to check, but reports none (SSE-KMS).
 */
export type PartProof = 'md5' | 'content-md5';

export interface PartUploaderOptions {
  readonly params: ObjectParams;
  /** What the object begins with: parts that the server copies itself. */
  readonly assembly?: ServerCopy | undefined;
  /** Whether parts before the last one may be of different sizes. */
  readonly unequal: boolean;
  /** Whether the parts leave out numbers. */
  readonly hasGaps: boolean;
  /** Interrupts parts under way. Not what creates or removes: half of that would leave something behind. */
  readonly stop: AbortSignal;
  readonly onPart?: ((bytes: number) => void) | undefined;
  readonly onLeftBehind?: ((error: UserError) => void) | undefined;
}

/** An answer to a request that has made an object, or a part of one. */
interface Taken {
  readonly ETag?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
}

/** How servers that want all parts but the last to be of one size refuse others. */
const REFUSALS = ['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'];

/** Sends one object, in parts or at once, with the MD5 of all bytes, and compares what the server answers. */
export class PartUploader {
  /** Bytes that the server has taken. */
  bytes = 0;
  parts = 0;
  proof: PartProof = 'md5';
  #objectMade = false;
  #uploadId: Promise<string> | undefined;
  readonly #sent: CompletedPart[] = [];
  /** Numbers of parts that were sent more than once. */
  readonly #repeated = new Set<number>();
  readonly #store: Store;
  readonly #options: PartUploaderOptions;

  constructor(store: Store, options: PartUploaderOptions) {
    this.#store = store;
    this.#options = options;
    this.#uploadId = options.assembly?.uploadId;
  }

  /** Whether the object is made of parts. */
  get begun(): boolean {
    return this.#uploadId !== undefined;
  }

  /** Begins the multipart upload, unless it has begun. */
  begin(): void {
    if (this.#uploadId) return;
    this.#uploadId = beginUpload(this.#store, this.#options.params);
    this.#uploadId.catch(() => {}); // the parts, which wait for it, throw it
  }

  /** @param number of the part in the object, from 1 */
  async part(number: number, bytes: Buffer): Promise<void> {
    const { params, stop, hasGaps } = this.#options;
    const UploadId = await this.#uploadId;
    const md5 = createHash('md5').update(bytes).digest();
    const answer = await this.#attempt(() => {
      const command = new UploadPartCommand({
        Bucket: params.Bucket,
        Key: params.Key,
        UploadId,
        PartNumber: number,
        Body: bytes,
        ContentMD5: md5.toString('base64'),
      });
      return this.#store.client.send(command, { abortSignal: stop });
    });
    this.#compare(md5.toString('hex'), answer);
    if (isRepeated(answer)) {
      if (hasGaps && number === 1) throw firstPartRepeated(); // at once, while little has been sent
      this.#repeated.add(number);
    }
    this.#sent.push({ PartNumber: number, ETag: answer.ETag });
    this.#count(bytes);
  }

  /** Makes the object of these bytes, in one request. */
  async put(bytes: Buffer): Promise<void> {
    const md5 = createHash('md5').update(bytes).digest();
    const { params } = this.#options;
    const answer = await this.#makeObject(bytes.length, (IfNoneMatch) => {
      const more = { Body: bytes, ContentMD5: md5.toString('base64'), IfNoneMatch };
      return this.#store.client.send(new PutObjectCommand({ ...params, ...more }));
    });
    this.#compare(md5.toString('hex'), answer);
    this.#count(bytes);
  }

  /** Makes the object of all parts that were copied and sent, if there are any. @throws CopyError */
  async complete(): Promise<void> {
    if (!this.#uploadId) return;
    const { params, assembly, hasGaps } = this.#options;
    const sent = this.#sent.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const ids = { Bucket: params.Bucket, Key: params.Key, UploadId: await this.#uploadId };
    const MultipartUpload = { Parts: [...((await assembly?.parts) ?? []), ...sent] };
    // A lane before that is too short for a part leaves the object to begin with another number.
    const first = MultipartUpload.Parts[0]?.PartNumber;
    if (hasGaps && first !== undefined && this.#repeated.has(first)) throw firstPartRepeated();
    const size = this.bytes + (assembly?.bytes ?? 0);
    try {
      await this.#makeObject(size, (IfNoneMatch) =>
        this.#store.client.send(new CompleteMultipartUploadCommand({ ...ids, IfNoneMatch, MultipartUpload })),
      );
    } catch (error) {
      const name = errorName((error as Error).cause) ?? '';
      if (!this.#options.unequal || !REFUSALS.includes(name)) throw error;
      const message = 'The S3 server does not accept parts of different sizes';
      throw new CopyError(message, { unsupported: true, cause: error });
    }
  }

  /**
   * Removes the object, or the parts, of an upload that failed after all. What is being copied would outlive its end:
   * that is waited for.
   */
  async undo(): Promise<void> {
    const { assembly, params } = this.#options;
    if (this.#objectMade) return this.#cleanUp(() => this.#store.delete(params.Key));
    const [id] = await Promise.allSettled([this.#uploadId, assembly?.parts]);
    if (id.status === 'rejected' || id.value === undefined) return;
    await this.#abort(id.value);
  }

  #attempt<T>(request: () => Promise<T>): Promise<T> {
    this.#options.stop.throwIfAborted();
    return this.#store.attempt({ action: 's3:PutObject', key: this.#options.params.Key }, request);
  }

  #count({ length }: Buffer): void {
    this.bytes += length;
    this.parts += 1;
    this.#options.onPart?.(this.bytes);
  }

  /** The request after which the object is there. Servers that do not know If-None-Match get it without. */
  #makeObject(size: number, send: (ifNoneMatch: '*' | undefined) => Promise<Taken>): Promise<Taken> {
    return this.#attempt(async () => {
      try {
        const answer = await send('*').catch((error) => {
          if (isNotImplemented(error)) return send(undefined);
          throw error;
        });
        this.#objectMade = true;
        return answer;
      } catch (error) {
        // An answer got lost and the SDK asked again: then the object is there, and refuses to be made twice.
        const { Key } = this.#options.params;
        const made = isRepeated(error) ? await this.#store.head(Key).catch(() => undefined) : undefined;
        if (made?.size !== size) throw error;
        this.#objectMade = true;
        return { ETag: made.etag, ServerSideEncryption: made.encryption };
      }
    });
  }

  /** Under SSE-KMS an ETag is no MD5: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html */
  #compare(md5: string, answer: Taken): void {
    const etag = etagOf(answer.ETag);
    if (etag === md5) return;
    if (answer.ServerSideEncryption?.startsWith('aws:kms')) {
      this.proof = 'content-md5';
      return;
    }
    throw new UserError(
      `The S3 server stored other bytes of ${this.#store.uri(this.#options.params.Key)} than were sent: MD5 ${etag ?? 'unknown'} instead of ${md5}`,
      'Nothing was kept. Run the backup again; if it fails the same way, the server or a proxy before it is broken.',
    );
  }

  /** Never fails: what made the upload fail is the error to tell. */
  async #abort(UploadId: string): Promise<void> {
    const { Bucket, Key } = this.#options.params;
    await this.#cleanUp(async () => {
      try {
        await this.#store.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      } catch (error) {
        if (errorName(error) === 'NoSuchUpload') return;
        throw this.#store.error(error, { action: 's3:AbortMultipartUpload', key: Key });
      }
    });
  }

  async #cleanUp(remove: () => Promise<void>): Promise<void> {
    try {
      await remove();
    } catch (cause) {
      const left = new UserError(
        `The failed upload of ${this.#store.uri(this.#options.params.Key)} could not be removed: ${messageOf(cause)}`,
        'It has no receipt, so it does not count as a backup; but it costs money until it is deleted.',
        { cause },
      );
      this.#options.onLeftBehind?.(left);
    }
  }
}
