import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import type { UserError } from '../../src/util/errors.ts';
import { kmsKeyId } from '../support/ceph.ts';
import { getObject, listUploads } from '../support/s3.ts';
import { type S3Fault, type S3Rule, startS3Proxy } from '../support/s3-proxy.ts';
import { bytesOf, chunksOf, failureOf, MiB, partSize, send, useTestBucket } from '../support/test-bucket.ts';

const { server, client, bucket, openStore, assertNothingLeft } = await useTestBucket();

// Most wait for the pauses between attempts: several at a time.
describe('a server that fails', { concurrency: 4 }, () => {
  const isPart: S3Rule['when'] = ({ method, query }) => method === 'PUT' && query.has('partNumber');
  const isThirdPart: S3Rule['when'] = (request) => isPart(request) && request.query.get('partNumber') === '3';
  const isPut: S3Rule['when'] = ({ method, query }) => method === 'PUT' && !query.has('partNumber');
  const isComplete: S3Rule['when'] = ({ method, query }) => method === 'POST' && query.has('uploadId');
  const isAbort: S3Rule['when'] = ({ method, query }) => method === 'DELETE' && query.has('uploadId');
  const size = 3 * partSize + 1;

  /** S3 has said 200 by then. The line break behind it keeps the SDK from seeing it. */
  const lateError =
    '<?xml version="1.0"?>\n  <Error><Code>InternalError</Code><Key>key</Key><BucketName>b</BucketName></Error>\n';
  const page = '<html><body>Welcome</body></html>';
  const answeredBy = (body: string): S3Fault => ({ kind: 'stand-in', answer: async () => body });

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
    [
      'the middle of a part lost',
      size,
      { when: isThirdPart, fault: { kind: 'break-body', bytes: 3 * MiB }, times: 2 },
    ],
    [
      '500 for a part that was taken',
      size,
      { when: isThirdPart, fault: { kind: 'late-error', status: 500, code: 'InternalError' }, times: 2 },
    ],
    [
      '500 for an end that was reached',
      size,
      { when: isComplete, fault: { kind: 'late-error', status: 500, code: 'InternalError' }, times: 2 },
    ],
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
    ['a small object’s answer without an ETag', 1, { when: isPut, fault: { kind: 'etag' } }],
    ['200 with an error for the end', size, { when: isComplete, fault: answeredBy(lateError), times: 2 }],
    ['200 with a page for a part', size, { when: isThirdPart, fault: answeredBy(page), times: 2 }],
    ['200 with a page for a small object', 1, { when: isPut, fault: answeredBy(page), times: 2 }],
    ['200 with a page for the end', size, { when: isComplete, fault: answeredBy(page), times: 1 }],
  ];
  for (const [name, size, rule] of passing) {
    test(`is asked again: ${name}`, async () => {
      await using proxy = await startS3Proxy(server, [rule]);
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
    [
      '403 for the end',
      size,
      { when: isComplete, fault: { kind: 'error', status: 403, code: 'AccessDenied' } },
      /denied s3:PutObject/,
    ],
    [
      '200 with an error for the end, always',
      size,
      { when: isComplete, fault: answeredBy(lateError) },
      /does not answer like an S3 service: it says nothing of what became of CompleteMultipartUpload/,
    ],
  ];
  for (const [name, size, rule, message] of failing) {
    test(`fails the upload, and nothing is left: ${name}`, async () => {
      await using proxy = await startS3Proxy(server, [rule]);
      using store = openStore(proxy, { outageWaitsMs: [1] });
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
      const key = `given-up/${name}`;
      const cancel = new AbortController();
      const reason = new Error('SIGTERM');
      const { rules, onPart } = at(() => cancel.abort(reason));
      await using proxy = await startS3Proxy(server, rules);
      using store = openStore(proxy);
      await assert.rejects(send(store, key, bytesOf(size), { signal: cancel.signal, onPart }), reason);
      await assertNothingLeft(key);
    });
  }

  test('without MD5s under SSE-KMS is told apart', async () => {
    const other = { kind: 'etag', value: `"${'0'.repeat(32)}"` } as const;
    await using proxy = await startS3Proxy(server, [
      { when: ({ method }) => method === 'PUT', fault: other },
    ]);
    using store = openStore(proxy, { encryption: { kind: 'aws:kms', keyId: kmsKeyId } });
    assert.equal((await send(store, 'kms/small', bytesOf(1))).proof, 'content-md5');
  });

  test('stops the body at once, though that stands still', async () => {
    await using proxy = await startS3Proxy(server, [
      { when: isPart, fault: { kind: 'error', status: 403, code: 'AccessDenied' } },
    ]);
    using store = openStore(proxy);
    const body = new Readable({ read() {} });
    for (const chunk of chunksOf(bytesOf(partSize + 1))) body.push(chunk);
    await failureOf(send(store, 'still', body));
    await assertNothingLeft('still');
  });

  test('what cannot be removed is told, and the first error stays the one to see', async () => {
    const denied = { kind: 'error', status: 403, code: 'AccessDenied' } as const;
    await using proxy = await startS3Proxy(server, [
      { when: isThirdPart, fault: { kind: 'error', status: 400, code: 'Strange' } },
      { when: isAbort, fault: denied },
    ]);
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
});
