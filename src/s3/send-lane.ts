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
import { continued } from '../util/iterables.ts';
import { type LaneBudget, type PartBudget, withinBudget } from './part-budget.ts';
import { SHORTEST_PART, USUAL_PART } from './part-plan.ts';

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

/** How a lane is cut. */
export interface LaneParts {
  /** In bytes. */
  readonly partSize: number;
  /** How many parts are sent at once, within the budget. */
  readonly atOnce: number;
  readonly budget: PartBudget;
  readonly config: S3Client['config'];
}

/** The requests that lib-storage's Upload makes, but for the one that removes: nothing is made that it would remove. */
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
  const { partSize } = parts;
  const budget = parts.budget.ofLane();
  if (ends.before === undefined || partSize <= USUAL_PART) {
    return cutByLibrary(withinBudget(body, partSize, budget, partSize), ends, sink, {
      ...parts,
      budget,
      first: 0,
    });
  }
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const { head, more } = await headOf(chunks, USUAL_PART);
  if (!more) return new LaneClient(ends, sink, { partSize, budget }, 0).whole(head);
  sink.begin();
  const first = joined(ends.before, head).then((bytes) => sink.part(0, bytes));
  const rest = withinBudget(continued(more, chunks), partSize, budget);
  const behind = cutByLibrary(rest, { ...ends, before: undefined }, sink, { ...parts, budget, first: 1 });
  await allEnded(first, behind);
}

/** @param parts with the number of the first part of these bytes */
async function cutByLibrary(
  bytes: AsyncIterable<Buffer>,
  ends: LaneEnds,
  sink: LaneSink,
  parts: Omit<LaneParts, 'budget'> & { readonly budget: LaneBudget; readonly first: number },
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

/** The first bytes of a lane, and what was read of the next ones; `more` undefined: there are none. */
async function headOf(
  chunks: AsyncIterator<Buffer>,
  length: number,
): Promise<{ readonly head: Buffer; readonly more: Buffer | undefined }> {
  const read: Buffer[] = [];
  for (let left = length; ; ) {
    const { value, done } = await chunks.next();
    if (done) return { head: Buffer.concat(read), more: undefined };
    const chunk: Buffer = value;
    if (chunk.length > left) {
      return { head: Buffer.concat([...read, chunk.subarray(0, left)]), more: chunk.subarray(left) };
    }
    read.push(chunk);
    left -= chunk.length;
  }
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
