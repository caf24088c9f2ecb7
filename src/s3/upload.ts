import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { CopiedUnit } from '../archive/reuse.ts';
import { allEnded } from '../util/begun.ts';
import { UserError } from '../util/errors.ts';
import type { ObjectParams } from './begin-upload.ts';
import { lockFields } from './object-lock.ts';
import { PartBudget } from './part-budget.ts';
import { PartBuffers } from './part-buffers.ts';
import { type LaneSize, type PartKind, type PartPlan, planParts } from './part-plan.ts';
import { type PartProof, PartUploader } from './part-uploader.ts';
import { sendAlone } from './send-alone.ts';
import { sendLane } from './send-lane.ts';
import { type CopiedFront, type CopyProof, ServerCopy } from './server-copy.ts';
import type { Store } from './store.ts';

/** A run of the new object's bytes that is sent beside the others. Its size decides how large the parts are. */
export interface Lane extends LaneSize {
  readonly body: Readable;
}

export interface UploadOptions {
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
  /** How many uploads share the memory for parts. Default: 1. */
  readonly sharing?: number | undefined;
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
 * Streams the lanes, all at the same time, into a new object, where they follow one another in their order, and proves
 * that the server holds their bytes, part by part. Owns the bodies: destroys them, with the reason, when the upload
 * fails. What fails for good leaves neither object nor parts behind.
 *
 * @throws CopyError when it may well succeed without a front and with one lane, a body's own error, the signal's reason,
 * or a UserError about S3. An existing object is never replaced.
 */
export async function upload(
  store: Store,
  key: string,
  lanes: readonly Lane[],
  options: UploadOptions,
): Promise<Uploaded> {
  const stop = new AbortController();
  // The first failure is the one to tell: it stops the requests under way and the bodies, which then fail as well.
  const fail = (error: unknown) => {
    if (stop.signal.aborted) return;
    stop.abort(error);
    const reason = error instanceof Error ? error : new Error(String(error));
    for (const { body } of lanes) body.destroy(reason);
  };
  const cancel = () => fail(options.signal?.reason);
  for (const { body } of lanes) body.on('error', fail);
  options.signal?.addEventListener('abort', cancel);
  let uploader: PartUploader | undefined;
  try {
    if (options.signal?.aborted) cancel();
    stop.signal.throwIfAborted();
    // What is begun meanwhile is taken back where there is one; no object is made before that is known.
    const refusing = refuseExisting(store, key);
    refusing.catch(fail);
    const params = objectParams(store, key, options);
    const how = { stop: stop.signal, hasGaps: lanes.length > 1 };
    const assembly = options.front && new ServerCopy(store, options.front, params, how);
    assembly?.parts.catch(fail);
    const plan = planParts(lanes, assembly?.count, options.sharing);
    const unequal = assembly !== undefined || lanes.length > 1;
    uploader = new PartUploader(store, { ...options, ...how, params, assembly, unequal });
    const { config } = store.client;
    await sendLanes(lanes, plan, { uploader, refusing, config, stop: stop.signal, fail });
    await refusing;
    await uploader.complete();
    stop.signal.throwIfAborted(); // nothing interrupts the request that makes the object
    const { bytes: sent, parts, proof } = uploader;
    const made = { key, size: sent, sent, parts, partSize: plan.early.partSize, proof };
    return assembly ? { ...made, ...withFront(assembly, made) } : made;
  } catch (error) {
    fail(error);
    await uploader?.undo();
    throw stop.signal.reason;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
}

/** Resolves when the server has taken all of them; rejects when nothing is under way any more. */
async function sendLanes(
  lanes: readonly Lane[],
  { early, late, ranges }: PartPlan,
  {
    uploader,
    refusing,
    config,
    stop,
    fail,
  }: {
    readonly uploader: PartUploader;
    /** Rejects where the object exists already. */
    readonly refusing: Promise<void>;
    readonly config: S3Client['config'];
    readonly stop: AbortSignal;
    readonly fail: (error: unknown) => void;
  },
): Promise<void> {
  const budgeted = (kind: PartKind) => ({ ...kind, budget: new PartBudget(kind.atOnce, stop) });
  const parts = { early: budgeted(early), late: budgeted(late), buffers: new PartBuffers(), stop };
  const sent: Promise<void>[] = [];
  let before: Promise<Buffer> | undefined;
  for (const [i, { body }] of lanes.entries()) {
    const range = ranges[i] ?? { first: 1, count: 0, early: 0 };
    const rest = Promise.withResolvers<Buffer>();
    rest.promise.catch(() => {}); // thrown by the lane that waits for it
    stop.addEventListener('abort', () => rest.reject(stop.reason), { once: true });
    const sink = {
      begin: () => uploader.begin(),
      get begun() {
        return uploader.begun;
      },
      put: async (bytes: Buffer) => {
        await refusing;
        await uploader.put(bytes);
      },
      part: async (number: number, bytes: Buffer) => {
        try {
          if (number >= range.count) throw tooMany(range.count);
          await uploader.part(range.first + number, bytes);
        } catch (error) {
          fail(error); // at once, while the lanes still wait for their bodies' next bytes
          throw error;
        }
      },
    };
    const ends = { before, after: i < lanes.length - 1 ? rest.resolve : undefined };
    const earlyParts = range.early < range.count ? range.early : Number.POSITIVE_INFINITY;
    const cut = { ...parts, earlyParts };
    const lane = lanes.length > 1 ? sendLane(body, ends, sink, cut) : sendAlone(body, sink, cut, config);
    lane.catch(fail);
    sent.push(lane);
    before = rest.promise;
  }
  await allEnded(...sent);
}

function tooMany(parts: number): UserError {
  return new UserError(
    `A part of the backup has more than the ${parts} parts of its upload that were set aside for it`,
    'It is far larger than the tables and files that it is made of. Where compression is 0, leave that out.',
  );
}

/** One lane instead of several: the bytes of each come after those of the one before. */
export function oneAfterAnother(lanes: readonly Lane[]): Lane {
  const bytes = async function* () {
    for (const { body } of lanes) yield* body;
  };
  const body = Readable.from(bytes(), { objectMode: false });
  // The others are destroyed with it, and it with the first of them: them first, for it waits for the one that it reads.
  const end = body._destroy;
  body._destroy = (error, done) => {
    for (const lane of lanes) lane.body.destroy(error ?? undefined);
    end.call(body, error, done);
  };
  for (const lane of lanes) lane.body.on('error', (error) => body.destroy(error));
  return { body, mostBytes: lanes.reduce((sum, { mostBytes }) => sum + mostBytes, 0) };
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
    'A backup is never overwritten. Two runs within one second share a key: run them one after the other.',
  );
}

function objectParams(store: Store, key: string, options: UploadOptions): ObjectParams {
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
