import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectLegalHoldCommand,
} from '@aws-sdk/client-s3';
import { takeInventory } from '../../src/storage/inventory.ts';
import { planPrune } from '../../src/storage/prune.ts';
import { cleanEnvironment, type Ended, outputsOf, startProgram } from '../support/backup-run.ts';
import { keptLines, policyOf } from '../support/catalogs.ts';
import type { RawInputs } from '../support/inputs.ts';
import { createBucket, listKeys, restrictedUser, type S3Server } from '../support/s3.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import {
  keyOf,
  nights,
  putBackup,
  putBackups,
  type StoredBackup,
  uploadProof,
} from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client, openStore } = await useTestBucket();

/** Only the newest backups stay. */
const keepLast = (count: number): RawInputs => ({
  'keep-last': String(count),
  'keep-daily': '0',
  'keep-weekly': '0',
  'keep-monthly': '0',
  'minimum-keep': '1',
});

function prune(bucket: string, inputs: RawInputs, at: S3Server = server): Promise<Ended> {
  const where = { 's3-bucket': bucket, 's3-endpoint': at.endpoint, customer: 'acme', database: 'prod' };
  return startProgram('prune', { ...where, ...inputs }, cleanEnvironment(at)).ended;
}

async function pruned(bucket: string, inputs: RawInputs, at?: S3Server): Promise<Ended> {
  const ended = await prune(bucket, inputs, at);
  assert.equal(ended.exitCode, 0, ended.log);
  return ended;
}

const both = (key: string): string[] => [key.replace('.zip', '.json'), key];

suite('prune', () => {
  test('of more than a thousand objects deletes what no rule keeps, of this database alone', async () => {
    const bucket = await createBucket(client);
    const times = nights(560, '2026-11-20');
    await putBackups(client, bucket, [
      ...times.map((time) => ({ time })),
      ...['prod2', 'prod_eu', 'prod_2026-01-01_00-00-00', 'Prod'].map((database) => ({
        time: '2025-06-01_02-00-00',
        database,
      })),
      { time: '2025-06-01_02-00-00', customer: 'acme2' },
    ]);
    const before = await listKeys(client, bucket);
    assert.ok(before.length > 1100);

    const dry = await pruned(bucket, { 'keep-yearly': '2', 'dry-run': 'true' });
    assert.deepEqual(await listKeys(client, bucket), before, 'a dry run deletes nothing');
    assert.match(dry.log, /prod: 18 would stay, 542 would be deleted; nothing was changed/);
    assert.match(dry.log, /^2026-11-20_02-00-00 .* keep: newest, last 1, daily, weekly, monthly, yearly$/m);
    assert.match(dry.log, /^2025-12-31_02-00-00 .* keep: yearly$/m);
    assert.match(dry.log, /^2026-08-01_02-00-00 .* delete: no slot$/m);

    await pruned(bucket, { 'keep-yearly': '2' });
    const days = [
      ...nights(14, '2026-11-20'),
      ...['2026-11-01_02-00-00', '2026-10-31_02-00-00', '2026-09-30_02-00-00', '2025-12-31_02-00-00'],
    ];
    const others = before.filter((key) => !times.some((time) => both(keyOf({ time })).includes(key)));
    assert.equal(others.length, 10);
    const expected = [...days.flatMap((time) => both(keyOf({ time }))), ...others];
    assert.deepEqual((await listKeys(client, bucket)).sort(), expected.sort());
  });

  test('deletes the receipt before its archive', async () => {
    const bucket = await createBucket(client);
    await putBackups(
      client,
      bucket,
      nights(6, '2026-11-20').map((time) => ({ time })),
    );
    await using proxy = await startS3Proxy(server);
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
    using store = openStore(server, { bucket });
    const entries = await takeInventory(store, 'acme', 'prod');
    const options = { policy: policyOf({ last: 2 }), deleteVersions: false };
    const deletes = async (now: Date) =>
      (await planPrune(store, entries, options, now)).verdicts.flatMap(({ keep, entry }) =>
        keep ? [] : entry.key,
      );
    assert.deepEqual(await deletes(new Date()), [], 'a run may still be going to prove it');
    assert.deepEqual(await deletes(new Date(Date.now() + 9 * 86_400_000)), [old]);
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
    using store = openStore(server, { bucket });
    const entries = await takeInventory(store, 'acme', 'prod');
    const options = { policy: policyOf({ last: 2 }), deleteVersions: false };
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

    await pruned(bucket, keepLast(2));
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
    for (let run = 0; run < 2; run++) await pruned(bucket, within);
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
    using store = openStore(server, { bucket });
    const entries = await takeInventory(store, 'acme', 'prod');
    const options = { policy: policyOf({ last: 1 }), deleteVersions: false, justMade: keys[2] };
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

  test('without the permission to delete fails, and nothing is gone', async () => {
    const bucket = await createBucket(client);
    await putBackups(
      client,
      bucket,
      nights(3, '2026-11-20').map((time) => ({ time })),
    );
    const before = await listKeys(client, bucket);
    const actions = ['s3:ListBucket', 's3:GetObject', 's3:GetBucketVersioning'] as const;
    const ended = await prune(bucket, keepLast(1), await restrictedUser(server, bucket, actions));
    assert.equal(ended.exitCode, 1);
    assert.match(ended.log, /2 of 2 could not be deleted: S3 denied s3:DeleteObject on .*\.json/);
    assert.match(ended.log, /Allow s3:DeleteObject on/);
    assert.deepEqual(await listKeys(client, bucket), before);
  });
});

suite('prune in a bucket that keeps versions', () => {
  async function versionedBucket(): Promise<string> {
    const bucket = await createBucket(client);
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    return bucket;
  }

  /** `version` or `marker` and the key, in the order of keys. */
  async function versionsIn(bucket: string): Promise<string[]> {
    const { Versions = [], DeleteMarkers = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucket }),
    );
    return [
      ...Versions.map(({ Key }) => `version ${Key}`),
      ...DeleteMarkers.map(({ Key }) => `marker ${Key}`),
    ].sort();
  }

  test('says that they remain', async () => {
    const bucket = await versionedBucket();
    const [newest = '', old = ''] = await putBackups(
      client,
      bucket,
      nights(2, '2026-11-20').map((time) => ({ time })),
    );
    const { log } = await pruned(bucket, keepLast(1));
    assert.match(
      log,
      /The bucket keeps versions: what was deleted is hidden, and paid for, until a lifecycle/,
    );
    assert.deepEqual(await listKeys(client, bucket), both(newest));
    assert.equal((await versionsIn(bucket)).length, 6);
    assert.ok((await versionsIn(bucket)).includes(`marker ${old}`));
  });

  test('removes them all with delete-versions, and no others', async () => {
    const bucket = await versionedBucket();
    const [newest = '', old = ''] = nights(2, '2026-11-20');
    for (let round = 0; round < 2; round++) {
      await putBackups(client, bucket, [{ time: newest }, { time: old }]);
    }
    await putBackup(client, bucket, { time: `${old}.zip`, proofs: null }); // a key that begins with another one
    await pruned(bucket, { ...keepLast(1), 'delete-versions': 'true' });
    const left = both(keyOf({ time: newest })).map((key) => `version ${key}`);
    assert.deepEqual(
      await versionsIn(bucket),
      [...left, ...left, `version ${keyOf({ time: `${old}.zip` })}`].sort(),
    );
  });
});

suite('prune in a bucket with Object Lock', () => {
  async function lockedBucket(): Promise<string> {
    const Bucket = `locked-${randomBytes(6).toString('hex')}`;
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    return Bucket;
  }

  const until = (days: number) => ({
    ObjectLockMode: 'GOVERNANCE' as const,
    ObjectLockRetainUntilDate: new Date(Date.now() + days * 86_400_000),
  });

  for (const versions of ['false', 'true']) {
    test(`leaves what is locked or held, with delete-versions: ${versions}`, async () => {
      const bucket = await lockedBucket();
      const [newest = '', locked = '', held = '', free = ''] = nights(4, '2026-11-20');
      await putBackups(client, bucket, [
        { time: newest },
        { time: locked, put: until(2) },
        { time: held },
        { time: free },
      ]);
      // A hold on the receipt alone keeps both.
      const hold = {
        Bucket: bucket,
        Key: both(keyOf({ time: held }))[0],
        LegalHold: { Status: 'ON' },
      } as const;
      await client.send(new PutObjectLegalHoldCommand(hold));

      const { log } = await pruned(bucket, { ...keepLast(1), 'delete-versions': versions });
      const day = until(2).ObjectLockRetainUntilDate.toISOString().slice(0, 10);
      assert.match(log, new RegExp(`^${locked} .* keep: Object Lock until ${day}$`, 'm'));
      assert.match(log, new RegExp(`^${held} .* keep: legal hold$`, 'm'));
      assert.deepEqual(
        (await listKeys(client, bucket)).sort(),
        [newest, locked, held].flatMap((time) => both(keyOf({ time }))).sort(),
      );
    });
  }

  test('with delete-versions also leaves what an older version is locked of', async () => {
    const bucket = await lockedBucket();
    const [newest = '', old = ''] = nights(2, '2026-11-20');
    await putBackup(client, bucket, { time: newest });
    await putBackup(client, bucket, { time: old, put: until(2) });
    await putBackup(client, bucket, { time: old });
    const before = await listKeys(client, bucket);
    await pruned(bucket, { ...keepLast(1), 'delete-versions': 'true' });
    assert.deepEqual(await listKeys(client, bucket), before);
  });
});
