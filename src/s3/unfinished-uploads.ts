import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { assertListing } from './assert-s3.ts';
import { pagesOf } from './pages.ts';
import { errorName, isNotImplemented } from './sdk-errors.ts';
import type { Store } from './store.ts';

/** A multipart upload that was begun and neither completed nor removed: invisible, and paid for. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: Date;
}

/**
 * Removes unfinished uploads under `prefix` that were begun more than `olderThanMs` ago, and returns them. Returns
 * undefined when the credentials may not list them, or the server cannot.
 */
export async function sweepUnfinished(
  store: Store,
  prefix: string,
  olderThanMs: number,
): Promise<UnfinishedUpload[] | undefined> {
  const newest = Date.now() - olderThanMs;
  const stale: UnfinishedUpload[] = [];
  try {
    for await (const upload of listUnfinished(store, prefix)) {
      if (upload.initiated.getTime() < newest) stale.push(upload);
    }
  } catch (error) {
    if (errorName(error) === 'AccessDenied' || isNotImplemented(error)) return undefined;
    throw store.error(error, { action: 's3:ListBucketMultipartUploads' });
  }
  for (const upload of stale) await remove(store, upload);
  return stale;
}

function listUnfinished(store: Store, prefix: string): AsyncGenerator<UnfinishedUpload> {
  const { bucket, endpoint } = store.options;
  const page = async (from: readonly (string | undefined)[] | undefined) => {
    const [KeyMarker, UploadIdMarker] = from ?? [];
    const command = new ListMultipartUploadsCommand({
      Bucket: bucket,
      Prefix: prefix,
      KeyMarker,
      UploadIdMarker,
    });
    const answer = await store.client.send(command, store.reading);
    assertListing(answer, endpoint);
    const items = (answer.Uploads ?? []).flatMap(({ Key, UploadId, Initiated }) =>
      // The prefix is compared again: a server that ignores it would have us remove what belongs to others.
      Key?.startsWith(prefix) && UploadId && Initiated
        ? { key: Key, uploadId: UploadId, initiated: Initiated }
        : [],
    );
    return { items, truncated: answer.IsTruncated, next: [answer.NextKeyMarker, answer.NextUploadIdMarker] };
  };
  return pagesOf(
    `unfinished uploads in the bucket ${bucket}`,
    page,
    ({ key, uploadId }) => `${key} ${uploadId}`,
  );
}

/** One that is gone meanwhile is no error. */
async function remove(store: Store, { key, uploadId }: UnfinishedUpload): Promise<void> {
  const command = new AbortMultipartUploadCommand({
    Bucket: store.options.bucket,
    Key: key,
    UploadId: uploadId,
  });
  try {
    await store.client.send(command);
  } catch (error) {
    if (errorName(error) !== 'NoSuchUpload')
      throw store.error(error, { action: 's3:AbortMultipartUpload', key });
  }
}
