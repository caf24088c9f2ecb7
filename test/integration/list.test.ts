import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { startAgedS3 } from '../support/aged-bucket.ts';
import { cleanEnvironment, type Ended, jsonOf, runCommand } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { createBucket, listKeys, restrictedUser, type S3Server } from '../support/s3.ts';
import { keyOf, nights, putBackups, uploadProof } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client } = await useTestBucket();
const aged = await startAgedS3(server);
after(() => aged[Symbol.asyncDispose]());

async function list(bucket: string, inputs: RawInputs = {}, at: S3Server = aged): Promise<Ended> {
  const where = { 's3-bucket': bucket, 's3-endpoint': at.endpoint, customer: 'acme' };
  const ended = await runCommand('list', { ...where, ...inputs }, cleanEnvironment(at));
  assert.equal(ended.exitCode, 0, ended.log);
  return ended;
}

const json = (ended: Ended): Record<string, unknown>[] => jsonOf(ended);

suite('list', () => {
  test('shows every database of the customer, each with what retention would do', async () => {
    const bucket = await createBucket(client);
    const restored = { ...uploadProof, level: 'restore', seconds: 65 } as const;
    await putBackups(client, bucket, [
      ...nights(3, '2026-11-20').map((time) => ({ time })),
      { time: '2026-11-19_02-00-00', database: 'staging', proofs: [uploadProof, restored] },
      { time: '2026-11-18_02-00-00', database: 'staging', proofs: null },
      { time: '2026-11-19_02-00-00', customer: 'acme2' },
    ]);
    const before = await listKeys(client, bucket);
    const ended = await list(bucket, {
      'keep-last': '1',
      'keep-daily': '2',
      'minimum-keep': '1',
      'keep-weekly': '0',
    });
    assert.deepEqual(await listKeys(client, bucket), before);
    assert.match(ended.log, /^✅ prod: 3 verified backups$/m);
    assert.match(ended.log, /^2026-11-18_02-00-00 .* upload .* delete: no slot$/m);
    assert.match(ended.log, /^✅ staging: 1 verified backup$/m);
    assert.match(
      ended.log,
      /^2026-11-19_02-00-00 .* restore +1 min 05 s .* keep: newest, last 1, daily, monthly$/m,
    );
    assert.match(
      ended.log,
      /^2026-11-18_02-00-00 .* archive without receipt .* keep: without receipt, and made by another/m,
    );
    assert.deepEqual(
      json(ended).map(({ database, time, keep, restoreSeconds }) => [database, time, keep, restoreSeconds]),
      [
        ['prod', '2026-11-20T02:00:00.000Z', true, null],
        ['prod', '2026-11-19T02:00:00.000Z', true, null],
        ['prod', '2026-11-18T02:00:00.000Z', false, null],
        ['staging', '2026-11-19T02:00:00.000Z', true, 65],
        ['staging', '2026-11-18T02:00:00.000Z', true, null],
      ],
    );
  });

  test('of one database leaves out the others', async () => {
    const bucket = await createBucket(client);
    await putBackups(client, bucket, [
      { time: '2026-11-19_02-00-00' },
      { time: '2026-11-19_02-00-00', database: 'prod2' },
    ]);
    const ended = await list(bucket, { database: 'prod' });
    assert.deepEqual(
      json(ended).map(({ key }) => key),
      [keyOf({ time: '2026-11-19_02-00-00' })],
    );
  });

  test('needs no more than to list and to read, and says what it then cannot know', async () => {
    const bucket = await createBucket(client);
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    await putBackups(
      client,
      bucket,
      nights(2, '2026-11-20').map((time) => ({ time })),
    );
    const ended = await list(
      bucket,
      {},
      {
        ...(await restrictedUser(server, bucket, ['s3:ListBucket', 's3:GetObject'])),
        endpoint: aged.endpoint,
      },
    );
    assert.match(ended.log, /Locked objects would stay anyway; .*: S3 denied s3:GetBucketVersioning/);
    assert.equal(json(ended).length, 2);
  });

  test('of nothing says where it has looked', async () => {
    const bucket = await createBucket(client);
    const ended = await list(bucket, { database: 'prod' });
    assert.match(
      ended.log,
      /warning: There are no backups of prod in s3:\/\/.*\/acme\/backups\/: check s3-prefix/,
    );
    assert.deepEqual(json(ended), []);
  });
});
