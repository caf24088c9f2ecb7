import { Readable } from 'node:stream';
import {
  type CompleteMultipartUploadCommand,
  type CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { LaneBytes } from './lane-bytes.ts';
import { type LaneBudget, withinBudget } from './part-budget.ts';
import type { BudgetedParts, LaneParts, LaneSink } from './send-lane.ts';

/** The requests that lib-storage's Upload makes, except AbortMultipartUpload: there is no upload of its own to abort. */
type UploadRequest =
  | CreateMultipartUploadCommand
  | UploadPartCommand
  | CompleteMultipartUploadCommand
  | PutObjectCommand;

/**
 * Sends the only lane of an object. lib-storage cuts it into parts, the early ones first, and takes this for the S3
 * service.
 *
 * @param config of the client, which lib-storage asks how checksums are made
 */
export async function sendAlone(
  body: Readable,
  sink: LaneSink,
  { early, late, earlyParts, stop }: LaneParts,
  config: S3Client['config'],
): Promise<void> {
  const bytes = new LaneBytes(body, stop);
  const cut = async (kind: BudgetedParts, first: number, length: number): Promise<void> => {
    const { partSize, atOnce } = kind;
    const budget = kind.budget.ofLane();
    const pieces = withinBudget(bytes.take(length), partSize, budget, first === 0 ? partSize : 0);
    await new Upload({
      // It uses these two and nothing else of a client (Upload.js of 3.1169).
      client: { config, send: serviceOf(sink, first, budget) } as unknown as S3Client,
      params: { Bucket: 'lane', Key: 'lane', Body: Readable.from(pieces, { objectMode: false }) },
      partSize,
      queueSize: atOnce,
    }).done();
  };
  if (earlyParts > 0) await cut(early, 0, earlyParts * early.partSize);
  if (!bytes.haveEnded) await cut(late, earlyParts, Number.POSITIVE_INFINITY);
}

/** What answers lib-storage in place of S3. @param first number of the first part that it is given */
function serviceOf(sink: LaneSink, first: number, budget: LaneBudget) {
  const send = async (number: number, bytes: Buffer): Promise<void> => {
    sink.begin();
    await sink.part(number, bytes);
    if (number > 0) budget.giveBack();
  };
  return async (request: UploadRequest): Promise<object> => {
    if (request instanceof PutObjectCommand) {
      const bytes = request.input.Body as Buffer;
      if (first > 0 || (sink.begun && bytes.length > 0)) await send(first, bytes);
      else if (!sink.begun) await sink.put(bytes);
    } else if (request instanceof UploadPartCommand) {
      await send(first + (request.input.PartNumber ?? 1) - 1, request.input.Body as Buffer);
    }
    return { UploadId: 'lane', ETag: 'lane' };
  };
}
