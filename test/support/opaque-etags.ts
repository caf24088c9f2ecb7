import { CompleteMultipartUploadCommand } from '@aws-sdk/client-s3';
import { type S3Server, s3Client } from './s3.ts';
import { type S3Proxy, type SeenRequest, startS3Proxy } from './s3-proxy.ts';

const isPart = ({ method, query }: SeenRequest): boolean => method === 'PUT' && query.has('partNumber');
const isCopy = ({ headers }: SeenRequest): boolean => 'x-amz-copy-source' in headers;
const isCompletion = ({ method, query }: SeenRequest): boolean => method === 'POST' && query.has('uploadId');

/** An ETag backwards is not the MD5; backwards again it is what the server knows. */
const turned = (text: string): string => text.replace(/[0-9a-f]{32}/g, (md5) => [...md5].reverse().join(''));

/**
 * The S3 server with ETags of parts that are no MD5s, as Amazon has them under SSE-KMS: Ceph's are MD5s there too.
 * Uploads are completed by a client of the proxy's own, since the list of ETags is signed.
 */
export async function startOpaqueEtags(target: S3Server): Promise<S3Proxy> {
  const client = s3Client(target);
  const complete = async (body: string, { path, query, headers }: SeenRequest): Promise<string> => {
    const [, Bucket = '', ...key] = decodeURIComponent(path).split('/');
    const Parts = [...turned(body).matchAll(/<Part>.*?<\/Part>/gs)].map(([part]) => ({
      ETag: /<ETag>(.*?)<\/ETag>/s.exec(part)?.[1]?.replaceAll('&quot;', '"'),
      PartNumber: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    }));
    const { ETag } = await client.send(
      new CompleteMultipartUploadCommand({
        ...{ Bucket, Key: key.join('/'), UploadId: query.get('uploadId') ?? '' },
        IfNoneMatch: headers['if-none-match'],
        MultipartUpload: { Parts },
      }),
    );
    return `<CompleteMultipartUploadResult><ETag>${ETag}</ETag></CompleteMultipartUploadResult>`;
  };
  const proxy = await startS3Proxy(target, [
    { when: isCopy, fault: { kind: 'map-body', map: turned } },
    { when: isPart, fault: { kind: 'map-etag', map: turned } },
    { when: isCompletion, fault: { kind: 'stand-in', answer: complete } },
  ]);
  const close = proxy[Symbol.asyncDispose].bind(proxy);
  return Object.assign(proxy, {
    async [Symbol.asyncDispose]() {
      await close();
      client.destroy();
    },
  });
}
