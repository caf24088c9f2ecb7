import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  type CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { allEnded } from '../util/begun.ts';
import { LaneBytes } from './lane-bytes.ts';
import { type LaneBudget, type PartBudget, withinBudget } from './part-budget.ts';
import { type PartKind, SHORTEST_PART, USUAL_PART } from './part-plan.ts';

/** Where the parts of a lane go. */
export interface LaneSink {
  /** Told, before `put` could be called, that the object will have parts. */
  begin(): void;
  /** Sends a part, whose numbers count from 0 in each lane. Resolves when the server has taken it. */
  part(number: number, bytes: Buffer): Promise<void>;
  /** Makes the object of these bytes alone. Only where it has no parts. */
  put(bytes: Buffer): Promise<void>;
  /** Whether the object has parts already, or will have. */
  readonly begun: boolean;
}

export interface LaneEnds {
  /**
   * The bytes of the lanes before that are too few for a part. Known when those have been read to their end. Undefined:
   * there is no lane before.
   */
  readonly before: Promise<Buffer> | undefined;
  /** To be given the bytes that are too few for a part, for the lane behind; undefined where there is none. */
  readonly after: ((rest: Buffer) => void) | undefined;
}

/** Parts of one size, of which so many are sent at once, within the budget. */
export interface BudgetedParts extends PartKind {
  readonly budget: PartBudget;
}

/** How a lane is cut. */
export interface LaneParts {
  readonly early: BudgetedParts;
  /** Those behind. */
  readonly late: BudgetedParts;
  /** How many early ones there are at most: none, or two or more. */
  readonly earlyParts: number;
  readonly config: S3Client['config'];
}

/** The requests that lib-storage's Upload makes, except AbortMultipartUpload: there is no upload of its own to abort. */
type LaneRequest =
  | CreateMultipartUploadCommand
  | UploadPartCommand
  | CompleteMultipartUploadCommand
  | PutObjectCommand;

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Sends one lane of an object: lib-storage cuts it into parts and takes this for the S3 service. No part but the last
 * one of the object may be short. So a lane holds its first part back until the lanes before it have ended, and takes
 * the rest of theirs in front of it; its own rest, where that is too short to be a part, it leaves to the lane behind
 * it. A short lane is nothing but such a rest. What is held back all that time is never a large part.
 */
export async function sendLane(
  body: Readable,
  ends: LaneEnds,
  sink: LaneSink,
  parts: LaneParts,
): Promise<void> {
  const { partSize, budget } = parts.early;
  const bytes = new LaneBytes(body);
  if (ends.before === undefined || partSize <= USUAL_PART)
    return cutAll(bytes, ends, sink, { ...parts, first: 0 });
  const head = Buffer.concat(await Array.fromAsync(bytes.take(USUAL_PART)));
  if (bytes.haveEnded)
    return new LaneClient(ends, sink, { partSize, budget: budget.ofLane() }, 0).whole(head);
  sink.begin();
  const first = joined(ends.before, head).then((joint) => sink.part(0, joint));
  const behind = cutAll(bytes, { ...ends, before: undefined }, sink, { ...parts, first: 1 });
  await allEnded(first, behind);
}

/** Cuts what there is into early parts, and then into late ones. @param parts and the number of the first */
async function cutAll(
  bytes: LaneBytes,
  { before, after }: LaneEnds,
  sink: LaneSink,
  { early, late, earlyParts, config, first }: LaneParts & { readonly first: number },
): Promise<void> {
  // Who is behind is told at the end of all bytes, and not where the early parts end.
  const atEnd = after && ((rest: Buffer) => (bytes.haveEnded ? after(rest) : undefined));
  const cut = (kind: BudgetedParts, number: number, length: number) => {
    const { partSize, atOnce } = kind;
    const budget = kind.budget.ofLane();
    const piece = withinBudget(bytes.take(length), partSize, budget, number === 0 ? partSize : 0);
    const ends = { before: number === 0 ? before : undefined, after: atEnd };
    return cutByLibrary(piece, ends, sink, { partSize, atOnce, budget, config, first: number });
  };
  const count = earlyParts - first;
  if (count > 0) await cut(early, first, count * early.partSize);
  if (!bytes.haveEnded) await cut(late, Math.max(first, earlyParts), Number.POSITIVE_INFINITY);
}

/** Parts of one size, from one number on. */
interface LaneStretch extends LaneCut {
  readonly atOnce: number;
  readonly first: number;
  readonly config: S3Client['config'];
}

async function cutByLibrary(
  bytes: AsyncIterable<Buffer>,
  ends: LaneEnds,
  sink: LaneSink,
  parts: LaneStretch,
): Promise<void> {
  const client = new LaneClient(ends, sink, parts, parts.first);
  const send = (request: LaneRequest) => client.send(request);
  await new Upload({
    // It uses these two and nothing else of a client (Upload.js of 3.1169).
    client: { config: parts.config, send } as unknown as S3Client,
    params: { Bucket: 'lane', Key: 'lane', Body: Readable.from(bytes, { objectMode: false }) },
    partSize: parts.partSize,
    queueSize: parts.atOnce,
  }).done();
}

interface LaneCut {
  readonly partSize: number;
  readonly budget: LaneBudget;
}

class LaneClient {
  readonly #ends: LaneEnds;
  readonly #sink: LaneSink;
  readonly #cut: LaneCut;
  readonly #first: number;

  /** @param first number of the first part that it is given */
  constructor(ends: LaneEnds, sink: LaneSink, cut: LaneCut, first: number) {
    this.#ends = ends;
    this.#sink = sink;
    this.#cut = cut;
    this.#first = first;
  }

  async send(request: LaneRequest): Promise<object> {
    if (request instanceof PutObjectCommand) {
      const bytes = request.input.Body as Buffer;
      await (this.#first === 0 ? this.whole(bytes) : this.#part(this.#first, bytes));
    } else if (request instanceof UploadPartCommand) {
      const number = (request.input.PartNumber ?? 1) - 1;
      await this.#part(this.#first + number, request.input.Body as Buffer);
    } else if (request instanceof CompleteMultipartUploadCommand) {
      this.#ends.after?.(NOTHING); // unless a short part has told already
    }
    return { UploadId: 'lane', ETag: 'lane' };
  }

  /** The lane has no other part. */
  async whole(bytes: Buffer): Promise<void> {
    const { before, after } = this.#ends;
    const rest = await joined(before, bytes);
    if (after && rest.length < SHORTEST_PART) return after(rest);
    after?.(NOTHING);
    if (!after && !this.#sink.begun) return this.#sink.put(rest);
    this.#sink.begin();
    if (rest.length > 0) await this.#sink.part(0, rest);
  }

  async #part(number: number, bytes: Buffer): Promise<void> {
    const { before, after } = this.#ends;
    this.#sink.begin();
    if (number === 0) return this.#sink.part(0, await joined(before, bytes));
    if (after && bytes.length < SHORTEST_PART) {
      after(bytes);
    } else {
      if (bytes.length < this.#cut.partSize) after?.(NOTHING); // it is the last one
      await this.#sink.part(number, bytes);
    }
    this.#cut.budget.giveBack();
  }
}

async function joined(before: LaneEnds['before'], bytes: Buffer): Promise<Buffer> {
  const rest = await before;
  return rest === undefined || rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
}
