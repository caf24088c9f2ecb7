import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { messageOf, UserError } from '../util/errors.ts';
import { attemptsOf, errorName, isNotImplemented } from './sdk-errors.ts';
import { CopyError, etagOf, type ServerCopy } from './server-copy.ts';
import type { Store } from './store.ts';

/**
 * What says that the server holds the bytes that were sent. `md5`: the server reported the MD5 of every part.
 * `content-md5`: the server was given the MD5s to check, but reports none (SSE-KMS).
 */
export type PartProof = 'md5' | 'content-md5';

type WritingRequest =
  | CreateMultipartUploadCommand
  | UploadPartCommand
  | CompleteMultipartUploadCommand
  | PutObjectCommand;

/** The requests that lib-storage's Upload makes. */
type UploadRequest = WritingRequest | AbortMultipartUploadCommand;

export interface PartUploaderOptions {
  readonly key: string;
  /** What the object begins with: lib-storage's parts come behind it. */
  readonly assembly?: ServerCopy | undefined;
  /** Interrupts parts under way. Not what creates or removes: half of that would leave something behind. */
  readonly stop: AbortSignal;
  /** Told at once of a failure, while lib-storage still waits for the body's next bytes. */
  readonly onFailure: (error: unknown) => void;
  readonly onPart?: (bytes: number) => void;
  readonly onLeftBehind?: (error: UserError) => void;
}

/** Sends lib-storage's requests for one object, with the MD5 of all bytes, and compares what the server answers. */
export class PartUploader {
  /** Bytes that the server has taken. */
  bytes = 0;
  parts = 0;
  proof: PartProof = 'md5';
  #objectMade = false;
  readonly #store: Store;
  readonly #options: PartUploaderOptions;

  constructor(store: Store, options: PartUploaderOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** What lib-storage takes for its client: it uses these two and nothing else (Upload.js of 3.1169). */
  client(): S3Client {
    const send = (request: UploadRequest) => this.#send(request);
    return { config: this.#store.client.config, send } as unknown as S3Client;
  }

  /** Removes the object, or the parts, of an upload that failed after all. */
  async undo(): Promise<void> {
    const { key, assembly } = this.#options;
    if (this.#objectMade) await this.#cleanUp(() => this.#store.delete(key));
    else if (assembly) await this.#giveUp(assembly);
  }

  /**
   * lib-storage may never have heard of this upload. What is being copied would outlive its end: that is waited for.
   */
  async #giveUp(assembly: ServerCopy): Promise<void> {
    const [id] = await Promise.allSettled([assembly.uploadId, assembly.parts]);
    if (id.status === 'rejected') return;
    const { bucket } = this.#store.options;
    const ids = { Bucket: bucket, Key: this.#options.key, UploadId: id.value };
    await this.#abort(new AbortMultipartUploadCommand(ids));
  }

  async #send(request: UploadRequest): Promise<object> {
    if (request instanceof AbortMultipartUploadCommand) return this.#abort(request);
    try {
      const { key } = this.#options;
      return await this.#store.attempt({ action: 's3:PutObject', key }, () => this.#dispatch(request));
    } catch (error) {
      this.#options.onFailure(error);
      throw error;
    }
  }

  async #dispatch(request: WritingRequest): Promise<object> {
    this.#options.stop.throwIfAborted();
    const { client } = this.#store;
    const { assembly } = this.#options;
    if (request instanceof CreateMultipartUploadCommand) {
      return assembly ? { UploadId: await assembly.uploadId } : client.send(request);
    }
    if (request instanceof CompleteMultipartUploadCommand) {
      if (assembly) await putInFront(request, assembly);
      const size = this.bytes + (assembly?.bytes ?? 0);
      const made = this.#makeObject(request.input, size, () => client.send(request));
      return assembly ? made.catch((error) => this.#refused(error)) : made;
    }
    if (assembly && request instanceof PutObjectCommand) return this.#dispatchAsParts(request, assembly);
    if (assembly && request instanceof UploadPartCommand) {
      request.input.PartNumber = (request.input.PartNumber ?? 0) + assembly.count;
    }
    const body = request.input.Body as Uint8Array; // lib-storage cuts streams into these
    const md5 = createHash('md5').update(body).digest();
    request.input.ContentMD5 = md5.toString('base64');
    const answer =
      request instanceof PutObjectCommand
        ? await this.#makeObject(request.input, body.length, () => client.send(request))
        : await client.send(request, { abortSignal: this.#options.stop });
    this.#compare(md5.toString('hex'), answer);
    this.bytes += body.length;
    this.parts += 1;
    this.#options.onPart?.(this.bytes);
    return answer;
  }

  /**
   * Some servers want all parts except the last to have one size, which copies have not: then the upload is made
   * without copies.
   */
  #refused(cause: unknown): never {
    if (!['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'].includes(errorName(cause) ?? '')) throw cause;
    const message = 'The S3 server makes no object of parts of different sizes, as copies are';
    const error = new CopyError(message, { unsupported: true, cause });
    this.#options.onFailure(error); // first: what wraps it comes later, and is not told
    throw error;
  }

  /** What would be an object of its own is the last part of one that begins with copies. */
  async #dispatchAsParts({ input }: PutObjectCommand, assembly: ServerCopy): Promise<object> {
    const { Body, IfNoneMatch, ...params } = input;
    const ids = { ...params, UploadId: await assembly.uploadId };
    const part = new UploadPartCommand({ ...ids, Body, PartNumber: 1 });
    const { ETag } = (await this.#dispatch(part)) as { ETag?: string };
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    return this.#dispatch(new CompleteMultipartUploadCommand({ ...ids, IfNoneMatch, MultipartUpload }));
  }

  /** The request after which the object is there. Servers that do not know If-None-Match get it without. */
  async #makeObject<T extends { ETag?: string }>(
    input: { IfNoneMatch?: string },
    size: number,
    send: () => Promise<T>,
  ): Promise<T | { ETag?: string; ServerSideEncryption?: string }> {
    try {
      const answer = await send();
      this.#objectMade = true;
      return answer;
    } catch (error) {
      if (isNotImplemented(error) && input.IfNoneMatch) {
        input.IfNoneMatch = undefined;
        return this.#makeObject(input, size, send);
      }
      // An answer got lost and the SDK asked again: then the object is there, and refuses to be made twice.
      const made =
        attemptsOf(error) > 1 ? await this.#store.head(this.#options.key).catch(() => undefined) : undefined;
      if (made?.size !== size) throw error;
      this.#objectMade = true;
      return { ETag: made.etag, ServerSideEncryption: made.encryption };
    }
  }

  /** Under SSE-KMS an ETag is no MD5: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html */
  #compare(md5: string, answer: { ETag?: string; ServerSideEncryption?: string }): void {
    const etag = etagOf(answer.ETag);
    if (etag === md5) return;
    if (answer.ServerSideEncryption?.startsWith('aws:kms')) {
      this.proof = 'content-md5';
      return;
    }
    throw new UserError(
      `The S3 server stored other bytes of ${this.#store.uri(this.#options.key)} than were sent: MD5 ${etag ?? 'unknown'} instead of ${md5}`,
      'Nothing was kept. Run the backup again; if it fails the same way, the server or a proxy before it is broken.',
    );
  }

  /** Never fails: what made the upload fail is the error to tell. */
  async #abort(request: AbortMultipartUploadCommand): Promise<object> {
    const { key } = this.#options;
    await this.#cleanUp(async () => {
      try {
        await this.#store.client.send(request);
      } catch (error) {
        if (errorName(error) === 'NoSuchUpload') return;
        throw this.#store.error(error, { action: 's3:AbortMultipartUpload', key });
      }
    });
    return {};
  }

  async #cleanUp(remove: () => Promise<void>): Promise<void> {
    try {
      await remove();
    } catch (cause) {
      const left = new UserError(
        `The failed upload of ${this.#store.uri(this.#options.key)} could not be removed: ${messageOf(cause)}`,
        'It has no receipt, so nothing takes it for a backup; but it costs money until it is deleted.',
        { cause },
      );
      this.#options.onLeftBehind?.(left);
    }
  }
}

/** lib-storage counts its own parts from 1. @throws CopyError */
async function putInFront({ input }: CompleteMultipartUploadCommand, assembly: ServerCopy): Promise<void> {
  const sent = input.MultipartUpload?.Parts ?? [];
  const behind = sent.map((part) => ({ ...part, PartNumber: (part.PartNumber ?? 0) + assembly.count }));
  input.MultipartUpload = { Parts: [...(await assembly.parts), ...behind] };
}
