import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { kmsKeyId } from '../support/ceph.ts';
import { assertNothingStored } from '../support/leftovers.ts';
import { openssh } from '../support/openssh.ts';
import { run } from '../support/processes.ts';
import { createBucket, getObject, givenS3Server, listKeys, restrictedUser, s3Client } from '../support/s3.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const sandbox = useSandbox();

describe('S3', () => {
  let client: S3Client;
  let Bucket: string;
  before(async () => {
    client = s3Client(sandbox.s3);
    Bucket = await createBucket(client);
  });
  after(() => client.destroy());

  it('keeps objects, encrypted where asked, and uploads that were never finished', async () => {
    await client.send(
      new PutObjectCommand({ Bucket, Key: 'a/plain', Body: 'x', StorageClass: 'STANDARD_IA' }),
    );
    await client.send(
      new PutObjectCommand({ Bucket, Key: 'a/sse', Body: 'y', ServerSideEncryption: 'AES256' }),
    );
    const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId } as const;
    await client.send(new PutObjectCommand({ Bucket, Key: 'a/kms', Body: 'z', ...kms }));
    assert.deepEqual(await listKeys(client, Bucket, 'a/'), ['a/kms', 'a/plain', 'a/sse']);
    assert.equal(Buffer.from(await getObject(client, Bucket, 'a/sse')).toString(), 'y');
    const head = (Key: string) => client.send(new HeadObjectCommand({ Bucket, Key }));
    assert.equal((await head('a/plain')).StorageClass, 'STANDARD_IA');
    assert.equal((await head('a/sse')).ServerSideEncryption, 'AES256');
    assert.equal((await head('a/kms')).ServerSideEncryption, 'aws:kms');

    await assertNothingStored(client, Bucket, 'b/');
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'b/unfinished' }));
    await assert.rejects(assertNothingStored(client, Bucket, 'b/'), /unfinished uploads were left/);
    await assert.rejects(assertNothingStored(client, Bucket, 'a/'), /objects were left/);
  });

  it('lets a restricted account do what it may', async () => {
    const nobody = s3Client(await restrictedUser(sandbox.s3, Bucket));
    await assert.rejects(nobody.send(new ListObjectsV2Command({ Bucket })), { name: 'AccessDenied' });
    const writer = s3Client(await restrictedUser(sandbox.s3, Bucket, ['s3:PutObject']));
    await writer.send(new PutObjectCommand({ Bucket, Key: 'c/its', Body: 'x' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'c/ours', Body: 'x' }));
    await assert.rejects(writer.send(new GetObjectCommand({ Bucket, Key: 'c/ours' })), {
      name: 'AccessDenied',
    });
  });

  it('breaks through the proxy as the rules say', async () => {
    await using proxy = await startS3Proxy(sandbox.s3);
    const through = s3Client(proxy);
    const put = (Key: string) =>
      through.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(100_000) }));
    const isPut = ({ method }: { method: string }) => method === 'PUT';
    await put('p/plain');
    assert.equal(proxy.requests.length, 1);

    proxy.rules = [{ when: isPut, fault: { kind: 'error', status: 503, code: 'SlowDown' }, times: 2 }];
    assert.equal((await put('p/retried')).$metadata.attempts, 3);
    proxy.rules = [{ when: isPut, fault: { kind: 'error', status: 403, code: 'AccessDenied' } }];
    await assert.rejects(put('p/denied'), { name: 'AccessDenied' });
    proxy.rules = [{ when: isPut, fault: { kind: 'reset' } }];
    await assert.rejects(put('p/reset'), /ECONNRESET|socket hang up/);
    proxy.rules = [{ when: isPut, fault: { kind: 'lose-answer' } }];
    await assert.rejects(put('p/lost-answer'), /ECONNRESET|socket hang up/);
    proxy.rules = [{ when: isPut, fault: { kind: 'slow', bytesPerSecond: 1e6 } }];
    await put('p/slow');
    assert.deepEqual(await listKeys(client, Bucket, 'p/'), [
      'p/lost-answer',
      'p/plain',
      'p/retried',
      'p/slow',
    ]);

    const upload = { Bucket, Key: 'p/parts' };
    const { UploadId } = await through.send(new CreateMultipartUploadCommand(upload));
    const part = async (PartNumber: number) => {
      const command = new UploadPartCommand({ ...upload, UploadId, PartNumber, Body: 'x' });
      return (await through.send(command)).ETag;
    };
    const isPart = (number: number) => (seen: { query: URLSearchParams }) =>
      seen.query.get('partNumber') === String(number);
    proxy.rules = [
      { when: isPart(2), fault: { kind: 'etag' } },
      { when: isPart(3), fault: { kind: 'etag', value: '"other"' } },
    ];
    assert.deepEqual(await Promise.all([1, 2, 3].map(part)), [
      '"9dd4e461268c8034f5c8564e155c67a6"',
      undefined,
      '"other"',
    ]);

    proxy.rules = [{ when: ({ method }) => method === 'GET', fault: { kind: 'truncate', bytes: 70_000 } }];
    await assert.rejects(getObject(through, Bucket, 'p/plain'));
  });

  it('can be any other server', () => {
    const env = {
      S3_TEST_ENDPOINT: 'http://127.0.0.1:1',
      S3_TEST_ACCESS_KEY_ID: 'a',
      S3_TEST_SECRET_ACCESS_KEY: 'b',
    };
    const expected = {
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      accessKeyId: 'a',
      secretAccessKey: 'b',
    };
    assert.deepEqual(givenS3Server(env), expected);
    assert.equal(givenS3Server({}), undefined);
    assert.throws(() => givenS3Server({ S3_TEST_ENDPOINT: 'http://127.0.0.1:1' }), /S3_TEST_ACCESS_KEY_ID/);
  });
});

describe('TCP proxy', () => {
  const length = 3_000_000;
  const send = async (port: number) => {
    const login = await openssh(
      sandbox,
      {
        ...sandbox.ssh,
        port,
        knownHosts: sandbox.ssh.knownHosts.replaceAll(`:${sandbox.ssh.port} `, `:${port} `),
      },
      '-i',
      sandbox.keys.plain,
    );
    return (await run([...login, `head -c ${length} /dev/zero | tr '\\0' x`])).length;
  };

  it('forwards, late and slowly', async () => {
    await using proxy = await startTcpProxy(sandbox.ssh, { delayMs: 5, bytesPerSecond: 20e6 });
    assert.equal(await send(proxy.port), length);
    assert.ok(proxy.bytes > length);
  });

  for (const cutWith of ['reset', 'end'] as const) {
    it(`cuts the line (${cutWith})`, async () => {
      await using proxy = await startTcpProxy(sandbox.ssh, { cutAfterBytes: 1_000_000, cutWith });
      await assert.rejects(send(proxy.port), /reset|closed|Broken pipe/i);
      assert.equal(proxy.bytes, 1_000_000);
    });
  }

  it('goes silent, and keeps the connection', async () => {
    await using proxy = await startTcpProxy(sandbox.ssh);
    const socket = createConnection(proxy.port, '127.0.0.1');
    await once(socket, 'data'); // sshd's greeting
    proxy.faults = { silent: true };
    const { bytes } = proxy;
    const word = 'SSH-2.0-test\r\n';
    socket.write(word);
    while (proxy.lost < word.length) await sleep(5);
    assert.equal(proxy.bytes, bytes);
    assert.equal(socket.readyState, 'open');
    socket.destroy();
  });
});
