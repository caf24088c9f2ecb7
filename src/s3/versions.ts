import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { assertListing } from './assert-s3.ts';
import { pagesOf } from './pages.ts';
import { errorName, isNotImplemented } from './sdk-errors.ts';
import type { Store } from './store.ts';

/** One version of an object, or the marker that hides them all. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isMarker: boolean;
}

/** Whether the bucket keeps what is deleted or replaced. Suspended, it still has what it kept before. */
export async function keepsVersions(store: Store): Promise<boolean> {
  const command = new GetBucketVersioningCommand({ Bucket: store.options.bucket });
  try {
    const { Status } = await store.client.send(command, store.reading);
    return Status === 'Enabled' || Status === 'Suspended';
  } catch (error) {
    if (isNotImplemented(error) || errorName(error) === 'MethodNotAllowed') return false;
    throw store.error(error, { action: 's3:GetBucketVersioning' });
  }
}

/** All versions of one object, and its markers. */
export async function listVersions(store: Store, key: string): Promise<ObjectVersion[]> {
  const { bucket, endpoint } = store.options;
  const page = async (from: readonly (string | undefined)[] | undefined) => {
    const answer = await store.attempt({ action: 's3:ListBucketVersions' }, () => {
      const [KeyMarker, VersionIdMarker] = from ?? [];
      const input = { Bucket: bucket, Prefix: key, KeyMarker, VersionIdMarker };
      return store.client.send(new ListObjectVersionsCommand(input), store.reading);
    });
    assertListing(answer, endpoint);
    const items = ([answer.Versions ?? [], answer.DeleteMarkers ?? []] as const).flatMap((found, kind) =>
      found.flatMap(({ Key, VersionId }) =>
        Key && VersionId ? { key: Key, versionId: VersionId, isMarker: kind === 1 } : [],
      ),
    );
    const next = [answer.NextKeyMarker, answer.NextVersionIdMarker];
    return { items, truncated: answer.IsTruncated, next };
  };
  const all = pagesOf(`versions in the bucket ${bucket}`, page, (each) => JSON.stringify(each));
  const versions = await Array.fromAsync(all);
  return versions.filter((version) => version.key === key); // other keys may begin with this one
}

/**
 * Removes every version of an object that has been deleted. The markers go last: without them an old version would be
 * the object again.
 */
export async function removeVersions(store: Store, key: string): Promise<void> {
  const versions = await listVersions(store, key);
  for (const isMarker of [false, true]) {
    for (const { versionId } of versions.filter((version) => version.isMarker === isMarker)) {
      const command = new DeleteObjectCommand({
        Bucket: store.options.bucket,
        Key: key,
        VersionId: versionId,
      });
      await store.attempt({ action: 's3:DeleteObjectVersion', key }, () => store.client.send(command));
    }
  }
}
