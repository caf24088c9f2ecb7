import { S3Client } from '@aws-sdk/client-s3';

/** How to reach the S3 service. Credentials come from the SDK's default chain, never from here. */
export interface Connection {
  /** Left out: `AWS_REGION` or the AWS profile; with an endpoint that needs none, us-east-1. */
  readonly region?: string;
  /** The URL of an S3-compatible server; left out: Amazon. */
  readonly endpoint?: string;
  /** Bucket in the path instead of the host name. Undefined: so for an endpoint, not for Amazon. */
  readonly pathStyle: boolean | undefined;
}

const seconds = 1000;

/** A client that gives up on what hangs, and tries again what can pass. */
export function s3Client({ region, endpoint, pathStyle }: Connection): S3Client {
  const client = new S3Client({
    ...(endpoint ? compatible(endpoint, pathStyle ?? true) : { forcePathStyle: pathStyle ?? false }),
    region: region ?? (endpoint ? process.env.AWS_REGION || 'us-east-1' : undefined),
    maxAttempts: 5,
    // Node counts bytes taken by a slow network as activity: only a socket without any progress times out.
    requestHandler: { connectionTimeout: 10 * seconds, socketTimeout: 60 * seconds },
    // The SDK opens a new connection for every request with `Expect: 100-continue` (2 MiB and more), and a new
    // connection starts slowly on a long path. What 100-continue would save, Store.check has found out before.
    expectContinueHeader: false,
  });
  client.middlewareStack.add((next) => (args) => next(signedByMd5(args)), { step: 'build', priority: 'low' });
  return client;
}

/**
 * SigV4 would take a SHA-256 of every part. Where its MD5 is a signed header already, that only costs time: a sixth of
 * an upload's, measured. (botocore does so too, over TLS.)
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
function signedByMd5<T extends { request: unknown }>(args: T): T {
  const { headers } = args.request as { headers: Record<string, string> };
  if ('content-md5' in headers) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
  return args;
}

/** Checksum trailers, the SDK's default, are refused by Swift (501) and by Ceph 16 (411). Content-MD5 is not. */
function compatible(endpoint: string, forcePathStyle: boolean) {
  return {
    endpoint,
    forcePathStyle,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  } as const;
}
