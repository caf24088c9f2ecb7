import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { errorName, isNotImplemented } from './failure.ts';
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
  const versions: ObjectVersion[] = [];
  const input: ListObjectVersionsCommand['input'] = { Bucket: store.options.bucket, Prefix: key };
  for (;;) {
    const page = await store.attempt({ action: 's3:ListBucketVersions' }, () =>
      store.client.send(new ListObjectVersionsCommand(input), store.reading),
    );
    for (const [found = [], isMarker] of [
      [page.Versions, false],
      [page.DeleteMarkers, true],
    ] as const) {
      // Other keys may begin with this one.
      for (const { Key, VersionId } of found) {
        if (Key === key && VersionId) versions.push({ key, versionId: VersionId, isMarker });
      }
    }
    if (!page.IsTruncated || !page.NextKeyMarker) return versions;
    input.KeyMarker = page.NextKeyMarker;
    input.VersionIdMarker = page.NextVersionIdMarker;
  }
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
