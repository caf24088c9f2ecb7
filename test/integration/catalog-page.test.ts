import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { startAgedS3 } from '../support/aged-bucket.ts';
import { cleanEnvironment, jsonOf, outputsOf, runCommand } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { createBucket, getObject, listKeys, restrictedUser, type S3Server } from '../support/s3.ts';
import { nights, putBackups } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client } = await useTestBucket();
const aged = await startAgedS3(server);
after(() => aged[Symbol.asyncDispose]());

const run = (command: string, bucket: string, inputs: RawInputs = {}, at: S3Server = aged) =>
  runCommand(
    command,
    { 's3-bucket': bucket, 's3-endpoint': at.endpoint, customer: 'acme', ...inputs },
    cleanEnvironment(at),
  );

const page = 'acme/backups/index.html';
const shown = async (bucket: string) => Buffer.from(await getObject(client, bucket, page)).toString();

suite('catalog-page', () => {
  test('puts a page of all databases beside the archives, and writes it anew', async () => {
    const bucket = await createBucket(client);
    const dates = nights(3, new Date().toISOString().slice(0, 10));
    await putBackups(client, bucket, [
      ...dates.map((time) => ({ time })),
      { time: dates[1] ?? '', database: '<b>blog</b>' },
    ]);
    const before = await listKeys(client, bucket);
    const ended = await run('list', bucket, { database: 'prod', 'catalog-page': 'true' });
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /Page of all databases: s3:\/\/.*\/acme\/backups\/index\.html/);
    assert.deepEqual(await listKeys(client, bucket), [...before, page].toSorted());
    const text = await shown(bucket);
    assert.match(text, /<h2>✅ 2 databases, each with verified backups<\/h2>/);
    assert.match(text, /<h2>✅ prod: 3 verified backups<\/h2>/);
    assert.match(text, /&lt;b&gt;blog&lt;\/b&gt;: 1 verified backup/);

    // It is no backup, and in nobody's way.
    const keep = {
      database: 'prod',
      'keep-last': '1',
      'keep-daily': '0',
      'keep-weekly': '0',
      'keep-monthly': '0',
      'minimum-keep': '1',
    };
    const pruned = await run('prune', bucket, { ...keep, 'prune-limit': '100', 'catalog-page': 'true' });
    assert.equal(pruned.exitCode, 0, pruned.log);
    assert.match(await shown(bucket), /<h2>✅ prod: 1 verified backup<\/h2>/);

    const pinned = await run('mark', bucket, { database: 'prod', pin: 'before 18', 'catalog-page': 'true' });
    assert.equal(pinned.exitCode, 0, pinned.log);
    assert.match(await shown(bucket), /before 18/);
    const gate = await run('gate', bucket, { database: 'prod', 'max-age': '7d' });
    assert.equal(outputsOf(gate).database, 'prod', gate.log);
    assert.equal(jsonOf(await run('list', bucket)).length, 2);
  });

  test('is no reason to fail where it may not be written', async () => {
    const bucket = await createBucket(client);
    await putBackups(client, bucket, [{ time: '2026-11-19_02-00-00' }]);
    const reader = await restrictedUser(server, bucket, ['s3:ListBucket', 's3:GetObject']);
    const ended = await run('list', bucket, { 'catalog-page': 'true' }, reader);
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /warning: The page of all databases was not written: S3 denied s3:PutObject/);
  });
});
