import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { takeInventory } from '../../src/catalog/entries.ts';
import { catalogFolder, latestReceipt, writeReceipt } from '../../src/catalog/keys.ts';
import { sweepUnfinished } from '../../src/s3/unfinished-uploads.ts';
import { createBucket, listUploads, restrictedUser } from '../support/s3.ts';
import { type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';
import { sampleReceipt } from '../support/stored-backups.ts';
import { bytesOf, failureOf, partSize, send, useTestBucket } from '../support/test-bucket.ts';

const { server, client, bucket, openStore } = await useTestBucket();

describe('a bucket', () => {
  test('is read by range, and not past its end', async () => {
    using store = openStore();
    const bytes = bytesOf(20_000);
    await send(store, 'ranges', bytes);
    const reader = await store.range('ranges');
    assert.equal(reader.size, 20_000);
    assert.ok((await reader.read(4000, 5000)).equals(bytes.subarray(4000, 9000)));
    assert.equal((await reader.read(0, 0)).length, 0);
    assert.match((await failureOf(reader.read(19_999, 2))).message, /gave 1 bytes where 2/);
    assert.equal(await store.head('nothing'), undefined);
    assert.match((await failureOf(store.range('nothing'))).message, /no object s3:\/\/.*\/nothing/);
  });

  test('of two archives of one second, the receipt belongs to the one that it names', async () => {
    using store = openStore(server, { prefix: 'twins/' });
    const folder = catalogFolder('twins/', 'acme');
    const [zip, dump, alone] = [
      'prod_2026-01-02_00-00-00.zip',
      'prod_2026-01-02_00-00-00.dump',
      'prod_2026-01-01_00-00-00.zip',
    ];
    for (const name of [zip, dump, alone]) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${folder}${name}`, Body: '' }));
    }
    const receipt = sampleReceipt(bucket, `${folder}${dump}`, 'prod');
    await writeReceipt(store, receipt);
    const entries = await takeInventory(store, 'acme', 'prod');
    assert.deepEqual(
      entries.map(({ key, condition, receiptObject }) => [key, condition.kind, receiptObject !== undefined]),
      [
        [`${folder}${dump}`, 'verified', true],
        [`${folder}${zip}`, 'without-receipt', false],
        [`${folder}${alone}`, 'without-receipt', false],
      ],
    );
    assert.deepEqual(await latestReceipt(store, 'acme', 'prod'), receipt);
  });

  test('a receipt that is none is refused', async () => {
    using store = openStore(server, { prefix: 'refused/' });
    const folder = catalogFolder('refused/', 'acme');
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: `${folder}prod_2026-01-01_00-00-00.zip`, Body: '' }),
    );
    const Key = `${folder}prod_2026-01-01_00-00-00.json`;
    for (const [Body, message] of [
      ['{"version": 1', /is not JSON/],
      ['{"version": 1}', /receipt\.tool is missing/],
    ] as const) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
      assert.match((await failureOf(latestReceipt(store, 'acme', 'prod'))).message, message);
    }
  });

  test('lets a receipt be replaced by whoever has read it last, also where quotes count as part of an ETag', async () => {
    // As Ceph 16 and 18 do it.
    const when = ({ method, headers }: SeenRequest) =>
      method === 'PUT' && /^"/.test(headers['if-match'] ?? '');
    const fault = { kind: 'error', status: 412, code: 'PreconditionFailed' } as const;
    for (const rules of [[], [{ when, fault }]]) {
      await using proxy = await startS3Proxy(server, rules);
      using store = openStore(proxy);
      await store.putJson('tagged.json', 1);
      const { etag } = await store.getTaggedJson('tagged.json');
      assert.ok(etag);
      await store.putJson('tagged.json', 2, etag);
      assert.match((await failureOf(store.putJson('tagged.json', 3, etag))).message, /exists already/);
      assert.equal(await store.getJson('tagged.json'), 2);
    }
  });

  test('that is not there', async () => {
    using store = openStore(server, { bucket: 'no-such-bucket' });
    assert.match((await failureOf(store.check(''))).message, /no bucket no-such-bucket/);
    assert.match((await failureOf(send(store, 'k', bytesOf(1)))).message, /no bucket no-such-bucket/);
  });

  test('and wrong keys', async () => {
    using wrongKey = openStore({ ...server, accessKeyId: 'nobody' });
    assert.match((await failureOf(wrongKey.check(''))).message, /does not know the access key/);
    using wrongSecret = openStore({ ...server, secretAccessKey: 'wrong' });
    assert.match((await failureOf(wrongSecret.check(''))).message, /secret key does not belong/);
  });

  test('denied', async () => {
    const own = await createBucket(client);
    using stranger = openStore(await restrictedUser(server, own), { bucket: own });
    assert.match(
      (await failureOf(stranger.check('acme/'))).message,
      new RegExp(`denied s3:ListBucket on arn:aws:s3:::${own}$`),
    );

    const reader = await restrictedUser(server, own, ['s3:ListBucket', 's3:GetObject']);
    using readOnly = openStore(reader, { bucket: own });
    await readOnly.check('acme/');
    for (const size of [1, partSize + 1]) {
      const error = await failureOf(send(readOnly, 'acme/a.zip', bytesOf(size)));
      assert.match(error.message, new RegExp(`denied s3:PutObject on arn:aws:s3:::${own}/acme/a\\.zip`));
      assert.match(error.hint, /Allow s3:PutObject/);
    }
    assert.equal(await sweepUnfinished(readOnly, 'acme/', 0), undefined);
  });
});

test('sweeping removes old unfinished uploads under the own prefix', async () => {
  const own = await createBucket(client);
  using store = openStore(server, { bucket: own });
  for (const Key of ['acme/a.zip', 'acme/b.zip', 'acme2/c.zip', 'other/acme/d.zip']) {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: own, Key }));
    await client.send(new UploadPartCommand({ Bucket: own, Key, UploadId, PartNumber: 1, Body: 'left' }));
  }
  assert.deepEqual(await sweepUnfinished(store, 'acme/', 86_400_000), []);
  const swept = await sweepUnfinished(store, 'acme/', 0);
  assert.deepEqual(swept?.map(({ key }) => key).sort(), ['acme/a.zip', 'acme/b.zip']);
  assert.deepEqual(await listUploads(client, own), ['acme2/c.zip', 'other/acme/d.zip']);
});
