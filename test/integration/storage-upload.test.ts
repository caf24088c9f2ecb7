import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { verifyUpload } from '../../src/backup/verify-upload.ts';
import type { Uploaded } from '../../src/s3/upload.ts';
import { kmsKeyId } from '../support/ceph.ts';
import { getObject, listUploads } from '../support/s3.ts';
import {
  bytesOf,
  chunksOf,
  failureOf,
  MiB,
  partSize,
  send,
  tool,
  useTestBucket,
} from '../support/test-bucket.ts';

const { server, client, bucket, openStore, assertNothingLeft } = await useTestBucket();

describe('an upload', () => {
  const sizes: [size: number, parts: number][] = [
    [0, 1],
    [1, 1],
    [partSize - 1, 1],
    [partSize, 1],
    [partSize + 1, 2],
    [3 * partSize - 1, 3],
    [3 * partSize, 3],
    [3 * partSize + 1, 4],
  ];
  for (const [size, parts] of sizes) {
    test(`of ${size} bytes`, async () => {
      using store = openStore();
      const key = `sizes/${size}`;
      const bytes = bytesOf(size);
      const progress: number[] = [];
      const uploaded = await send(store, key, bytes, { onPart: (sent) => progress.push(sent) });
      assert.deepEqual(uploaded, { key, size, sent: size, parts, partSize, proof: 'md5' });
      assert.deepEqual(
        progress,
        progress.toSorted((a, b) => a - b),
      );
      assert.equal(progress.at(-1), size);
      assert.ok(bytes.equals(await getObject(client, bucket, key)));
      assert.equal((await verifyUpload(store, uploaded, null, tool)).level, 'upload');
    });
  }

  test('carries metadata, storage class and type', async () => {
    using store = openStore(server, { storageClass: 'STANDARD_IA' });
    for (const size of [1, partSize + 1]) {
      const key = `metadata/${size}`;
      await send(store, key, bytesOf(size), { metadata: { database: 'prod', customer: 'Société 100 %' } });
      const head = await store.head(key);
      assert.equal(head?.storageClass, 'STANDARD_IA');
      assert.deepEqual(head?.metadata, { database: 'prod', customer: 'Soci%C3%A9t%C3%A9 100 %25' });
    }
  });

  const encryptions = [{ kind: 'AES256' }, { kind: 'aws:kms', keyId: kmsKeyId }] as const;
  for (const encryption of encryptions) {
    test(`encrypted with ${encryption.kind}`, async () => {
      using store = openStore(server, { encryption });
      for (const size of [1, partSize + 1]) {
        const key = `encrypted/${encryption.kind}/${size}`;
        const uploaded = await send(store, key, bytesOf(size));
        assert.equal((await store.head(key))?.encryption, encryption.kind);
        assert.ok(bytesOf(size).equals(await getObject(client, bucket, key)));
        await verifyUpload(store, uploaded, null, tool);
      }
      await store.putJson(`encrypted/${encryption.kind}/receipt.json`, {});
      assert.equal(
        (await store.head(`encrypted/${encryption.kind}/receipt.json`))?.encryption,
        encryption.kind,
      );
    });
  }

  test('with a KMS key that is not there says so', async () => {
    using store = openStore(server, { encryption: { kind: 'aws:kms', keyId: 'no-such-key' } });
    const error = await failureOf(send(store, 'encrypted/unknown', bytesOf(partSize + 1)));
    assert.match(error.hint, /kms-key-id/);
    await assertNothingLeft('encrypted/unknown');
  });

  test('never replaces an object', async () => {
    using store = openStore();
    await send(store, 'twice', Buffer.from('first'));
    const body = Readable.from(chunksOf(Buffer.from('second')));
    assert.match((await failureOf(send(store, 'twice', body))).message, /twice exists already/);
    assert.ok(body.destroyed);
    assert.equal(Buffer.from(await getObject(client, bucket, 'twice')).toString(), 'first');
  });

  test('never replaces one that appears while it runs', async () => {
    using store = openStore();
    for (const size of [1, partSize + 1]) {
      const key = `raced/${size}`;
      async function* slowly() {
        yield bytesOf(size);
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'other' }));
      }
      assert.match((await failureOf(send(store, key, Readable.from(slowly())))).message, /exists already/);
      assert.equal(Buffer.from(await getObject(client, bucket, key)).toString(), 'other');
      assert.deepEqual(await listUploads(client, bucket, key), []);
    }
  });
});

describe('an upload that fails leaves nothing', () => {
  for (const sent of [0, 1, partSize, 2 * partSize + 1]) {
    test(`the body ends in an error after ${sent} bytes`, async () => {
      using store = openStore();
      const broken = new Error('pg_dump was killed');
      const key = `broken/${sent}`;
      async function* dump() {
        yield* chunksOf(bytesOf(sent));
        throw broken;
      }
      await assert.rejects(send(store, key, Readable.from(dump())), broken);
      await assertNothingLeft(key);
    });

    test(`the body is destroyed without an error after ${sent} bytes`, async () => {
      using store = openStore();
      const key = `closed/${sent}`;
      const body = new Readable({ read() {} });
      for (const chunk of chunksOf(bytesOf(sent))) body.push(chunk);
      const sending = send(store, key, body);
      setImmediate(() => body.destroy());
      await assert.rejects(sending, { code: 'ERR_STREAM_PREMATURE_CLOSE' });
      await assertNothingLeft(key);
    });

    test(`it is cancelled after ${sent} bytes, while the body stands still`, async () => {
      using store = openStore();
      const key = `cancelled/${sent}`;
      const cancel = new AbortController();
      const reason = new Error('SIGTERM');
      const body = new Readable({ read() {} });
      for (const chunk of chunksOf(bytesOf(sent))) body.push(chunk);
      const sending = send(store, key, body, { signal: cancel.signal });
      sending.catch(() => {}); // awaited below
      while (body.readableLength > 0) await sleep(5);
      cancel.abort(reason);
      await assert.rejects(sending, reason);
      assert.ok(body.destroyed);
      await assertNothingLeft(key);
    });
  }

  test('it was cancelled before it began', async () => {
    using store = openStore();
    const reason = new Error('SIGINT');
    const body = Readable.from(chunksOf(bytesOf(1)));
    await assert.rejects(send(store, 'early', body, { signal: AbortSignal.abort(reason) }), reason);
    assert.ok(body.destroyed);
    await assertNothingLeft('early');
  });
});

describe('verification', () => {
  const bytes = bytesOf(partSize + 1000);
  const directory = {
    offset: partSize,
    length: 1000,
    md5: createHash('md5').update(bytes.subarray(partSize)).digest('hex'),
    entries: 1,
  };

  test('reads the central directory back', async () => {
    using store = openStore();
    const uploaded = await send(store, 'verify/good', bytes);
    const proof = await verifyUpload(store, uploaded, { directory, segments: [] }, tool);
    assert.deepEqual({ ...proof, at: '' }, { level: 'upload', at: '', tool });
  });

  test('says what differs', async () => {
    using store = openStore();
    const uploaded = await send(store, 'verify/bad', bytes);
    const verify = (sent: Uploaded, written: typeof directory) =>
      failureOf(verifyUpload(store, sent, { directory: written, segments: [] }, tool));
    const md5 = '0'.repeat(32);
    assert.match((await verify({ ...uploaded, key: 'verify/gone' }, directory)).message, /gone is gone/);
    assert.match(
      (await verify({ ...uploaded, size: 5 }, directory)).message,
      /8389608 bytes, but 5 were sent/,
    );
    assert.match(
      (await verify(uploaded, { ...directory, length: 999 })).message,
      /directory ends at 8389607/,
    );
    assert.match(
      (await verify(uploaded, { ...directory, md5 })).message,
      new RegExp(`but ${md5} was written`),
    );
  });
});

test('a gigabyte streams through bounded memory', async (t) => {
  using store = openStore();
  const block = bytesOf(MiB);
  let peak = 0;
  async function* body() {
    for (let sent = 0; sent < 1024; sent++) {
      peak = Math.max(peak, process.memoryUsage.rss());
      yield Buffer.from(block); // as from a socket: a new one each time
    }
  }
  const before = process.memoryUsage.rss();
  const uploaded = await send(store, 'gigabyte', Readable.from(body()));
  assert.equal(uploaded.parts, 128);
  assert.equal((await store.head('gigabyte'))?.size, 1024 * MiB);
  await store.delete('gigabyte');
  t.diagnostic(`peak RSS ${Math.round(peak / MiB)} MiB, ${Math.round(before / MiB)} MiB before`);
  assert.ok(peak - before < 256 * MiB, `${peak - before} bytes more`);
});
