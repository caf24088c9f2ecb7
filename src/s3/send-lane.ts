import type { Readable } from 'node:stream';
import { allEnded } from '../util/begun.ts';
import { LaneBytes } from './lane-bytes.ts';
import type { PartBudget } from './part-budget.ts';
import type { PartBuffers } from './part-buffers.ts';
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
  readonly buffers: PartBuffers;
  /** Ends the wait for the lane's bytes. */
  readonly stop: AbortSignal;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Sends one lane of an object, cut into early parts, and then into late ones. No part but the last one of the object may
 * be short. So a lane holds its first part back until the lanes before it have ended, and takes the rest of theirs in
 * front of it; its own rest, where that is too short to be a part, it leaves to the lane behind it. A short lane is
 * nothing but such a rest. What is held back all that time is never a large part.
 *
 * Every lane may have its first part in memory without asking the budget: else lanes could wait for one another.
 */
export async function sendLane(
  body: Readable,
  { before, after }: LaneEnds,
  sink: LaneSink,
  { early, late, earlyParts, buffers, stop }: LaneParts,
): Promise<void> {
  const bytes = new LaneBytes(body, stop);
  const sending: Promise<void>[] = [];
  let hasFailed = false;
  const send = (sent: Promise<void>): void => {
    sending.push(sent);
    sent.catch(() => {
      hasFailed = true;
    });
  };
  const sendFirst = async (buffer: Buffer, part: Buffer): Promise<void> => {
    sink.begin();
    await sink.part(0, await joined(before, part));
    buffers.giveBack(buffer);
  };
  const sendNext = async (number: number, buffer: Buffer, part: Buffer, { budget }: BudgetedParts) => {
    await sink.part(number, part);
    buffers.giveBack(buffer);
    budget.giveBack();
  };
  const cut = async (): Promise<void> => {
    const isLarge = before !== undefined && early.partSize > USUAL_PART;
    const firstSize = isLarge ? USUAL_PART : (earlyParts > 0 ? early : late).partSize;
    const buffer = buffers.take(firstSize);
    const first = await bytes.fill(buffer);
    if (bytes.haveEnded) return send(sendWhole(first, { before, after }, sink));
    send(sendFirst(buffer, first));
    for (let number = 1; !bytes.haveEnded && !hasFailed; number += 1) {
      const kind = number < earlyParts ? early : late;
      await kind.budget.take();
      const buffer = buffers.take(kind.partSize);
      const part = await bytes.fill(buffer);
      if (bytes.haveEnded) {
        const isRest = after && part.length < SHORTEST_PART;
        after?.(isRest ? part : NOTHING);
        if (isRest) return kind.budget.giveBack();
      }
      send(sendNext(number, buffer, part, kind));
    }
  };
  const cutting = cut();
  await Promise.allSettled([cutting]);
  await allEnded(...sending, cutting);
}

/** Sends a lane that has one part at most. */
async function sendWhole(bytes: Buffer, { before, after }: LaneEnds, sink: LaneSink): Promise<void> {
  const rest = await joined(before, bytes);
  if (after && rest.length < SHORTEST_PART) return after(rest);
  after?.(NOTHING);
  if (!after && !sink.begun) return sink.put(rest);
  sink.begin();
  if (rest.length > 0) await sink.part(0, rest);
}

async function joined(before: LaneEnds['before'], bytes: Buffer): Promise<Buffer> {
  const rest = await before;
  return rest === undefined || rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
}
