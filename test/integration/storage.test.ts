import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { UserError } from '../../src/errors.ts';
import {
  archiveKey,
  catalogFolder,
  latestReceipt,
  listBackups,
  writeReceipt,
} from '../../src/storage/catalog.ts';
import type { Receipt } from '../../src/storage/receipt.ts';
import { Store, type StoreOptions } from '../../src/storage/store.ts';
import { sweepUnfinished } from '../../src/storage/sweep.ts';
import { type Uploaded, type UploadOptions, upload } from '../../src/storage/upload.ts';
import { verifyUpload } from '../../src/storage/verify-upload.ts';
import { kmsKeyId } from '../support/ceph.ts';
import {
  createBucket,
  getObject,
  listKeys,
  listUploads,
  restrictedUser,
  type S3Server,
  s3Client,
} from '../support/s3.ts';
import { type S3Proxy, type S3Rule, startS3Proxy } from '../support/s3-proxy.ts';
import { useSandbox } from '../support/sandbox.ts';

const MiB = 1024 ** 2;
const partSize = 8 * MiB;
const server = useSandbox().s3;
const tool = { name: 'odoo-backup-action', version: '0.0.0' };

let client: S3Client;
let bucket: string;

before(async () => {
  client = s3Client(server);
  bucket = await createBucket(client);
});
after(() => client.destroy());

/** Credentials come from the environment, as in a job. */
function openStore(at: S3Server = server, options: Partial<StoreOptions> = {}): Store {
  process.env.AWS_ACCESS_KEY_ID = at.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = at.secretAccessKey;
  return new Store({
    bucket,
    prefix: '',
    endpoint: at.endpoint,
    region: at.region,
    pathStyle: undefined,
    ...options,
  });
}

/** The same bytes for the same size, other ones in every block. */
function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4096) bytes.writeUInt32LE(at / 4096 + 1, at);
  return bytes;
}

/** In chunks as a socket delivers them. */
function* chunksOf(bytes: Buffer, chunk = 65_536 - 7): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

const options: UploadOptions = { expectedBytes: 0, contentType: 'application/zip' };

function send(
  store: Store,
  key: string,
  body: Buffer | Readable,
  more: Partial<UploadOptions> = {},
): Promise<Uploaded> {
  const stream = body instanceof Readable ? body : Readable.from(chunksOf(body));
  return upload(store, key, stream, { ...options, ...more });
}

async function failureOf(action: Promise<unknown>): Promise<UserError> {
  const error = await action.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UserError, String(error));
  return error;
}

/** Neither an object nor an unfinished upload. */
async function assertNothingLeft(key: string): Promise<void> {
  assert.deepEqual(await listKeys(client, bucket, key), []);
  assert.deepEqual(await listUploads(client, bucket, key), []);
}

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
      assert.deepEqual(uploaded, { key, size, parts, partSize, proof: 'md5' });
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
      sleep(100).then(() => cancel.abort(reason));
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

describe('a server that fails', () => {
  let proxy: S3Proxy;
  before(async () => {
    proxy = await startS3Proxy(server);
  });
  after(() => proxy[Symbol.asyncDispose]());

  const isPart: S3Rule['when'] = ({ method, query }) => method === 'PUT' && query.has('partNumber');
  const isThirdPart: S3Rule['when'] = (request) => isPart(request) && request.query.get('partNumber') === '3';
  const isPut: S3Rule['when'] = ({ method, query }) => method === 'PUT' && !query.has('partNumber');
  const isComplete: S3Rule['when'] = ({ method, query }) => method === 'POST' && query.has('uploadId');
  const isAbort: S3Rule['when'] = ({ method, query }) => method === 'DELETE' && query.has('uploadId');
  const size = 4 * partSize + 1;

  const passing: [name: string, size: number, rule: S3Rule][] = [
    [
      '500 for a part, twice',
      size,
      { when: isThirdPart, fault: { kind: 'error', status: 500, code: 'InternalError' }, times: 2 },
    ],
    [
      '503 for many parts',
      size,
      { when: isPart, fault: { kind: 'error', status: 503, code: 'SlowDown' }, times: 3 },
    ],
    ['a part’s connection reset', size, { when: isThirdPart, fault: { kind: 'reset' }, times: 2 }],
    ['a part’s answer lost', size, { when: isThirdPart, fault: { kind: 'lose-answer' }, times: 1 }],
    ['a slow connection', size, { when: isPart, fault: { kind: 'slow', bytesPerSecond: 16 * MiB } }],
    [
      '500 for the end',
      size,
      { when: isComplete, fault: { kind: 'error', status: 500, code: 'InternalError' }, times: 1 },
    ],
    ['the end’s answer lost', size, { when: isComplete, fault: { kind: 'lose-answer' }, times: 1 }],
    ['a small object’s answer lost', 1, { when: isPut, fault: { kind: 'lose-answer' }, times: 1 }],
    [
      'no If-None-Match at the end',
      size,
      { when: isComplete, fault: { kind: 'error', status: 501, code: 'NotImplemented' }, times: 1 },
    ],
    [
      'no If-None-Match for a small object',
      1,
      { when: isPut, fault: { kind: 'error', status: 501, code: 'NotImplemented' }, times: 1 },
    ],
    ['an end without an ETag', size, { when: isComplete, fault: { kind: 'etag' } }],
  ];
  for (const [name, size, rule] of passing) {
    test(`is asked again: ${name}`, async () => {
      proxy.rules = [rule];
      using store = openStore(proxy);
      const key = `again/${name}`;
      const uploaded = await send(store, key, bytesOf(size));
      assert.equal(uploaded.size, size);
      assert.ok(bytesOf(size).equals(await getObject(client, bucket, key)));
      assert.deepEqual(await listUploads(client, bucket, key), []);
    });
  }

  const failing: [name: string, size: number, rule: S3Rule, message: RegExp][] = [
    [
      '500 for a part, always',
      size,
      { when: isThirdPart, fault: { kind: 'error', status: 500, code: 'InternalError' } },
      /HTTP 500 \(InternalError\) on s3:PutObject/,
    ],
    [
      '403 for a part',
      size,
      { when: isThirdPart, fault: { kind: 'error', status: 403, code: 'AccessDenied' } },
      /denied s3:PutObject/,
    ],
    [
      'another ETag for a part',
      size,
      { when: isThirdPart, fault: { kind: 'etag', value: `"${'0'.repeat(32)}"` } },
      /stored other bytes/,
    ],
    [
      'another ETag for a small object',
      1,
      { when: isPut, fault: { kind: 'etag', value: `"${'0'.repeat(32)}"` } },
      /stored other bytes/,
    ],
    ['no ETag for a small object', 1, { when: isPut, fault: { kind: 'etag' } }, /MD5 unknown instead of/],
    [
      '403 for the end',
      size,
      { when: isComplete, fault: { kind: 'error', status: 403, code: 'AccessDenied' } },
      /denied s3:PutObject/,
    ],
  ];
  for (const [name, size, rule, message] of failing) {
    test(`fails the upload, and nothing is left: ${name}`, async () => {
      proxy.rules = [rule];
      using store = openStore(proxy);
      const key = `fails/${name}`;
      const body = Readable.from(chunksOf(bytesOf(size)));
      assert.match((await failureOf(send(store, key, body))).message, message);
      assert.ok(body.destroyed);
      await assertNothingLeft(key);
    });
  }

  /** A rule that breaks nothing and tells when such a request comes. */
  const watch = (when: S3Rule['when'], seen: () => void): S3Rule => ({
    when: (request) => {
      if (when(request)) seen();
      return false;
    },
    fault: { kind: 'reset' },
  });

  type Cancellation = (cancel: () => void) => { rules: S3Rule[]; onPart?: (bytes: number) => void };
  const cancellations: [name: string, at: Cancellation][] = [
    [
      'with parts under way',
      (cancel) => {
        const slow: S3Rule = { when: isPart, fault: { kind: 'slow', bytesPerSecond: MiB } };
        return { rules: [watch(isThirdPart, cancel), slow] };
      },
    ],
    [
      'between the last part and the end',
      (cancel) => ({ rules: [], onPart: (bytes) => void (bytes === size && cancel()) }),
    ],
    ['while the object is made', (cancel) => ({ rules: [watch(isComplete, cancel)] })],
  ];
  for (const [name, at] of cancellations) {
    test(`or is given up on, and nothing is left: ${name}`, async () => {
      using store = openStore(proxy);
      const key = `given-up/${name}`;
      const cancel = new AbortController();
      const reason = new Error('SIGTERM');
      const { rules, onPart } = at(() => cancel.abort(reason));
      proxy.rules = rules;
      await assert.rejects(send(store, key, bytesOf(size), { signal: cancel.signal, onPart }), reason);
      await assertNothingLeft(key);
    });
  }

  test('without MD5s under SSE-KMS is told apart', async () => {
    const other = { kind: 'etag', value: `"${'0'.repeat(32)}"` } as const;
    proxy.rules = [{ when: ({ method }) => method === 'PUT', fault: other }];
    using store = openStore(proxy, { encryption: { kind: 'aws:kms', keyId: kmsKeyId } });
    assert.equal((await send(store, 'kms/small', bytesOf(1))).proof, 'content-md5');
  });

  test('stops the body at once, though that stands still', async () => {
    proxy.rules = [{ when: isPart, fault: { kind: 'error', status: 403, code: 'AccessDenied' } }];
    using store = openStore(proxy);
    const body = new Readable({ read() {} });
    for (const chunk of chunksOf(bytesOf(partSize + 1))) body.push(chunk);
    await failureOf(send(store, 'still', body));
    await assertNothingLeft('still');
  });

  test('what cannot be removed is told, and the first error stays the one to see', async () => {
    const denied = { kind: 'error', status: 403, code: 'AccessDenied' } as const;
    proxy.rules = [
      { when: isThirdPart, fault: { kind: 'error', status: 400, code: 'Strange' } },
      { when: isAbort, fault: denied },
    ];
    using store = openStore(proxy);
    const left: UserError[] = [];
    const sending = send(store, 'left', bytesOf(size), { onLeftBehind: (error) => left.push(error) });
    assert.match((await failureOf(sending)).message, /Strange/);
    assert.equal(left.length, 1);
    assert.match(
      left[0]?.message ?? '',
      /s3:\/\/.*left could not be removed: S3 denied s3:AbortMultipartUpload/,
    );
    assert.deepEqual(await listUploads(client, bucket, 'left'), ['left']);
  });

  test('a read that breaks off is an error', async () => {
    proxy.rules = [];
    using store = openStore(proxy);
    await send(store, 'cut', bytesOf(MiB));
    proxy.rules = [{ when: ({ method }) => method === 'GET', fault: { kind: 'truncate', bytes: 1000 } }];
    assert.match((await failureOf(store.read('cut', 0, MiB))).message, /broke|bytes/);
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
    const proof = await verifyUpload(store, uploaded, directory, tool);
    assert.deepEqual({ ...proof, at: '' }, { level: 'upload', at: '', tool });
  });

  test('says what differs', async () => {
    using store = openStore();
    const uploaded = await send(store, 'verify/bad', bytes);
    const verify = (sent: Uploaded, written: typeof directory) =>
      failureOf(verifyUpload(store, sent, written, tool));
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

  test('lists more than a page, and finds the newest receipt among them', async () => {
    const own = await createBucket(client);
    using store = openStore(server, { bucket: own, prefix: 'odoo/' });
    const folder = catalogFolder('odoo/', 'acme');
    const begin = Date.parse('2026-01-01T00:00:00Z');
    const name = (database: string, minute: number) => ({ database, at: new Date(begin + minute * 60_000) });
    for (let minute = 0; minute < 1050; minute += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, more) => {
          const Key = archiveKey(folder, name('prod', minute + more), '.zip');
          return client.send(new PutObjectCommand({ Bucket: own, Key, Body: '' }));
        }),
      );
    }
    assert.equal(await latestReceipt(store, 'acme', 'prod'), undefined);

    const receipt = (database: string, minute: number) =>
      sampleReceipt(own, archiveKey(folder, name(database, minute), '.zip'), database);
    for (const written of [receipt('prod', 3), receipt('prod', 1001), receipt('prod2', 1040)]) {
      await writeReceipt(store, written);
    }
    await writeReceipt(store, receipt('prod', 2000)); // its archive is not there
    await store.putJson(`${folder}prod_notes.json`, {});

    assert.deepEqual(await latestReceipt(store, 'acme', 'prod'), receipt('prod', 1001));
    const backups = await listBackups(store, 'acme', 'prod');
    assert.equal(backups.length, 1051);
    assert.deepEqual(backups[0]?.at, name('prod', 2000).at);
    assert.equal(backups.filter(({ receipt }) => receipt).length, 3);
    assert.equal((await listBackups(store, 'acme')).length, 1052);
    assert.deepEqual(await listBackups(store, 'nobody'), []);
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
  const uploaded = await send(store, 'gigabyte', Readable.from(body()), { expectedBytes: 1024 * MiB });
  assert.equal(uploaded.parts, 128);
  assert.equal((await store.head('gigabyte'))?.size, 1024 * MiB);
  await store.delete('gigabyte');
  t.diagnostic(`peak RSS ${Math.round(peak / MiB)} MiB, ${Math.round(before / MiB)} MiB before`);
  assert.ok(peak - before < 256 * MiB, `${peak - before} bytes more`);
});

function sampleReceipt(bucket: string, key: string, database: string): Receipt {
  return {
    version: 1,
    tool,
    bucket,
    key,
    database,
    customer: 'acme',
    format: 'odoo',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.000Z',
    size: 0,
    odoo: null,
    postgres: { server: '15.18', client: '15.18' },
    segments: [],
    directory: null,
    upload: { parts: 1, partSize, proof: 'md5' },
    proofs: [],
    filestore: null,
    counts: {},
    durations: {},
    bytesSent: 0,
    run: { platform: 'terminal' },
  };
}
