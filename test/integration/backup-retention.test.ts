import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3';
import { startAgedS3, storedWhenDated } from '../support/aged-bucket.ts';
import { outputsOf, Scene } from '../support/backup-run.ts';
import { assertNothingRuns, assertNothingStored } from '../support/leftovers.ts';
import { startMonitor } from '../support/monitor.ts';
import { keepLast } from '../support/prune-run.ts';
import { createBucket, listKeys } from '../support/s3.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { nights, objectsOf, putBackups } from '../support/stored-backups.ts';

suite('a backup', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** A bucket with three backups of the scene's database. */
  async function filledBucket(): Promise<{ bucket: string; keys: string[] }> {
    const bucket = await createBucket(scene.client);
    const { database } = scene.odoo;
    const keys = await putBackups(
      scene.client,
      bucket,
      nights(3, '2026-01-03').map((time) => ({ time, database })),
    );
    return { bucket, keys };
  }

  test('with prune deletes older ones once it is made, and its summary says so', async () => {
    const { bucket, keys } = await filledBucket();
    await using aged = await startAgedS3(scene.sandbox.s3);
    const inputs = { 's3-bucket': bucket, 's3-endpoint': aged.endpoint };
    const ended = await scene.run({ ...keepLast(2), ...inputs });
    assert.equal(ended.exitCode, 0, ended.log);
    const { key = '' } = outputsOf(ended);
    assert.deepEqual(
      (await listKeys(scene.client, bucket)).sort(),
      [...objectsOf(key), ...objectsOf(keys[0] ?? '')].sort(),
    );
    assert.match(ended.log, /^Retention +2 backups kept, 2 deleted \(200 B\)$/m);
    assert.match(ended.log, new RegExp(`Deleted ${keys[1]}`));
  });

  test('that failed prunes nothing', async () => {
    const { bucket, keys } = await filledBucket();
    await using monitor = await startMonitor();
    const inputs = { ...keepLast(2), 's3-bucket': bucket, database: 'missing', 'ping-url': monitor.url };
    const ended = await scene.run(inputs);
    assert.equal(ended.exitCode, 1, ended.log);
    assert.deepEqual((await listKeys(scene.client, bucket)).sort(), keys.flatMap(objectsOf).sort());
    assert.deepEqual(monitor.pings, [
      ['POST /ping/secret/start', 'odoo-backup backup: started'],
      ['POST /ping/secret/fail', 'odoo-backup backup: failed'],
    ]);
  });

  test('as a dry run prunes nothing, and is no sign of life', async () => {
    const { bucket, keys } = await filledBucket();
    await using monitor = await startMonitor();
    const inputs = { ...keepLast(2), 's3-bucket': bucket, 'dry-run': 'true', 'ping-url': monitor.url };
    const ended = await scene.run(inputs);
    assert.equal(ended.exitCode, 0, ended.log);
    assert.deepEqual((await listKeys(scene.client, bucket)).sort(), keys.flatMap(objectsOf).sort());
    assert.deepEqual(monitor.pings, []);
  });

  test('is made all the same when older ones cannot be deleted', async () => {
    const { bucket, keys } = await filledBucket();
    await using monitor = await startMonitor();
    await using proxy = await startS3Proxy(scene.sandbox.s3, [
      storedWhenDated,
      {
        when: ({ method }) => method === 'DELETE',
        fault: { kind: 'error', status: 403, code: 'AccessDenied' },
      },
    ]);
    const inputs = { 's3-bucket': bucket, 's3-endpoint': proxy.endpoint, 'ping-url': monitor.url };
    const ended = await scene.run({ ...keepLast(2), ...inputs });
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /warning: The backup is made, but older ones were not pruned: 2 of 2 could not/);
    assert.match(ended.log, /^Retention +failed: see the log$/m);
    const expected = [...keys, outputsOf(ended).key ?? ''].flatMap(objectsOf);
    assert.deepEqual((await listKeys(scene.client, bucket)).sort(), expected.sort());
    assert.deepEqual(monitor.pings, [
      ['POST /ping/secret/start', 'odoo-backup backup: started'],
      ['POST /ping/secret', 'odoo-backup backup: done'],
    ]);
  });

  test('with object-lock locks archive and receipt', async () => {
    const bucket = `locked-${randomBytes(6).toString('hex')}`;
    await scene.client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
    const started = Date.now();
    const lock = { 'object-lock': 'compliance', 'lock-days': '2' };
    const ended = await scene.run({ 's3-bucket': bucket, ...lock });
    assert.equal(ended.exitCode, 0, ended.log);
    const keys = objectsOf(outputsOf(ended).key ?? '');
    assert.deepEqual(await listKeys(scene.client, bucket), keys);
    for (const Key of keys) {
      const command = new GetObjectRetentionCommand({ Bucket: bucket, Key });
      const { Retention } = await scene.client.send(command);
      assert.equal(Retention?.Mode, 'COMPLIANCE');
      const days = ((Retention.RetainUntilDate?.getTime() ?? 0) - started) / 86_400_000;
      assert.ok(days >= 2 && days < 2.1, `${Key}: ${days}`);
    }
  });

  test('with object-lock fails where the bucket has none', async () => {
    for (const versions of [false, true]) {
      const bucket = await createBucket(scene.client);
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      if (versions) {
        await scene.client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
      }
      const lock = { 'object-lock': 'governance', 'lock-days': '2' };
      const ended = await scene.run({ 's3-bucket': bucket, ...lock });
      assert.equal(ended.exitCode, 1, ended.log);
      assert.match(ended.log, /The bucket \S+ cannot lock objects: it was created without Object Lock/);
      await assertNothingStored(scene.client, bucket);
      const { Versions, DeleteMarkers } = await scene.client.send(
        new ListObjectVersionsCommand({ Bucket: bucket }),
      );
      assert.deepEqual([Versions ?? [], DeleteMarkers ?? []], [[], []]);
    }
    await assertNothingRuns(scene.ssh, scene.sandbox.postgres, scene.odoo.database);
  });
});
