const DAY_MS = 24 * 3_600_000;

/** How far the clocks of a machine and of the S3 service may differ, including the time of the upload. */
const TOLERANCE_MS = 2 * DAY_MS;

/** What a key says of the time of a backup, and what its server says of its archive. */
interface Dated {
  readonly at: Date;
  readonly archive: { readonly modified: Date } | undefined;
}

/**
 * Whether the date of an archive lies after the time at which it was stored: no clock that S3 accepts makes that. Such
 * a backup would be the newest one for ever.
 */
export function isPostdated({ at, archive }: Dated): boolean {
  return archive !== undefined && at.getTime() - archive.modified.getTime() > TOLERANCE_MS;
}

/** The longest that a backup is believed to have taken. */
const LONGEST_MS = 5 * DAY_MS;

/**
 * Whether the date lies long before that time: who writes to a bucket can fill any day of the past, but cannot store
 * there. A key holds the time when its backup began; most services record when the upload ended.
 *
 * @param tookMs what its receipt says of how long it took, which is believed up to some days
 */
export function isBackdated({ at, archive }: Dated, tookMs: number): boolean {
  if (archive === undefined) return false;
  return archive.modified.getTime() - at.getTime() > TOLERANCE_MS + Math.min(tookMs, LONGEST_MS);
}

/** Whether two times are the same, clocks apart. */
export const isSameTime = (a: Date, b: Date): boolean => Math.abs(a.getTime() - b.getTime()) <= TOLERANCE_MS;

/** `12 days` between two times. */
export function daysBetween(a: Date, b: Date): string {
  return `${Math.round(Math.abs(a.getTime() - b.getTime()) / DAY_MS)} days`;
}
