import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { suite, test } from 'node:test';
import { verifyUpload } from '../../src/backup/verify-upload.ts';
import { CopyError } from '../../src/s3/server-copy.ts';
import { oneAfterAnother } from '../../src/s3/upload.ts';
import { getObject } from '../support/s3.ts';
import { type S3Rule, startS3Proxy } from '../support/s3-proxy.ts';
import {
  bytesOf,
  chunksOf,
  MiB,
  partSize,
  send,
  sendLanes,
  tool,
  useTestBucket,
} from '../support/test-bucket.ts';

suite('an object whose lanes are sent at the same time', async () => {
  const { server, client, bucket, openStore, assertNothingLeft } = await useTestBucket();
  const lanesOf = (...bodies: readonly Buffer[]) =>
    bodies.map((body) => ({ body: Readable.from(chunksOf(body)), mostBytes: body.length }));
  /** The same size twice is not the same bytes. */
  const laneOf = (size: number, i: number): Buffer => {
    const bytes = bytesOf(size);
    if (size > 0) bytes[0] = i + 1;
    return bytes;
  };

  const shortest = 5 * MiB;
  const cases: readonly (readonly [parts: number, ...sizes: number[]])[] = [
    [1, 0, 0],
    [1, 1, 0, 1],
    [1, shortest - 1, 1],
    [1, 0, partSize],
    [2, shortest, 1],
    [2, shortest + 1, 0, 1],
    [2, partSize + 1, 2],
    [3, partSize + 1, partSize + 1, 2],
    [3, partSize + shortest, 1],
    [3, 2 * partSize, 0, 7],
    [7, 2 * partSize + 1, 3 * partSize - 1, 100, partSize + 3],
    [5, 1, 4 * partSize + 5, 0],
  ];
  for (const [parts, ...sizes] of cases) {
    test(`of ${sizes.join(' + ')} bytes`, async () => {
      using store = openStore();
      const key = `lanes/${sizes.join('-')}`;
      const bodies = sizes.map(laneOf);
      const whole = Buffer.concat(bodies);
      const uploaded = await sendLanes(store, key, lanesOf(...bodies));
      const { length: size } = whole;
      assert.deepEqual(uploaded, { key, size, sent: size, parts, partSize, proof: 'md5' });
      assert.ok(whole.equals(await getObject(client, bucket, key)), 'other bytes');
      assert.equal((await verifyUpload(store, uploaded, null, tool)).level, 'upload');
    });
  }

  test('has them under part numbers with gaps, and copies before them', async () => {
    await using proxy = await startS3Proxy(server);
    using store = openStore(proxy);
    const base = bytesOf(12 * MiB);
    await send(store, 'base', base);
    const md5 = createHash('md5')
      .update(base.subarray(0, 6 * MiB))
      .digest('hex');
    const copies = [{ unit: { offset: 0, length: 6 * MiB, md5, crc32: 0 }, offset: 0 }];
    const front = { key: 'base', etag: (await store.head('base'))?.etag, copies };
    const bodies = [2 * partSize + 1, 2 * partSize + 1, 3].map(laneOf);
    const uploaded = await sendLanes(store, 'fronted', lanesOf(...bodies), { front });
    assert.equal(uploaded.parts, 6);
    const whole = Buffer.concat([base.subarray(0, 6 * MiB), ...bodies]);
    assert.ok(whole.equals(await getObject(client, bucket, 'fronted')), 'other bytes');
    const numbers = proxy.requests
      .filter(({ path }) => path.endsWith('/fronted'))
      .map(({ query }) => Number(query.get('partNumber')))
      .filter((number) => number > 0)
      .toSorted((a, b) => a - b);
    assert.deepEqual(numbers.slice(0, 3), [1, 2, 3]);
    assert.ok((numbers.at(-1) ?? 0) > 4000, `${numbers}`);
  });

  test('has them one after another where gaps and sizes are not taken', async () => {
    using store = openStore();
    const bodies = [partSize + 1, 3, 2 * partSize].map(laneOf);
    const uploaded = await sendLanes(store, 'one', [oneAfterAnother(lanesOf(...bodies))]);
    assert.equal(uploaded.parts, 4);
    assert.ok(Buffer.concat(bodies).equals(await getObject(client, bucket, 'one')), 'other bytes');
  });

  const isComplete: S3Rule['when'] = ({ method, query }) => method === 'POST' && query.has('uploadId');
  for (const code of ['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall']) {
    test(`is made in another way where the server answers ${code}, and nothing is left`, async () => {
      await using proxy = await startS3Proxy(server, [
        { when: isComplete, fault: { kind: 'error', status: 400, code } },
      ]);
      using store = openStore(proxy);
      const lanes = lanesOf(...[partSize + 1, partSize + 1].map(laneOf));
      const expected = { name: CopyError.name, unsupported: true, message: /different sizes/ };
      await assert.rejects(sendLanes(store, code, lanes), expected);
      await assertNothingLeft(code);
    });
  }

  test('is made in another way where its first part was sent twice: Ceph then loses those behind gaps', async () => {
    const [one, other] = [2 * partSize, partSize + 1];
    for (const [number, isMade, ...sizes] of [
      ['1', false, one, other],
      ['3334', false, 1, one, other],
      ['2', true, one, other],
      ['5001', true, one, other],
    ] as const) {
      const when: S3Rule['when'] = ({ method, query }) =>
        method === 'PUT' && query.get('partNumber') === number;
      await using proxy = await startS3Proxy(server, [{ when, fault: { kind: 'lose-answer' }, times: 1 }]);
      using store = openStore(proxy);
      const key = `twice/${number}/`;
      const bodies = sizes.map(laneOf);
      const equal = lanesOf(...bodies).map(({ body }) => ({ body, mostBytes: 0 })); // ranges of numbers
      const sending = sendLanes(store, key, equal);
      if (!isMade) {
        await assert.rejects(sending, { name: CopyError.name, message: /first part .* more than once/ });
        await assertNothingLeft(key);
        continue;
      }
      await sending;
      assert.equal(proxy.requests.filter(when).length, 2);
      assert.ok(Buffer.concat(bodies).equals(await getObject(client, bucket, key)), 'other bytes');
    }
  });

  test('leaves nothing when one of them fails while the others stand still', async () => {
    for (const failing of [0, 1, 2]) {
      for (const oneLane of [false, true]) {
        using store = openStore();
        const key = `fails/${failing}/${oneLane}`;
        const cause = new Error(`lane ${failing} broke`);
        const lanes = [0, 1, 2].map((i) => {
          const body = new Readable({ read() {} });
          for (const chunk of chunksOf(laneOf(partSize + 3, i))) body.push(chunk);
          return { body, mostBytes: 0 };
        });
        const sending = sendLanes(store, key, oneLane ? [oneAfterAnother(lanes)] : lanes);
        setImmediate(() => lanes[failing]?.body.destroy(cause));
        await assert.rejects(sending, cause);
        for (const { body } of lanes) assert.equal(body.errored, cause);
        await assertNothingLeft(key);
      }
    }
  });

  test('leaves nothing when a part of one is refused, or when it is cancelled', async () => {
    const isPart: S3Rule['when'] = ({ method, query }) => method === 'PUT' && query.has('partNumber');
    const denied: S3Rule = { when: isPart, fault: { kind: 'error', status: 403, code: 'AccessDenied' } };
    const cancel = new AbortController();
    const reason = new Error('SIGTERM');
    const cancelling: S3Rule = {
      when: (request) => {
        if (isPart(request)) cancel.abort(reason);
        return false;
      },
      fault: { kind: 'reset' },
    };
    for (const [key, rule, expected] of [
      ['denied', denied, /denied s3:PutObject/],
      ['cancelled', cancelling, reason],
    ] as const) {
      await using proxy = await startS3Proxy(server, [rule]);
      using store = openStore(proxy);
      const lanes = [0, 1].map((i) => {
        const body = new Readable({ read() {} }); // more may come
        for (const chunk of chunksOf(laneOf(2 * partSize, i))) body.push(chunk);
        return { body, mostBytes: 0 };
      });
      await assert.rejects(sendLanes(store, key, lanes, { signal: cancel.signal }), expected);
      for (const { body } of lanes) assert.ok(body.destroyed);
      await assertNothingLeft(key);
    }
  });
});
