import type { Readable } from 'node:stream';
import { Upload } from '@aws-sdk/lib-storage';
import type { CopiedUnit } from '../archive/reuse.ts';
import { UserError } from '../util/errors.ts';
import { lockFields } from './object-lock.ts';
import { planParts } from './part-size.ts';
import { type PartProof, PartUploader } from './part-uploader.ts';
import { type CopiedFront, type CopyProof, ServerCopy } from './server-copy.ts';
import type { Store } from './store.ts';

export interface UploadOptions {
  /** A guess at the final size, in bytes: it decides how large the parts are. */
  readonly expectedBytes: number;
  readonly contentType: string;
  /** Any text: what a header cannot carry is percent-encoded. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Ends the upload with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Bytes that the server has taken so far. */
  readonly onPart?: (bytes: number) => void;
  /** A failed upload could not be cleaned up: what is left behind, and why. */
  readonly onLeftBehind?: (error: UserError) => void;
  /** What the server itself copies before the body. */
  readonly front?: CopiedFront | undefined;
}

export interface Uploaded {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** Bytes of it that were sent. */
  readonly sent: number;
  readonly parts: number;
  /** In bytes. */
  readonly partSize: number;
  readonly proof: PartProof;
  /** What the server copied. */
  readonly copied?: Copied;
}

export interface Copied {
  /** Key of the object that was copied from. */
  readonly from: string;
  readonly bytes: number;
  readonly proof: CopyProof;
  /** What has to be read back. */
  readonly unproven: readonly CopiedUnit[];
}

/**
 * Streams `body` into a new object and proves that the server holds its bytes, part by part. Owns the body:
 * destroys it, with the reason, when the upload fails. What fails for good leaves neither object nor parts behind.
 *
 * @throws CopyError when the front is what failed, the body's own error, the signal's reason, or a UserError about S3.
 * An existing object is never replaced.
 */
export async function upload(
  store: Store,
  key: string,
  body: Readable,
  options: UploadOptions,
): Promise<Uploaded> {
  const stop = new AbortController();
  // The first failure is the one to tell: it stops the requests under way and the body, which then fail as well.
  const fail = (error: unknown) => {
    if (stop.signal.aborted) return;
    stop.abort(error);
    body.destroy(error instanceof Error ? error : new Error(String(error)));
  };
  const cancel = () => fail(options.signal?.reason);
  body.on('error', fail);
  options.signal?.addEventListener('abort', cancel);
  let sender: PartUploader | undefined;
  try {
    if (options.signal?.aborted) cancel();
    stop.signal.throwIfAborted();
    await refuseExisting(store, key);
    const params = objectParams(store, key, options);
    const assembly = options.front && new ServerCopy(store, options.front, params, stop.signal);
    assembly?.parts.catch(fail);
    const plan = planParts(options.expectedBytes, assembly?.count);
    sender = new PartUploader(store, { ...options, key, assembly, stop: stop.signal, onFailure: fail });
    const client = sender.client();
    await new Upload({ ...plan, client, params: { ...params, Body: body, IfNoneMatch: '*' } }).done();
    stop.signal.throwIfAborted(); // nothing interrupts the request that makes the object
    const { bytes: sent, parts, proof } = sender;
    const made = { key, size: sent, sent, parts, partSize: plan.partSize, proof };
    return assembly ? { ...made, ...withFront(assembly, made) } : made;
  } catch (error) {
    fail(error);
    await sender?.undo();
    throw stop.signal.reason;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
}

function withFront(assembly: ServerCopy, { sent, parts }: Uploaded) {
  const { front, bytes, proof, unproven } = assembly;
  const copied = { from: front.key, bytes, proof, unproven };
  return { size: sent + bytes, parts: parts + assembly.count, copied };
}

async function refuseExisting(store: Store, key: string): Promise<void> {
  if (!(await store.head(key))) return;
  throw new UserError(
    `${store.uri(key)} exists already`,
    'A backup is never overwritten. Two runs within one second share a key: let them run one after the other.',
  );
}

/** lib-storage hands all of these to each of its requests, and each takes what is its own. */
function objectParams(store: Store, key: string, options: UploadOptions) {
  const metadata = Object.entries(options.metadata ?? {}).map(([name, value]) => [name, headerSafe(value)]);
  return {
    ...store.encryption(),
    ...lockFields(store.options.lock),
    Bucket: store.options.bucket,
    Key: key,
    ContentType: options.contentType,
    Metadata: Object.fromEntries(metadata) as Record<string, string>,
    StorageClass: store.options.storageClass as 'STANDARD' | undefined,
  };
}

/** Percent-encodes what is not printable ASCII, and `%` itself: decodeURIComponent gives the text back. */
export function headerSafe(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x24\x26-\x7e]+|^ +| +$/g, encodeURIComponent);
}
