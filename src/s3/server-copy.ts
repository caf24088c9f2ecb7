import { type CompletedPart, UploadPartCopyCommand } from '@aws-sdk/client-s3';
import type { CopiedUnit } from '../archive/reuse.ts';
import type { Unit } from '../archive/segment.ts';
import { messageOf } from '../util/errors.ts';
import { inParallel } from '../util/in-parallel.ts';
import { beginUpload, type ObjectParams } from './begin-upload.ts';
import { isNotImplemented, isRepeated } from './sdk-errors.ts';
import type { Store } from './store.ts';

/** Requests under way. The server does the work: on Ceph and Amazon more of them are no faster. */
const WIDTH = 8;

/** What a new object begins with: ranges of another one in the same bucket. */
export interface CopiedFront {
  readonly key: string;
  /** ETag of the object that the ranges are from: a newer object under the same key is not meant. */
  readonly etag: string | undefined;
  readonly copies: readonly CopiedUnit[];
}

/**
 * What says that a copied range holds the bytes that were recorded. `etag`: the server gave its MD5. `checksum`: the
 * server computed its CRC-32. `read-back`: it was read from the new object.
 */
export type CopyProof = 'etag' | 'checksum' | 'read-back';

/**
 * The object could not be made of parts as long as what there is to copy, or of segments sent beside each other. Sent as
 * a whole, one byte after the other, it may well succeed.
 */
export class CopyError extends Error {
  /** The server does nothing of that kind at all. */
  readonly unsupported: boolean;

  constructor(message: string, options: { unsupported?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'CopyError';
    this.unsupported = options.unsupported ?? false;
  }
}

/**
 * Ceph reads an object wrongly whose first part it was given twice, as after an answer that was lost, and whose numbers of
 * parts have gaps: each part behind a gap is gone (404), though its size and all ETags are right.
 */
export function firstPartRepeated(): CopyError {
  return new CopyError('The first part had to be sent more than once, which some S3 servers do not get over');
}

/** A multipart upload whose first parts the server copies itself, while those behind them are sent. */
export class ServerCopy {
  /** The copied parts, in their order. Rejects with a CopyError. */
  readonly parts: Promise<CompletedPart[]>;
  readonly uploadId: Promise<string>;
  /** Ranges of the new object that no answer has proven. Known when `parts` is. */
  readonly unproven: CopiedUnit[] = [];
  readonly front: CopiedFront;
  readonly #store: Store;
  readonly #key: string;
  readonly #stop: AbortSignal;
  readonly #hasGaps: boolean;
  #proof: CopyProof = 'etag';

  /**
   * Begins at once.
   *
   * @param params of the new object
   * @param stop interrupts what is under way
   * @param hasGaps whether numbers are left out behind the copies
   */
  constructor(
    store: Store,
    front: CopiedFront,
    params: ObjectParams,
    { stop, hasGaps }: { readonly stop: AbortSignal; readonly hasGaps: boolean },
  ) {
    this.#hasGaps = hasGaps;
    this.#store = store;
    this.front = front;
    this.#key = params.Key;
    this.#stop = stop;
    this.uploadId = beginUpload(store, params);
    this.parts = this.uploadId.then((id) => this.#copyAll(id));
    for (const promise of [this.uploadId, this.parts]) promise.catch(() => {}); // the callers that wait for them get the error
  }

  get count(): number {
    return this.front.copies.length;
  }

  get bytes(): number {
    return this.front.copies.reduce((sum, { unit }) => sum + unit.length, 0);
  }

  get proof(): CopyProof {
    return this.unproven.length > 0 ? 'read-back' : this.#proof;
  }

  #copyAll(uploadId: string): Promise<CompletedPart[]> {
    const numbered = this.front.copies.map((copy, index) => ({ copy, number: index + 1 }));
    return inParallel(numbered, WIDTH, ({ copy, number }) => this.#copy(uploadId, copy, number));
  }

  async #copy(uploadId: string, copy: CopiedUnit, number: number): Promise<CompletedPart> {
    this.#stop.throwIfAborted();
    const { unit } = copy;
    const { bucket } = this.#store.options;
    const command = new UploadPartCopyCommand({
      Bucket: bucket,
      Key: this.#key,
      UploadId: uploadId,
      PartNumber: number,
      CopySource: `${bucket}/${this.front.key.split('/').map(encodeURIComponent).join('/')}`,
      CopySourceRange: `bytes=${unit.offset}-${unit.offset + unit.length - 1}`,
      CopySourceIfMatch: this.front.etag && `"${this.front.etag}"`,
    });
    try {
      const answer = await this.#store.client.send(command, { abortSignal: this.#stop });
      if (this.#hasGaps && number === 1 && isRepeated(answer)) throw firstPartRepeated();
      const { CopyPartResult: result } = answer;
      if (result?.ETag === undefined) throw new CopyError('The S3 server did not say what it has copied');
      if (etagOf(result.ETag) !== unit.md5) {
        if (result.ChecksumCRC32 === base64Of(unit)) this.#proof = 'checksum';
        else this.unproven.push(copy);
      }
      return { PartNumber: number, ETag: result.ETag };
    } catch (error) {
      this.#stop.throwIfAborted();
      if (error instanceof CopyError) throw error;
      throw this.#failed(error);
    }
  }

  #failed(cause: unknown): CopyError {
    const unsupported = isNotImplemented(cause);
    const { key } = this.front;
    const error = this.#store.error(cause, { action: 's3:GetObject', key });
    const message = unsupported
      ? 'The S3 server cannot copy parts of an object (UploadPartCopy)'
      : `What ${this.#store.uri(key)} holds could not be copied: ${messageOf(error)}`;
    return new CopyError(message, { unsupported, cause });
  }
}

export const etagOf = (etag: string | undefined): string | undefined =>
  etag?.replaceAll('"', '').toLowerCase();

/** A CRC-32 as S3 writes it: 4 bytes, the highest first. */
function base64Of({ crc32 }: Unit): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32);
  return bytes.toString('base64');
}
