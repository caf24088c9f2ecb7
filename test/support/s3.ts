import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketPolicyCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { run } from './processes.ts';

/** An S3 server and the keys of an account that owns its buckets. */
export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The sandbox's own Ceph only: runs radosgw-admin(8). */
  readonly radosgwAdmin?: readonly string[];
  /** The sandbox's own Ceph only: the log of its gateway, a line for each request. */
  readonly gatewayLog?: string;
}

/** The server that `S3_TEST_ENDPOINT` names, if it is set. */
export function givenS3Server(env: NodeJS.ProcessEnv = process.env): S3Server | undefined {
  const { S3_TEST_ENDPOINT: endpoint, S3_TEST_ACCESS_KEY_ID: accessKeyId } = env;
  if (!endpoint) return undefined;
  const secretAccessKey = env.S3_TEST_SECRET_ACCESS_KEY;
  if (!accessKeyId || !secretAccessKey) {
    throw new Error('S3_TEST_ENDPOINT needs S3_TEST_ACCESS_KEY_ID and S3_TEST_SECRET_ACCESS_KEY');
  }
  return { endpoint, accessKeyId, secretAccessKey, region: env.S3_TEST_REGION ?? 'us-east-1' };
}

/** A client to look at what lies there. Settings as any other server than Amazon's needs them. */
export function s3Client(server: S3Server): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Creates a bucket for one test and returns its name. */
export async function createBucket(client: S3Client): Promise<string> {
  const name = `backups-${randomBytes(6).toString('hex')}`;
  await client.send(new CreateBucketCommand({ Bucket: name }));
  return name;
}

/** The same server seen by a new account that may do just these actions in the bucket, or nothing. */
export async function restrictedUser(
  server: S3Server,
  bucket: string,
  actions: readonly `s3:${string}`[] = [],
): Promise<S3Server> {
  if (!server.radosgwAdmin)
    throw new Error('Only the sandbox’s own Ceph can create accounts: unset S3_TEST_ENDPOINT');
  const name = `user-${randomBytes(6).toString('hex')}`;
  const secretAccessKey = randomBytes(12).toString('hex');
  await run([
    ...server.radosgwAdmin,
    ...['user', 'create', `--uid=${name}`, `--display-name=${name}`],
    ...[`--access-key=${name}`, `--secret-key=${secretAccessKey}`],
  ]);
  if (actions.length > 0) {
    const Statement = {
      Effect: 'Allow',
      Principal: { AWS: [`arn:aws:iam:::user/${name}`] },
      Action: actions,
      Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [Statement] });
    await s3Client(server).send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  }
  return { ...server, accessKeyId: name, secretAccessKey };
}

/** Every key in the bucket that starts with the prefix. */
export async function listKeys(client: S3Client, bucket: string, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
  }
  return keys;
}

/** The keys of the uploads under the prefix that were never finished. */
export async function listUploads(client: S3Client, bucket: string, prefix = ''): Promise<string[]> {
  const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
  return (Uploads ?? []).map(({ Key }) => Key ?? '');
}

/** A whole object. */
export async function getObject(client: S3Client, bucket: string, key: string): Promise<Uint8Array> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!Body) throw new Error(`${key} has no body`);
  return Body.transformToByteArray();
}
