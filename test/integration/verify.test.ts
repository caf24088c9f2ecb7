import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { appendProof } from '../../src/catalog/append-proof.ts';
import { receiptKey } from '../../src/catalog/keys.ts';
import { levelOf } from '../../src/catalog/proofs.ts';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { jsonOf, type Made, outputsOf } from '../support/backup-run.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { putBackup, uploadProof } from '../support/stored-backups.ts';
import { flipped, VerifyScene } from '../support/verify-scene.ts';

suite('verify', () => {
  let verify: VerifyScene;
  let made: Made;
  before(async () => {
    verify = await VerifyScene.open();
    made = await verify.scene.backup();
  });
  after(() => verify?.[Symbol.asyncDispose]());

  /** Puts the backup, as if it had been made at this time, into the bucket. */
  async function putAt(
    time: string,
    object: Uint8Array = made.object,
    more: Partial<Receipt> = {},
  ): Promise<string> {
    const key = keyAt(time);
    await verify.put({ ...made.receipt, key, ...more }, object);
    return key;
  }
  const keyAt = (time: string): string => made.receipt.key.replace(/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d/, time);
  const damaged = () => flipped(made.object, (made.receipt.segments[1]?.offset ?? 0) + 1000);
  const proofsOf = async (key: string) => (await verify.receipt(key)).proofs.map(({ level }) => level);

  test('raises the level of the latest, and says so', async () => {
    const older = await putAt('2026-01-01_00-00-00');
    const key = await putAt('2026-01-02_00-00-00');
    const before = JSON.parse(await verify.receiptText(key));
    const ended = await verify.run();
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /^✅ 1 archive verified: contents$/m);
    const { json = '', ...outputs } = outputsOf(ended);
    assert.deepEqual(outputs, {
      key,
      uri: `s3://${verify.scene.bucket}/${key}`,
      receipt: receiptKey(key),
      size: String(made.object.length),
      database: made.receipt.database,
      'odoo-version': '14.0',
      verified: 'contents',
    });
    const [found, ...others] = JSON.parse(json);
    assert.deepEqual([found.key, found.level, found.failure, others], [key, 'contents', null, []]);

    const { proofs, ...rest } = JSON.parse(await verify.receiptText(key));
    assert.deepEqual({ ...rest, proofs: before.proofs }, before, 'nothing else has changed');
    assert.deepEqual(proofs.slice(0, -1), before.proofs);
    const { level, programs, seconds, failure } = proofs.at(-1);
    assert.deepEqual([level, programs, failure], ['contents', undefined, undefined]);
    assert.ok(seconds > 0);
    assert.deepEqual(await proofsOf(older), ['upload']);
  });

  test('an archive that fails is no backup any more', async () => {
    const sound = await putAt('2026-02-01_00-00-00');
    const key = await putAt('2026-02-02_00-00-00', damaged());
    const ended = await verify.run();
    assert.equal(ended.exitCode, 1, ended.log);
    const receipt = await verify.receipt(key);
    const { failure = '' } = receipt.proofs.at(-1) ?? {};
    assert.match(failure, /^"[^"]+" is not what the archive's directory says/);
    assert.ok(ended.log.includes(`The archive has failed: s3://${verify.scene.bucket}/${key}: ${failure}`));
    assert.match(ended.log, /^❌ 1 archive failed$/m);
    assert.doesNotMatch(ended.log, /\n\s+at .*\.(?:ts|mjs):/, 'a stack trace is no message for a person');
    assert.deepEqual(Object.keys(outputsOf(ended)), ['json']);
    assert.equal(levelOf(receipt), undefined);

    const { database } = made.receipt;
    const gate = await verify.run({ database, 'max-age': '3650d' }, undefined, 'gate');
    assert.equal(outputsOf(gate).key, sound, gate.log);
    const shut = await verify.run({ database, 'max-age': '3650d', backup: key }, undefined, 'gate');
    assert.equal(shut.exitCode, 3, shut.log);
    const list = await verify.run({}, undefined, 'list');
    const listed = jsonOf(list).find((entry: { key: string }) => entry.key === key);
    assert.deepEqual([listed.condition, listed.level], ['failed', null]);
    const again = await verify.run();
    assert.equal(outputsOf(again).key, sound, 'it is not the latest');
    const { scene } = verify;
    const inputs = { ...scene.inputs, 'stop-command': 'true', 'start-command': 'true', 'dry-run': 'true' };
    const rollback = verify.start({ ...inputs, backup: key }, scene.sandbox.s3, 'rollback');
    const { exitCode, log } = await rollback.ended;
    assert.equal(exitCode, 1, log);
    assert.match(
      log,
      /did not pass its verification \(contents\) on .* is not what the archive's directory says/,
    );

    await verify.put({ ...receipt, key }, made.object); // as when it was the disk of the machine that looked at it
    const passed = await verify.run({ backup: '2026-02-02_00-00-00' });
    assert.equal(passed.exitCode, 0, passed.log);
    assert.equal(outputsOf(passed).verified, 'contents');
    assert.deepEqual(await proofsOf(key), ['upload', 'contents', 'contents']);
  });

  test('the oldest proofs come first, and one that fails does not stop the others', async () => {
    const proofs = (at: string) => ({ proofs: [{ ...uploadProof, at }] });
    const newest = await putAt('2026-03-04_00-00-00', made.object, proofs('2020-01-04T00:00:00.000Z'));
    const broken = await putAt('2026-03-03_00-00-00', damaged(), proofs('2020-01-01T00:00:00.000Z'));
    const second = await putAt('2026-03-02_00-00-00', made.object, proofs('2020-01-02T00:00:00.000Z'));
    const ended = await verify.run({ backup: 'oldest 2' });
    assert.equal(ended.exitCode, 1, ended.log);
    assert.match(ended.log, /^❌ 1 archive verified: contents, 1 archive failed$/m);
    const found = JSON.parse(outputsOf(ended).json ?? '');
    assert.deepEqual(
      found.map((each: { key: string; level: string | null }) => [each.key, each.level]),
      [
        [broken, null],
        [second, 'contents'],
      ],
    );
    assert.deepEqual(await proofsOf(newest), ['upload']);
    const next = await verify.run({ backup: 'oldest' });
    assert.equal(outputsOf(next).key, newest, 'its turn, and not that of the one that has failed');
  });

  test('what was not found out is no failure: the receipt stays as it is', async () => {
    const key = await putAt('2026-04-01_00-00-00');
    const before = await verify.receiptText(key);
    await using proxy = await startS3Proxy(verify.scene.sandbox.s3);
    const isArchive = ({ method, path }: { method: string; path: string }) =>
      method === 'GET' && path.endsWith('.zip');
    proxy.rules = [{ when: isArchive, fault: { kind: 'error', status: 403, code: 'AccessDenied' } }];
    const denied = await verify.run({ backup: key }, proxy);
    assert.equal(denied.exitCode, 1, denied.log);
    assert.match(denied.log, /S3 denied s3:GetObject/);
    assert.equal(await verify.receiptText(key), before);

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      proxy.rules = [{ when: isArchive, fault: { kind: 'error', status: 503, code: 'SlowDown' } }];
      const run = verify.start({ backup: key }, proxy);
      await run.says(/^Read back /m);
      run.child.kill(signal);
      const ended = await run.ended;
      if (signal === 'SIGTERM') assert.equal(ended.exitCode, 143, ended.log);
      assert.equal(ended.stdout, '');
      assert.equal(await verify.receiptText(key), before, signal);
    }

    // A connection that breaks is mended.
    proxy.rules = [{ when: isArchive, fault: { kind: 'truncate', bytes: 100_000 }, times: 2 }];
    const mended = await verify.run({ backup: key }, proxy);
    assert.equal(mended.exitCode, 0, mended.log);
  });

  test('proofs of several runs at once are all kept', async () => {
    const key = await putAt('2026-05-01_00-00-00');
    const times = ['2026-05-02', '2026-05-03', '2026-05-04'].map((day) => `${day}T00:00:00.000Z`);
    await Promise.all(
      times.map((at) => appendProof(verify.store, key, { ...uploadProof, level: 'contents', at })),
    );
    const receipt = await verify.receipt(key);
    assert.deepEqual(
      receipt.proofs
        .slice(1)
        .map(({ at }) => at)
        .sort(),
      times,
    );
  });

  test('a receipt that is removed meanwhile does not come back', async () => {
    const key = await putAt('2026-06-01_00-00-00');
    await using proxy = await startS3Proxy(verify.scene.sandbox.s3);
    proxy.rules = [];
    const isPut = ({ method, path }: { method: string; path: string }) =>
      method === 'PUT' && path.endsWith('.json');
    proxy.rules = [{ when: isPut, fault: { kind: 'error', status: 404, code: 'NoSuchKey' }, times: 1 }];
    const run = await verify.run({ backup: key }, proxy);
    assert.equal(run.exitCode, 1, run.log);
    assert.match(run.log, /\.json was removed or replaced while its archive was verified/);
  });

  test('what was found out is told, also where it cannot be written', async () => {
    const key = await putAt('2026-06-02_00-00-00', damaged());
    const before = await verify.receiptText(key);
    await using proxy = await startS3Proxy(verify.scene.sandbox.s3);
    const isPut = ({ method }: { method: string }) => method === 'PUT';
    proxy.rules = [{ when: isPut, fault: { kind: 'error', status: 403, code: 'AccessDenied' } }];
    const run = await verify.run({ backup: key }, proxy);
    assert.equal(run.exitCode, 1, run.log);
    assert.match(run.log, /has failed: "[^"]+" is not .* Its receipt does not say so, and still counts/);
    assert.match(run.log, /because: S3 denied s3:PutObject on /);
    assert.equal(await verify.receiptText(key), before);
  });

  test('under Object Lock, the receipt gets a new version, locked as well', async () => {
    const { client } = verify.scene;
    const bucket = `locked-${randomBytes(6).toString('hex')}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
    const until = new Date(Date.now() + 86_400_000);
    const put = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: until } as const;
    const Key = receiptKey(await putBackup(client, bucket, { time: '2026-01-01_00-00-00', put }));
    const ended = await verify.run({ 's3-bucket': bucket, 'object-lock': 'governance', 'lock-days': '3' });
    assert.equal(ended.exitCode, 1, ended.log); // the archive is none
    const { Versions = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: Key }),
    );
    assert.deepEqual(
      Versions.map(({ IsLatest }) => IsLatest),
      [true, false],
    );
    const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket: bucket, Key }));
    assert.equal(Retention?.Mode, 'GOVERNANCE');
    assert.ok(Retention.RetainUntilDate && Retention.RetainUntilDate > until);
    const list = await verify.run({ 's3-bucket': bucket }, undefined, 'list');
    assert.equal(jsonOf(list)[0].condition, 'failed');
  });

  test('what cannot be verified is told', async () => {
    const key = await putAt('2026-07-01_00-00-00');
    await verify.store.delete(receiptKey(key));
    const unknown = await verify.run({ backup: key });
    assert.equal(unknown.exitCode, 1, unknown.log);
    assert.match(unknown.log, /\.zip cannot be verified: it has no receipt/);
    const none = await verify.run({ backup: '2020-01-01_00-00-00' });
    assert.equal(none.exitCode, 1, none.log);
    assert.match(none.log, /There is no backup 2020-01-01_00-00-00 in s3:/);
    const upload = await verify.run({ verify: 'upload' });
    assert.equal(upload.exitCode, 2, upload.log);
  });
});
