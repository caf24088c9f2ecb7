import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { before, suite, test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { StoreOptions } from '../../src/s3/store.ts';
import { getObject, listUploads } from '../support/s3.ts';
import { type S3Proxy, type S3Rule, type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';
import {
  bytesOf,
  chunksOf,
  failureOf,
  jobOf,
  MiB,
  partSize,
  send,
  sendLanes,
  useTestBucket,
} from '../support/test-bucket.ts';

const { server, client, bucket, openStore, assertNothingLeft } = await useTestBucket();

const AN_HOUR = 3_600_000;

const isPart = ({ method, query }: SeenRequest) => method === 'PUT' && query.has('partNumber');
const isThirdPart = (request: SeenRequest) => isPart(request) && request.query.get('partNumber') === '3';
const isCopy = ({ headers }: SeenRequest) => 'x-amz-copy-source' in headers;
const isBegin = ({ method, query }: SeenRequest) => method === 'POST' && query.has('uploads');
const isComplete = ({ method, query }: SeenRequest) => method === 'POST' && query.has('uploadId');
const isReceipt = ({ method, path }: SeenRequest) => method === 'PUT' && path.endsWith('.json');
const isRead = ({ method }: SeenRequest) => method === 'GET';
const isHead = ({ method }: SeenRequest) => method === 'HEAD';
const isList = ({ method, query }: SeenRequest) => method === 'GET' && query.has('list-type');
const isDelete = ({ method }: SeenRequest) => method === 'DELETE';

/** Refuses connections from the first such request on; the server does not see that one. */
const awayBefore = (proxy: () => S3Proxy, when: S3Rule['when']): S3Rule => ({
  when: (request) => {
    if (!when(request)) return false;
    proxy().goAway();
    return true;
  },
  fault: { kind: 'reset' },
  times: 1,
});

/** Refuses connections once the server has done what such a request asks: its answer is lost. */
const awayAfter = (proxy: () => S3Proxy, when: S3Rule['when']): S3Rule => ({
  when,
  fault: { kind: 'withhold', until: async () => proxy().goAway() },
  times: 1,
});

/**
 * A store on a server that goes away as the rule says. The log tells that it is away when the SDK has given up; then it
 * comes back, unless `onAway` does something else.
 */
async function away(
  rule: (proxy: () => S3Proxy) => S3Rule,
  options: Partial<StoreOptions> = {},
  signal?: AbortSignal,
  onAway = (proxy: S3Proxy) => proxy.comeBack(),
) {
  const proxy: S3Proxy = await startS3Proxy(server, [rule(() => proxy)]);
  const said: string[] = [];
  let back: Promise<void> | undefined;
  const job = jobOf((line) => {
    said.push(line.replace(proxy.endpoint, 'S3').replace(/\d+ s$/, 'N s'));
    if (said.length === 1) back = onAway(proxy);
  });
  const store = openStore(proxy, options, signal, job);
  await store.check(''); // it has answered
  return {
    proxy,
    store,
    /** That all this was one outage for the log, of connections that were refused. */
    assertTold: () =>
      assert.deepEqual(said, [
        'S3 does not answer as it did before (ECONNREFUSED): it is asked again for half a minute',
        'S3 answers again, after N s',
      ]),
    async [Symbol.asyncDispose]() {
      await back;
      store[Symbol.dispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

// Most wait for the pauses between attempts: several at a time.
suite('a server that is away for a while', { concurrency: 4 }, () => {
  const size = 3 * partSize + 1;
  const base = bytesOf(12 * MiB);
  const copies = [0, 1].map((i) => {
    const [offset, length] = [i * 6 * MiB, 6 * MiB];
    const bytes = base.subarray(offset, offset + length);
    return {
      unit: { offset, length, md5: createHash('md5').update(bytes).digest('hex'), crc32: crc32(bytes) },
      offset,
    };
  });
  let etag: string | undefined;
  before(async () => {
    using store = openStore();
    await send(store, 'base', base);
    etag = (await store.head('base'))?.etag;
  });

  for (const [what, rule] of [
    ['before it has taken a part', (proxy) => awayBefore(proxy, isThirdPart)],
    ['after it has taken a part', (proxy) => awayAfter(proxy, isThirdPart)],
    ['before the upload begins', (proxy) => awayBefore(proxy, isBegin)],
    ['before the object is made', (proxy) => awayBefore(proxy, isComplete)],
    ['after the object was made', (proxy) => awayAfter(proxy, isComplete)],
    ['when the key is looked at', (proxy) => awayBefore(proxy, isHead)],
  ] as const satisfies readonly (readonly [string, (proxy: () => S3Proxy) => S3Rule])[]) {
    test(`is waited for by an upload: ${what}`, async () => {
      await using scene = await away(rule);
      const key = `upload/${what}`;
      const uploaded = await send(scene.store, key, bytesOf(size));
      assert.deepEqual([uploaded.size, uploaded.proof], [size, 'md5']);
      assert.ok(bytesOf(size).equals(await getObject(client, bucket, key)), 'other bytes');
      assert.deepEqual(await listUploads(client, bucket, key), []);
      scene.assertTold();
    });
  }

  for (const [what, rule] of [
    ['before', awayBefore],
    ['after', awayAfter],
  ] as const) {
    test(`is waited for by a copy, ${what} it has made one`, async () => {
      await using scene = await away((proxy) => rule(proxy, isCopy));
      const key = `copy/${what}`;
      const uploaded = await send(scene.store, key, bytesOf(1), { front: { key: 'base', etag, copies } });
      assert.deepEqual(uploaded.copied, { from: 'base', bytes: base.length, proof: 'etag', unproven: [] });
      assert.ok(
        Buffer.concat([base, bytesOf(1)]).equals(await getObject(client, bucket, key)),
        'other bytes',
      );
      scene.assertTold();
    });

    test(`is waited for by a receipt, ${what} it has taken it`, async () => {
      await using scene = await away((proxy) => rule(proxy, isReceipt));
      const key = `receipt/${what}.json`;
      await scene.store.putJson(key, { made: true });
      assert.deepEqual(await scene.store.getJson(key), { made: true });
      scene.assertTold();
    });

    test(`is waited for by a receipt that replaces another one, ${what} it has taken it`, async () => {
      const key = `receipt/replaced-${what}.json`;
      using direct = openStore();
      await direct.putJson(key, { proofs: 0 });
      const { etag: replaces } = await direct.getTaggedJson(key);
      await using scene = await away((proxy) => rule(proxy, isReceipt));
      await scene.store.putJson(key, { proofs: 1 }, replaces);
      assert.deepEqual(await scene.store.getJson(key), { proofs: 1 });
      scene.assertTold();
    });
  }

  test('in which another run has replaced the receipt is not taken for one that lost its answer', async () => {
    const key = 'receipt/others.json';
    using direct = openStore();
    await direct.putJson(key, { proofs: 0 });
    const { etag: replaces } = await direct.getTaggedJson(key);
    const replacing = async (proxy: S3Proxy) => {
      await direct.putJson(key, { proofs: 'of others' });
      await proxy.comeBack();
    };
    const rule = (proxy: () => S3Proxy) => awayBefore(proxy, isReceipt);
    await using scene = await away(rule, {}, undefined, replacing);
    const error = await failureOf(scene.store.putJson(key, { proofs: 1 }, replaces));
    assert.match(error.message, /others\.json exists already$/);
    assert.deepEqual(await direct.getJson(key), { proofs: 'of others' });
  });

  test('is waited for by what a rollback reads, from the byte that was reached', async () => {
    await using scene = await away((proxy) =>
      awayBefore(proxy, (request) => isRead(request) && !isList(request)),
    );
    const range = await scene.store.range('base');
    assert.ok((await range.read(MiB, 5 * MiB)).equals(base.subarray(MiB, 6 * MiB)));
    scene.assertTold();
    const reached = 100_000;
    scene.proxy.rules = [{ when: isRead, fault: { kind: 'truncate', bytes: reached }, times: 1 }];
    assert.ok((await range.read(MiB, 5 * MiB)).equals(base.subarray(MiB, 6 * MiB)));
    assert.equal(scene.proxy.requests.at(-1)?.headers.range, `bytes=${MiB + reached}-${6 * MiB - 1}`);
  });

  test('is waited for by lists and by what is deleted', async () => {
    for (const [when, ask] of [
      [(request: SeenRequest) => isList(request) && request.query.get('prefix') === 'base', 'list'],
      [isDelete, 'delete'],
    ] as const) {
      await using scene = await away((proxy) => awayBefore(proxy, when));
      if (ask === 'delete') await scene.store.delete('gone');
      else assert.equal((await Array.fromAsync(scene.store.list('base'))).length, 1);
      scene.assertTold();
    }
  });

  test('in the first part of several lanes has them made in another way, which Ceph needs', async () => {
    await using scene = await away((proxy) =>
      awayAfter(proxy, (request) => isPart(request) && request.query.get('partNumber') === '1'),
    );
    const lanes = [0, 1].map(() => ({ body: Readable.from(chunksOf(bytesOf(partSize + 1))), mostBytes: 0 }));
    await assert.rejects(sendLanes(scene.store, 'lanes', lanes), {
      name: 'CopyError',
      message: /more than once/,
    });
    await assertNothingLeft('lanes');
  });

  test('is not waited for by a run that ends', async () => {
    const run = new AbortController();
    const reason = new Error('SIGTERM');
    const ends = async (proxy: S3Proxy) => {
      await proxy.comeBack(); // for what cleans up
      run.abort(reason);
    };
    await using scene = await away(
      (proxy) => awayBefore(proxy, isThirdPart),
      { outageWaitsMs: [AN_HOUR] },
      run.signal,
      ends,
    );
    await assert.rejects(send(scene.store, 'ended', bytesOf(size), { signal: run.signal }), reason);
    await assertNothingLeft('ended');
  });

  test('for longer fails an upload, which says for how long it was asked again', async () => {
    const left: string[] = [];
    const proxy: S3Proxy = await startS3Proxy(server, [awayBefore(() => proxy, isThirdPart)]);
    const said: string[] = [];
    using store = openStore(
      proxy,
      { outageWaitsMs: [1, 1, 1] },
      undefined,
      jobOf((line) => said.push(line)),
    );
    await store.check('');
    const sending = send(store, 'lost', bytesOf(size), { onLeftBehind: ({ message }) => left.push(message) });
    const error = await failureOf(sending);
    assert.match(error.message, /refuses connections \(ECONNREFUSED\)$/);
    assert.match(error.hint, /^It had answered before, and was asked again for \d+ s\. Look at the status/);
    assert.equal(said.length, 1, `${said}`);
    assert.match(left.join(), /could not be removed: .*refuses connections/);
    await proxy[Symbol.asyncDispose]();
  });
});
