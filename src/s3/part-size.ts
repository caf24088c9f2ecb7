const MiB = 1024 ** 2;
// Measured on loopback: 8 at once of 8 MiB are as fast as anything larger, in the least memory. On a long path, more
// connections also mean more throughput.
const smallestPart = 8 * MiB;
const mostInFlight = 8;
/** What the parts in flight may hold together. lib-storage collects the next part beside them. */
const inFlightBytes = 64 * MiB;
/** S3's limit: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const mostParts = 10_000;
/** The size of an archive is a guess until it is written: it may come to twice that. */
const headRoom = 2;

export interface PartPlan {
  /** Size of every part except the last, in bytes; whole MiB. */
  readonly partSize: number;
  /** How many parts are sent at once. */
  readonly queueSize: number;
}

/**
 * Cuts an object of about `expectedBytes` into parts. Up to an expected 312 GiB at
 * most 64 MiB are in flight; beyond, S3's limit of 10,000 parts asks for parts that are larger, sent one at a time.
 *
 * @param otherParts that the object has besides
 */
export function planParts(expectedBytes: number, otherParts = 0): PartPlan {
  const needed = Math.ceil((expectedBytes * headRoom) / (mostParts - otherParts) / MiB) * MiB;
  const partSize = Math.max(smallestPart, needed);
  const queueSize = Math.min(mostInFlight, Math.max(1, Math.floor(inFlightBytes / partSize)));
  return { partSize, queueSize };
}
