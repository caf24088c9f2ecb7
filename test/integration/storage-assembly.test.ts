import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, suite, test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { CopiedUnit } from '../../src/archive/reuse.ts';
import { verifyUpload } from '../../src/backup/verify-upload.ts';
import { type CopiedFront, CopyError } from '../../src/s3/server-copy.ts';
import { getObject } from '../support/s3.ts';
import { type S3Rule, startS3Proxy } from '../support/s3-proxy.ts';
import { bytesOf, MiB, partSize, send, tool, useTestBucket } from '../support/test-bucket.ts';

// Some wait for the pauses between attempts: several at a time.
suite('an object that begins with parts of another one', { concurrency: 4 }, async () => {
  const { server, client, bucket, openStore, assertNothingLeft } = await useTestBucket();
  const base = bytesOf(20 * MiB);
  const key = 'base/ä +.zip';

  /** These bytes of the base, one after the other. */
  function copiesOf(...ranges: readonly [offset: number, length: number][]): CopiedUnit[] {
    let end = 0;
    return ranges.map(([offset, length]) => {
      const bytes = base.subarray(offset, offset + length);
      const md5 = createHash('md5').update(bytes).digest('hex');
      end += length;
      return { unit: { offset, length, md5, crc32: crc32(bytes) }, offset: end - length };
    });
  }

  const copies = copiesOf([MiB, 5 * MiB], [7 * MiB, 6 * MiB + 1]);
  const copied = Buffer.concat(
    copies.map(({ unit }) => base.subarray(unit.offset, unit.offset + unit.length)),
  );

  let etag: string | undefined;
  before(async () => {
    using store = openStore();
    await send(store, key, base);
    etag = (await store.head(key))?.etag;
  });
  const frontOf = (of: readonly CopiedUnit[] = copies): CopiedFront => ({ key, etag, copies: of });

  for (const size of [1, partSize - 1, partSize, 2 * partSize + 1]) {
    test(`and goes on with ${size} bytes`, async () => {
      const front = frontOf();
      using store = openStore();
      const target = `whole/${size}`;
      const uploaded = await send(store, target, bytesOf(size), { front });
      assert.deepEqual(uploaded.copied, { from: key, bytes: copied.length, proof: 'etag', unproven: [] });
      assert.deepEqual([uploaded.size, uploaded.sent], [copied.length + size, size]);
      const object = await getObject(client, bucket, target);
      assert.ok(Buffer.concat([copied, bytesOf(size)]).equals(object), 'other bytes');
      assert.equal((await verifyUpload(store, uploaded, null, tool)).level, 'upload');
    });
  }

  test('is read back where the server’s answer proves nothing', async () => {
    const [first, second] = copies as [CopiedUnit, CopiedUnit];
    const other = { ...first, unit: { ...first.unit, md5: '0'.repeat(32) } };
    const front = frontOf([other, second]);
    using store = openStore();
    const uploaded = await send(store, 'unproven', bytesOf(1), { front });
    assert.equal(uploaded.copied?.proof, 'read-back');
    assert.deepEqual(uploaded.copied?.unproven, [other]);
    const message = /reads back with MD5 \w+, but 0{32} was written/;
    await assert.rejects(verifyUpload(store, uploaded, null, tool), { name: CopyError.name, message });
    const right = { ...uploaded, copied: { ...uploaded.copied, unproven: [first] } };
    assert.equal((await verifyUpload(store, right, null, tool)).level, 'upload');
  });

  test('is asked for again where the answer to a copy is an error (HTTP 200), or is lost', async () => {
    const when: S3Rule['when'] = ({ headers }) => 'x-amz-copy-source' in headers;
    const lateError = '<?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>\n';
    await using proxy = await startS3Proxy(server, [
      { when, fault: { kind: 'stand-in', answer: async () => lateError }, times: 1 },
      { when, fault: { kind: 'lose-answer' }, times: 1 },
    ]);
    using store = openStore(proxy);
    const uploaded = await send(store, 'late', bytesOf(1), { front: frontOf() });
    assert.deepEqual(uploaded.copied, { from: key, bytes: copied.length, proof: 'etag', unproven: [] });
    const object = await getObject(client, bucket, 'late');
    assert.ok(Buffer.concat([copied, bytesOf(1)]).equals(object), 'other bytes');
    assert.equal(proxy.requests.filter(when).length, copies.length + 2);
  });

  const failing: [
    what: string,
    front: (front: CopiedFront) => CopiedFront,
    rules: readonly S3Rule[],
    message: RegExp,
  ][] = [
    ['is gone', (front) => ({ ...front, key: 'gone' }), [], /could not be copied: There is no object/],
    [
      'cannot be copied',
      (front) => front,
      [
        {
          when: ({ headers }) => 'x-amz-copy-source' in headers,
          fault: { kind: 'error', status: 501, code: 'NotImplemented' },
        },
      ],
      /cannot copy parts/,
    ],
    [
      'cannot be copied any more',
      (front) => front,
      [
        {
          when: ({ headers, query }) => 'x-amz-copy-source' in headers && query.get('partNumber') === '2',
          fault: { kind: 'error', status: 403, code: 'AccessDenied' },
        },
      ],
      /could not be copied/,
    ],
    ...['InvalidPart', 'EntityTooSmall'].map((code): (typeof failing)[number] => [
      `cannot stand beside parts of another size (${code})`,
      (front) => front,
      [
        {
          when: ({ method, query }) => method === 'POST' && query.has('uploadId'),
          fault: { kind: 'error', status: 400, code },
        },
      ],
      /does not accept parts of different sizes/,
    ]),
  ];
  for (const [what, change, rules, message] of failing) {
    for (const size of [1, 2 * partSize + 1]) {
      test(`which ${what}: nothing is left of ${size} bytes and it`, async () => {
        const front = change(frontOf());
        await using proxy = await startS3Proxy(server, rules);
        using store = openStore(proxy);
        const target = `failed/${what}/${size} bytes`; // no prefix of another one
        const sent = send(store, target, bytesOf(size), { front });
        await assert.rejects(sent, { name: CopyError.name, message });
        await assertNothingLeft(target);
      });
    }
  }
});
