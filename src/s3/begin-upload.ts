import { CreateMultipartUploadCommand, type CreateMultipartUploadCommandInput } from '@aws-sdk/client-s3';
import type { Store } from './store.ts';

/** Fields of a new object. Each request takes those that are its own. */
export type ObjectParams = CreateMultipartUploadCommandInput & {
  readonly Bucket: string;
  readonly Key: string;
};

/**
 * Begins a multipart upload, and returns its ID. It asks for no checksums: with those, Amazon would want the numbers of
 * the parts to follow one another (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html).
 */
export async function beginUpload(store: Store, params: ObjectParams): Promise<string> {
  const command = new CreateMultipartUploadCommand(params);
  const { UploadId } = await store.attempt({ action: 's3:PutObject', key: params.Key }, () =>
    store.client.send(command),
  );
  if (UploadId === undefined) throw new Error('The S3 server began a multipart upload without an ID');
  return UploadId;
}
