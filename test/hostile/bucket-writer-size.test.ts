import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { appendProof } from '../../src/catalog/append-proof.ts';
import { readReceipt, receiptKey } from '../../src/catalog/keys.ts';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { ContentError } from '../../src/util/errors.ts';
import { cleanEnvironment, type Ended, outputsOf, runCommand } from '../support/backup-run.ts';
import { createBucket, getObject } from '../support/s3.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { keyOf, putBackup, sampleReceipt, uploadProof } from '../support/stored-backups.ts';
import { failureOf, useTestBucket } from '../support/test-bucket.ts';

const { server, client, bucket, openStore } = await useTestBucket();

const MiB = 1024 ** 2;
/** As a key has it. */
const hoursAgo = (hours: number): string =>
  new Date(Date.now() - hours * 3_600_000).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');

const put = (key: string, body: string | Buffer, into = bucket) =>
  client.send(new PutObjectCommand({ Bucket: into, Key: key, Body: body }));

suite('a receipt that is none', () => {
  const hostile: readonly (readonly [what: string, body: string | Buffer, says: RegExp])[] = [
    [
      'larger than any',
      Buffer.alloc(4 * MiB + 1, ' '),
      /^s3:\/\/.*\.json is larger than 4 MiB, which no receipt is$/,
    ],
    ['nested deep', '['.repeat(100_000), /^s3:\/\/.*\.json is not JSON: it nests deeper than 32 levels$/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /^s3:\/\/.*\.json is not JSON: it is not UTF-8$/],
    ['cut', '{"version":1', /^s3:\/\/.*\.json is not JSON$/],
  ];
  for (const [what, body, says] of hostile) {
    test(`${what} is not read, and its archive is no backup`, async () => {
      const own = await createBucket(client);
      const [older, newer] = [hoursAgo(3), hoursAgo(1)];
      await putBackup(client, own, { time: older });
      const key = await putBackup(client, own, { time: newer });
      await put(receiptKey(key), body, own);
      using store = openStore(server, { bucket: own });
      const error = await failureOf(readReceipt(store, receiptKey(key)));
      assert.ok(error instanceof ContentError);
      assert.match(error.message, says);
      const ended = await run('gate', own);
      assert.equal(ended.exitCode, 0, ended.log);
      assert.equal(outputsOf(ended).key, keyOf({ time: older }), 'the gate takes the one before');
      const listed = await run('list', own);
      assert.match(listed.log, new RegExp(`^${newer} .* receipt cannot be read`, 'm'));
    });
  }

  test('ends where it has to, though the server says that it is short', async () => {
    const key = 'acme/long.json';
    await put(key, Buffer.alloc(6 * MiB, ' '));
    await using proxy = await startS3Proxy(server, [
      { when: ({ method }) => method === 'GET', fault: { kind: 'map-body', map: (body) => body } }, // without its length
    ]);
    using store = openStore(proxy);
    const error = await failureOf(store.getJson(key));
    assert.match(error.message, /is larger than 4 MiB/);
  });

  function run(command: string, of: string): Promise<Ended> {
    const where = { 's3-bucket': of, 's3-endpoint': server.endpoint, customer: 'acme', database: 'prod' };
    return runCommand(command, where, cleanEnvironment(server));
  }
});

test('what a newer version has written into a receipt outlives a proof, and gets nowhere else', async () => {
  const key = 'acme/backups/prod_2026-01-01_00-00-00.zip';
  const receipt = sampleReceipt(bucket, key, 'prod');
  const newer = {
    ...receipt,
    later: { text: '\u202e' },
    run: { ...receipt.run, shard: 3 },
    proofs: [{ ...uploadProof, by: 'somebody' }],
  };
  await put(receiptKey(key), JSON.stringify(newer));
  using store = openStore();
  const proof = { ...uploadProof, level: 'contents' } as const;
  const appended: Receipt = await appendProof(store, key, proof);
  assert.deepEqual(appended, { ...receipt, proofs: [uploadProof, proof] });
  const stored = Buffer.from(await getObject(client, bucket, receiptKey(key))).toString();
  assert.deepEqual(JSON.parse(stored), { ...newer, proofs: [...newer.proofs, proof] });
});
