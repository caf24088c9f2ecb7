import { GetObjectLegalHoldCommand, GetObjectRetentionCommand } from '@aws-sdk/client-s3';
import { failure, isNotFound, isNotImplemented } from './sdk-errors.ts';
import type { Store } from './store.ts';

/** What forbids to delete an object: `legal hold`, `Object Lock until 2026-12-01`; undefined: nothing. */
export async function lockOf(store: Store, key: string, versionId?: string): Promise<string | undefined> {
  const input = { Bucket: store.options.bucket, Key: key, VersionId: versionId };
  const hold = await ask(store, 's3:GetObjectLegalHold', key, async () => {
    const { LegalHold } = await store.client.send(new GetObjectLegalHoldCommand(input), store.reading);
    return LegalHold?.Status === 'ON' ? 'legal hold' : undefined;
  });
  if (hold) return hold;
  return ask(store, 's3:GetObjectRetention', key, async () => {
    const { Retention } = await store.client.send(new GetObjectRetentionCommand(input), store.reading);
    const until = Retention?.RetainUntilDate;
    if (!until || until.getTime() <= Date.now()) return undefined;
    return `Object Lock until ${until.toISOString().slice(0, 10)}`;
  });
}

async function ask<T>(
  store: Store,
  action: 's3:GetObjectLegalHold' | 's3:GetObjectRetention',
  key: string,
  send: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await send();
  } catch (error) {
    if (hasNoLock(error)) return undefined;
    throw store.error(error, { action, key });
  }
}

/**
 * Whether there is no lock: of this object (Amazon says the first for it, Ceph the second, though that is Amazon's word
 * for the bucket), of the whole bucket, or because the server knows no locks.
 */
function hasNoLock(error: unknown): boolean {
  const { name = '', message = '' } = failure(error);
  return (
    name === 'NoSuchObjectLockConfiguration' ||
    name === 'ObjectLockConfigurationNotFoundError' ||
    (name === 'InvalidRequest' && /lock/i.test(message)) ||
    name === 'MethodNotAllowed' ||
    isNotImplemented(error) ||
    isNotFound(error)
  );
}
