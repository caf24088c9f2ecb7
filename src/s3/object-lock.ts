/** The lock that new objects get. The bucket must have been made with Object Lock. */
export interface ObjectLock {
  /** `GOVERNANCE` can be lifted with a permission of its own, `COMPLIANCE` by nobody. */
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly days: number;
}

const DAY_MS = 24 * 3_600_000;

/** The lock as fields of a request that makes an object; such a request must carry a Content-MD5 or a checksum. */
export function lockFields(lock: ObjectLock | undefined, now = Date.now()) {
  if (!lock) return {};
  return {
    ObjectLockMode: lock.mode,
    ObjectLockRetainUntilDate: new Date(now + lock.days * DAY_MS),
  } as const;
}
