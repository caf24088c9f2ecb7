const MiB = 1024 ** 2;
/** S3's limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MOST_PARTS = 10_000;
/** The least that a part may have which is not the last one of its object, in bytes. */
export const SHORTEST_PART = 5 * MiB;
// Measured on loopback: 6 at once of 8 MiB are as fast as anything larger, in the least memory. On a long path, more
// connections also mean more throughput.
export const USUAL_PART = 8 * MiB;
const MOST_AT_ONCE = 6;
const USUAL_BYTES_AT_ONCE = MOST_AT_ONCE * USUAL_PART;
/**
 * An object of hundreds of GiB has larger parts. As many as fit in here are in memory at once, and never only one; what a
 * lane holds back until the lanes before it have ended is no such part (`sendLane`).
 */
const MOST_BYTES_AT_ONCE = 160 * MiB;
const MOST_LARGE_AT_ONCE = 4;

/** The numbers that the parts of one lane may have. */
export interface PartRange {
  readonly first: number;
  readonly count: number;
}

export interface PartPlan {
  /** Size of the parts in bytes, whole MiB. The last one of a lane may be shorter, the first one longer by another's rest. */
  readonly partSize: number;
  /** How many parts, besides the first ones of the lanes, are in memory at once: on their way, or being filled. */
  readonly atOnce: number;
  /** The numbers of each lane. */
  readonly ranges: readonly PartRange[];
}

/**
 * Cuts the lanes of an object into parts. All lanes together have the 10,000 numbers that S3 gives to an object. Each
 * gets a range of them, which is the longer the more bytes it may have.
 *
 * @param mostBytes that each lane may have
 * @param otherParts that the object has before them
 * @param sharing how many uploads share the memory for parts
 */
export function planParts(mostBytes: readonly number[], otherParts = 0, sharing = 1): PartPlan {
  const numbers = MOST_PARTS - otherParts;
  // Each lane may have a short part at both of its ends.
  const total = mostBytes.reduce((sum, each) => sum + each, 0);
  const partSize = Math.max(USUAL_PART, Math.ceil(total / (numbers - 3 * mostBytes.length) / MiB) * MiB);
  const needed = mostBytes.map((bytes) => Math.ceil(bytes / partSize) + 2);
  const neededTotal = needed.reduce((sum, each) => sum + each, 0);
  const spare = numbers - neededTotal;
  let first = otherParts + 1;
  const ranges = needed.map((each) => {
    const count = each + Math.floor((spare * each) / neededTotal);
    first += count;
    return { first: first - count, count };
  });
  return { partSize, atOnce: atOnceOf(partSize, sharing), ranges };
}

/** One may be filled while another one is on its way: so never less than two. */
function atOnceOf(partSize: number, sharing: number): number {
  const usual = Math.min(MOST_AT_ONCE, Math.floor(USUAL_BYTES_AT_ONCE / partSize));
  const large = Math.min(MOST_LARGE_AT_ONCE, Math.floor(MOST_BYTES_AT_ONCE / partSize));
  return Math.max(2, Math.floor(Math.max(usual, large) / sharing));
}
