import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, suite, test } from 'node:test';
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectLegalHoldCommand,
} from '@aws-sdk/client-s3';
import { startAgedS3 } from '../support/aged-bucket.ts';
import { keepLast, pruned } from '../support/prune-run.ts';
import { createBucket, listKeys } from '../support/s3.ts';
import { keyOf, nights, objectsOf, putBackup, putBackups } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client } = await useTestBucket();
const aged = await startAgedS3(server);
after(() => aged[Symbol.asyncDispose]());

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
    const { log } = await pruned(bucket, keepLast(1), aged);
    assert.match(
      log,
      /The bucket keeps versions: what was deleted is hidden, and costs money, until a lifecycle/,
    );
    assert.deepEqual(await listKeys(client, bucket), objectsOf(newest));
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
    await pruned(bucket, { ...keepLast(1), 'delete-versions': 'true' }, aged);
    const left = objectsOf(keyOf({ time: newest })).map((key) => `version ${key}`);
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
        Key: objectsOf(keyOf({ time: held }))[0],
        LegalHold: { Status: 'ON' },
      } as const;
      await client.send(new PutObjectLegalHoldCommand(hold));

      const { log } = await pruned(bucket, { ...keepLast(1), 'delete-versions': versions }, aged);
      const day = until(2).ObjectLockRetainUntilDate.toISOString().slice(0, 10);
      assert.match(log, new RegExp(`^${locked} .* keep: Object Lock until ${day}$`, 'm'));
      assert.match(log, new RegExp(`^${held} .* keep: legal hold$`, 'm'));
      assert.deepEqual(
        (await listKeys(client, bucket)).sort(),
        [newest, locked, held].flatMap((time) => objectsOf(keyOf({ time }))).sort(),
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
    await pruned(bucket, { ...keepLast(1), 'delete-versions': 'true' }, aged);
    assert.deepEqual(await listKeys(client, bucket), before);
  });
});
