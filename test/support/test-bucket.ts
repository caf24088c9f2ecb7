import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after } from 'node:test';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Job } from '../../src/s3/client.ts';
import { Store, type StoreOptions } from '../../src/s3/store.ts';
import { type Lane, type Uploaded, type UploadOptions, upload } from '../../src/s3/upload.ts';
import { UserError } from '../../src/util/errors.ts';
import { createBucket, listKeys, listUploads, type S3Server, s3Client } from './s3.ts';
import { useSandbox } from './sandbox.ts';

export const MiB = 1024 ** 2;
/** Size of the parts of small uploads, in bytes. */
export const partSize = 8 * MiB;
export const tool = { name: 'odoo-backup-action', version: '0.0.0' };

/** A bucket of one test file's own. */
export interface TestBucket {
  readonly server: S3Server;
  readonly client: S3Client;
  readonly bucket: string;
  /** Opens it as a backup does: credentials come from the environment. */
  openStore(at?: S3Server, options?: Partial<StoreOptions>, signal?: AbortSignal, job?: Job): Store;
  /** Neither an object nor an unfinished upload. */
  assertNothingLeft(key: string): Promise<void>;
}

/** Makes it in the sandbox's S3 server; its client is closed after the file's tests. */
export async function useTestBucket(): Promise<TestBucket> {
  const server = useSandbox().s3;
  const client = s3Client(server);
  after(() => client.destroy());
  const bucket = await createBucket(client);
  return {
    server,
    client,
    bucket,
    openStore(at = server, options = {}, signal, job) {
      process.env.AWS_ACCESS_KEY_ID = at.accessKeyId;
      process.env.AWS_SECRET_ACCESS_KEY = at.secretAccessKey;
      const { endpoint, region } = at;
      return new Store(
        { bucket, prefix: '', endpoint, region, pathStyle: undefined, ...options },
        signal,
        job,
      );
    },
    async assertNothingLeft(key) {
      assert.deepEqual(await listKeys(client, bucket, key), []);
      assert.deepEqual(await listUploads(client, bucket, key), []);
    },
  };
}

/** A job that assumes no role, and whose log goes there. */
export function jobOf(info: (message: string) => void): Job {
  return { info, secret() {}, idToken: () => Promise.reject(new Error('there is no token')) };
}

/** The same bytes for the same size, other ones in every block. */
export function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4096) bytes.writeUInt32LE(at / 4096 + 1, at);
  return bytes;
}

/** In chunks as a socket delivers them. */
export function* chunksOf(bytes: Buffer, chunk = 65_536 - 7): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

export function send(
  store: Store,
  key: string,
  body: Buffer | Readable,
  more: Partial<UploadOptions> = {},
): Promise<Uploaded> {
  const stream = body instanceof Readable ? body : Readable.from(chunksOf(body));
  return sendLanes(store, key, [{ body: stream, mostBytes: 0 }], more);
}

export function sendLanes(
  store: Store,
  key: string,
  lanes: readonly Lane[],
  more: Partial<UploadOptions> = {},
): Promise<Uploaded> {
  return upload(store, key, lanes, { contentType: 'application/zip', ...more });
}

/** What an action fails with, which has to be a message for people. */
export async function failureOf(action: Promise<unknown>): Promise<UserError> {
  const error = await action.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UserError, String(error));
  return error;
}
