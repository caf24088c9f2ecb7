import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { errorName, isNotImplemented } from './failure.ts';
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

async function* listUnfinished(store: Store, prefix: string): AsyncGenerator<UnfinishedUpload> {
  const input: ListMultipartUploadsCommand['input'] = { Bucket: store.options.bucket, Prefix: prefix };
  for (;;) {
    const page = await store.client.send(new ListMultipartUploadsCommand(input), store.reading);
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      // The prefix is compared again: a server that ignores it would have us remove what belongs to others.
      if (Key?.startsWith(prefix) && UploadId && Initiated) {
        yield { key: Key, uploadId: UploadId, initiated: Initiated };
      }
    }
    if (!page.IsTruncated || !page.NextKeyMarker) return;
    input.KeyMarker = page.NextKeyMarker;
    input.UploadIdMarker = page.NextUploadIdMarker;
  }
}

/** One that has gone meanwhile is fine. */
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
