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
/** How much longer the late parts of a lane are than its early ones. */
const LATE_FACTOR = 4;
/** How many late parts are in memory at once. Seldom is there one: so they are not counted with the others. */
const LATE_AT_ONCE = 2;

/** How many bytes a lane has, as far as that can be known. */
export interface LaneSize {
  /** The most that it may have. */
  readonly mostBytes: number;
  /** What is hardly ever exceeded. Default: the most. */
  readonly likelyBytes?: number | undefined;
}

/** The numbers that the parts of one lane may have. */
export interface PartRange {
  readonly first: number;
  readonly count: number;
  /** How many of them, from the first one on, are for early parts; the others are for late ones. */
  readonly early: number;
}

/** Parts of one size. */
export interface PartKind {
  /** In bytes, whole MiB. The last part of a lane may be shorter, the first one longer by another's rest. */
  readonly partSize: number;
  /** How many parts, besides the first ones of the lanes, are in memory at once: on their way, or being filled. */
  readonly atOnce: number;
}

export interface PartPlan {
  /** The parts of what lanes are likely to have. */
  readonly early: PartKind;
  /** The parts behind them, of a lane that has more than that: longer, so that the numbers do for them as well. */
  readonly late: PartKind;
  /** The numbers of each lane. */
  readonly ranges: readonly PartRange[];
}

/**
 * Cuts the lanes of an object into parts. All lanes together have the 10,000 numbers that S3 gives to an object. Each
 * gets a range of them, which is the longer the more bytes it may have. Of a lane that may have far more bytes than it is
 * likely to have, such as a dump, the early parts are short: so more of them are in memory at once.
 *
 * @param otherParts that the object has before them
 * @param sharing how many uploads share the memory for parts
 */
export function planParts(lanes: readonly LaneSize[], otherParts = 0, sharing = 1): PartPlan {
  const numbers = MOST_PARTS - otherParts;
  // Parts of the early size that a lane takes the numbers of: a late one holds several.
  const weights = lanes.map(({ mostBytes, likelyBytes = mostBytes }) => {
    const likely = Math.min(likelyBytes, mostBytes);
    return likely + (mostBytes - likely) / LATE_FACTOR;
  });
  const total = sum(weights);
  const partSize = Math.max(
    USUAL_PART,
    Math.ceil(total / (numbers - (EDGES + 2) * lanes.length) / MiB) * MiB,
  );
  const needed = weights.map((bytes) => Math.ceil(bytes / partSize) + EDGES + 1);
  const spare = numbers - sum(needed);
  let first = otherParts + 1;
  const ranges = needed.map((each, i) => {
    const count = each + Math.floor((spare * each) / sum(needed));
    first += count;
    return { first: first - count, count, early: earlyOf(count, (lanes[i]?.mostBytes ?? 0) / partSize) };
  });
  return {
    early: { partSize, atOnce: atOnceOf(partSize, sharing) },
    late: { partSize: LATE_FACTOR * partSize, atOnce: LATE_AT_ONCE },
    ranges,
  };
}

/** A lane may have a short part at both of its ends. */
const EDGES = 2;

/**
 * How many parts of a lane can be early ones, so that those and late ones together hold all that it may have: all of
 * them, or two at least, or none.
 *
 * @param most bytes that the lane may have, in early parts
 */
function earlyOf(count: number, most: number): number {
  if (count - EDGES >= most) return count;
  const early = Math.floor((LATE_FACTOR * (count - EDGES) - most) / (LATE_FACTOR - 1));
  return early < 2 ? 0 : early;
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

/** One may be filled while another one is on its way: so never less than two. */
function atOnceOf(partSize: number, sharing: number): number {
  const usual = Math.min(MOST_AT_ONCE, Math.floor(USUAL_BYTES_AT_ONCE / partSize));
  const large = Math.min(MOST_LARGE_AT_ONCE, Math.floor(MOST_BYTES_AT_ONCE / partSize));
  return Math.max(2, Math.floor(Math.max(usual, large) / sharing));
}
