import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type S3Proxy, type S3Rule, startS3Proxy } from '../support/s3-proxy.ts';
import { bytesOf, failureOf, MiB, useTestBucket } from '../support/test-bucket.ts';

const { server, client, bucket, openStore } = await useTestBucket();

describe('a body that is cut while it is read', () => {
  const bytes = bytesOf(2 * MiB);
  let proxy: S3Proxy;
  before(async () => {
    proxy = await startS3Proxy(server);
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'whole', Body: bytes }));
    const json = JSON.stringify({ text: 'x'.repeat(100_000) });
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'json', Body: json }));
  });
  after(() => proxy[Symbol.asyncDispose]());

  const when: S3Rule['when'] = ({ method }) => method === 'GET';
  /** Cuts so many answers after so many bytes each, and returns the ranges that were asked for. */
  const cut = async (times: number | undefined, after: number, body: () => Promise<void>) => {
    proxy.rules = [{ when, fault: { kind: 'truncate', bytes: after }, times }];
    const before = proxy.requests.length;
    await body();
    return proxy.requests.slice(before).map(({ headers }) => headers.range);
  };

  test('is continued from the byte that was reached', async () => {
    using store = openStore(proxy);
    const ranges = await cut(3, 100_000, async () => {
      assert.ok((await store.read('whole', 5000, MiB)).equals(bytes.subarray(5000, 5000 + MiB)));
    });
    const last = 5000 + MiB - 1;
    assert.deepEqual(
      ranges,
      [0, 1, 2, 3].map((cuts) => `bytes=${5000 + cuts * 100_000}-${last}`),
    );
  });

  test('is hashed as it comes, each byte once', async () => {
    using store = openStore(proxy);
    const hash = createHash('sha256');
    const ranges = await cut(3, 100_000, () => store.hash('whole', 5000, MiB, hash));
    const wanted = createHash('sha256').update(bytes.subarray(5000, 5000 + MiB));
    assert.deepEqual([ranges.length, hash.digest('hex')], [4, wanted.digest('hex')]);
    proxy.rules = [];
    const beyond = await failureOf(store.hash('whole', MiB, MiB + 1, createHash('sha256')));
    assert.match(beyond.message, /whole gave 1048576 bytes where 1048577 were asked for, from byte 1048576$/);
  });

  test('is continued where nothing has come of it', async () => {
    using store = openStore(proxy);
    const ranges = await cut(2, 0, async () => {
      assert.ok((await store.read('whole', 0, MiB)).equals(bytes.subarray(0, MiB)));
    });
    assert.deepEqual(ranges, Array(3).fill(`bytes=0-${MiB - 1}`));
  });

  test('is continued where the whole object was asked for', async () => {
    using store = openStore(proxy);
    const ranges = await cut(1, 60_000, async () => {
      assert.deepEqual(await store.getJson('json'), { text: 'x'.repeat(100_000) });
    });
    assert.deepEqual(ranges, [undefined, 'bytes=60000-']);
  });

  test('begins again where the whole object was replaced meanwhile', async () => {
    using store = openStore(proxy);
    proxy.rules = [
      { when, fault: { kind: 'truncate', bytes: 60_000 }, times: 1 },
      { when, fault: { kind: 'etag', value: '"another"' }, times: 1 },
    ];
    const before = proxy.requests.length;
    assert.deepEqual(await store.getJson('json'), { text: 'x'.repeat(100_000) });
    const asked = proxy.requests.slice(before).map(({ headers }) => [headers.range, headers['if-match']]);
    const etag = asked[1]?.[1];
    assert.match(etag ?? '', /^"[0-9a-f]{32}"$/);
    assert.deepEqual(asked, [
      [undefined, undefined],
      ['bytes=60000-', etag],
      [undefined, undefined],
    ]);
  });

  test('JSON comes with the ETag of the very bytes that were read, by one request', async () => {
    using store = openStore(proxy);
    proxy.rules = [];
    const before = proxy.requests.length;
    const { value, etag } = await store.getTaggedJson('json');
    assert.deepEqual(value, { text: 'x'.repeat(100_000) });
    assert.equal(etag, (await store.head('json'))?.etag);
    assert.deepEqual(
      proxy.requests.slice(before).map(({ method }) => method),
      ['GET', 'HEAD'],
    );
  });

  test('is given up on when it is always cut', async () => {
    using store = openStore(proxy);
    const ranges = await cut(undefined, 1000, async () => {
      const error = await failureOf(store.read('whole', 0, MiB));
      assert.match(error.message, /^The connection to http:\S+ was lost or stalled/);
    });
    assert.equal(ranges.length, 5);
  });

  test('is not continued with another object, whatever the server makes of If-Match', async () => {
    using store = openStore(proxy);
    proxy.rules = [
      { when, fault: { kind: 'truncate', bytes: 1000 }, times: 1 },
      { when, fault: { kind: 'etag', value: '"another"' } },
    ];
    const error = await failureOf(store.read('whole', 0, MiB));
    assert.match(error.message, /whole was replaced while it was being read/);
    assert.match(proxy.requests.at(-1)?.headers['if-match'] ?? '', /^"[0-9a-f]{32}"$/);
  });

  test('ends with the run', async () => {
    const run = new AbortController();
    const reason = new Error('SIGTERM');
    using store = openStore(proxy, {}, run.signal);
    proxy.rules = [
      {
        when: (request) => {
          if (when(request)) run.abort(reason);
          return when(request);
        },
        fault: { kind: 'truncate', bytes: 1000 },
      },
    ];
    const before = proxy.requests.length;
    await assert.rejects(store.read('whole', 0, MiB), reason);
    assert.equal(proxy.requests.length, before + 1);
  });
});

test('reads of one archive are of one object', async () => {
  using store = openStore();
  const put = (Body: string) => client.send(new PutObjectCommand({ Bucket: bucket, Key: 'archive', Body }));
  await put('the first one');
  const reader = await store.range('archive');
  assert.equal((await reader.read(4, 5)).toString(), 'first');
  await put('the other one');
  assert.match((await failureOf(reader.read(4, 5))).message, /archive was replaced while it was being read/);
});
