import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { takeInventory } from '../../src/catalog/entries.ts';
import { planPrune } from '../../src/catalog/prune.ts';
import { startAgedS3, storedWhenDated } from '../support/aged-bucket.ts';
import { outputsOf } from '../support/backup-run.ts';
import { keptLines, policyOf } from '../support/catalogs.ts';
import { keepLast, prune, pruned } from '../support/prune-run.ts';
import { createBucket, listKeys, restrictedUser } from '../support/s3.ts';
import { type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';
import { keyOf, nights, putBackups, type StoredBackup, uploadProof } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client, openStore } = await useTestBucket();
const aged = await startAgedS3(server);
after(() => aged[Symbol.asyncDispose]());

suite('prune', () => {
  test('deletes the receipt before its archive', async () => {
    const bucket = await createBucket(client);
    await putBackups(
      client,
      bucket,
      nights(6, '2026-11-20').map((time) => ({ time })),
    );
    await using proxy = await startS3Proxy(server, [storedWhenDated]);
    await pruned(bucket, keepLast(2), proxy);
    const deleted = proxy.requests.flatMap(({ method, path }) => (method === 'DELETE' ? [path] : []));
    assert.equal(deleted.length, 8);
    for (const path of deleted.filter((each) => each.endsWith('.zip'))) {
      assert.ok(deleted.indexOf(path.replace('.zip', '.json')) < deleted.indexOf(path), path);
    }
  });

  test('that fails on the way leaves no receipt without archive, and the next one finishes it', async () => {
    const bucket = await createBucket(client);
    const [, , old = ''] = await putBackups(
      client,
      bucket,
      nights(4, '2026-11-20').map((time) => ({ time, metadata: { database: 'prod' } })),
    );
    await using proxy = await startS3Proxy(server, [
      storedWhenDated,
      {
        when: ({ method, path }) => method === 'DELETE' && path.endsWith(old),
        fault: { kind: 'error', status: 403, code: 'AccessDenied' },
      },
    ]);
    const failed = await prune(bucket, keepLast(2), proxy);
    assert.equal(failed.exitCode, 1, failed.log);
    assert.match(failed.log, /1 of 2 could not be deleted: S3 denied s3:DeleteObject on .*Said the fault/);
    assert.deepEqual(
      (await listKeys(client, bucket)).filter(
        (key) => !key.includes('2026-11-20') && !key.includes('2026-11-19'),
      ),
      [old],
    );
    using store = openStore(aged, { bucket });
    const entries = await takeInventory(store, 'acme', 'prod');
    const options = { policy: policyOf({ last: 2 }), deleteVersions: false, limitPercent: 50, maxShrink: 30 };
    const deletes = async (now: Date) =>
      (await planPrune(store, entries, options, now)).verdicts.flatMap(({ keep, entry }) =>
        keep ? [] : entry.key,
      );
    const stored = Date.parse('2026-11-18T02:00:00Z');
    assert.deepEqual(await deletes(new Date(stored + 7 * 86_400_000)), [], 'a run may be going to prove it');
    assert.deepEqual(await deletes(new Date(stored + 9 * 86_400_000)), [old]);
  });

  test('leaves what others have made, and what it cannot judge', async () => {
    const bucket = await createBucket(client);
    const [first = '', second = ''] = nights(2, '2026-11-20');
    const odd: StoredBackup[] = [
      { time: '2026-10-01_02-00-00', proofs: null },
      { time: '2026-10-02_02-00-00', receipt: { version: 2 as 1 } },
      { time: '2026-10-03_02-00-00', receipt: { database: 'live' } },
      { time: '2026-10-04_02-00-00', receipt: { size: 5 } },
    ];
    await putBackups(client, bucket, [
      { time: first },
      { time: second },
      ...odd,
      { time: '2026-10-05_02-00-00', withoutArchive: true },
      {
        time: '2026-10-06_02-00-00',
        proofs: [{ ...uploadProof, level: 'contents', failure: 'dump is cut' }],
      },
    ]);
    using store = openStore(aged, { bucket });
    const entries = await takeInventory(store, 'acme', 'prod');
    const options = { policy: policyOf({ last: 2 }), deleteVersions: false, limitPercent: 50, maxShrink: 30 };
    const later = new Date(Date.now() + 9 * 86_400_000);
    const { verdicts } = await planPrune(store, entries, options, later);
    assert.deepEqual(
      verdicts.flatMap((verdict) => (verdict.keep ? [] : [[verdict.entry.key, verdict.reason]])),
      [
        [keyOf({ time: '2026-10-06_02-00-00' }), 'failed verification'],
        [keyOf({ time: '2026-10-05_02-00-00' }).replace('.zip', '.json'), 'without archive'],
      ],
    );
    const dayAfter = new Date(Date.parse(uploadProof.at) + 86_400_000);
    const early = await planPrune(store, entries, options, dayAfter);
    assert.match(keptLines(early.verdicts).join('\n'), /2026-10-06 02:00 failed less than 8 days ago/);

    await pruned(bucket, keepLast(2), aged);
    const left = await listKeys(client, bucket);
    for (const each of odd) assert.ok(left.includes(keyOf(each)), each.time);
    assert.equal(left.length, 4 + 7);
  });

  test('during an outage deletes nothing, however often it runs', async () => {
    const bucket = await createBucket(client);
    await putBackups(client, bucket, [
      ...nights(3, '2020-01-05').map((time) => ({ time })),
      { time: '2026-11-20_02-00-00', proofs: null, metadata: { database: 'prod' } },
    ]);
    const before = await listKeys(client, bucket);
    const within = { ...keepLast(0), 'keep-within': '7d', 'minimum-keep': '1' };
    for (let run = 0; run < 2; run++) await pruned(bucket, within, aged);
    assert.deepEqual(await listKeys(client, bucket), before);
  });

  test('leaves the backup that the same run has made, though its clock has gone back', async () => {
    const bucket = await createBucket(client);
    const times = nights(3, '2026-11-20');
    const keys = await putBackups(
      client,
      bucket,
      times.map((time) => ({ time })),
    );
    using store = openStore(aged, { bucket });
    const entries = await takeInventory(store, 'acme', 'prod');
    const options = {
      policy: policyOf({ last: 1 }),
      deleteVersions: false,
      limitPercent: 50,
      maxShrink: 30,
      justMade: keys[2],
    };
    const { verdicts } = await planPrune(store, entries, options);
    assert.deepEqual(keptLines(verdicts), [
      '2026-11-20 02:00 newest, last 1',
      '2026-11-18 02:00 made by this run',
    ]);
  });

  test('of an empty catalog has nothing to do', async () => {
    const ended = await pruned(await createBucket(client), {});
    assert.match(ended.log, /prod: 0 kept, 0 deleted/);
    assert.equal(outputsOf(ended).json, '[]');
  });

  test('works where the server knows no versions, and not where it may not ask for them', async () => {
    const bucket = await createBucket(client);
    await putBackups(
      client,
      bucket,
      nights(3, '2026-11-20').map((time) => ({ time })),
    );
    await using proxy = await startS3Proxy(server, [storedWhenDated]);
    const asked = (status: number, code: string) => ({
      when: ({ query }: SeenRequest) => query.has('versioning'),
      fault: { kind: 'error', status, code } as const,
    });
    proxy.rules = [storedWhenDated, asked(403, 'AccessDenied')];
    const denied = await prune(bucket, keepLast(1), proxy);
    assert.equal(denied.exitCode, 1);
    assert.match(denied.log, /Allow s3:GetBucketVersioning on arn:aws:s3:::/);
    assert.equal((await listKeys(client, bucket)).length, 6);
    proxy.rules = [storedWhenDated, asked(501, 'NotImplemented')];
    await pruned(bucket, keepLast(1), proxy);
    assert.equal((await listKeys(client, bucket)).length, 2);
  });

  test('without the permission to delete fails, and nothing is gone', async () => {
    const bucket = await createBucket(client);
    await putBackups(
      client,
      bucket,
      nights(3, '2026-11-20').map((time) => ({ time })),
    );
    const before = await listKeys(client, bucket);
    const actions = ['s3:ListBucket', 's3:GetObject', 's3:GetBucketVersioning'] as const;
    const ended = await prune(bucket, keepLast(1), {
      ...(await restrictedUser(server, bucket, actions)),
      endpoint: aged.endpoint,
    });
    assert.equal(ended.exitCode, 1);
    assert.match(ended.log, /2 of 2 could not be deleted: S3 denied s3:DeleteObject on .*\.json/);
    assert.match(ended.log, /Allow s3:DeleteObject on/);
    assert.deepEqual(await listKeys(client, bucket), before);
  });
});
