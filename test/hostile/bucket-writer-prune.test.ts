import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { startAgedS3 } from '../support/aged-bucket.ts';
import { cleanEnvironment, type Ended, outputsOf, runCommand } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { keepLast, prune, pruned } from '../support/prune-run.ts';
import { createBucket, listKeys, type S3Server } from '../support/s3.ts';
import { type S3Rule, startS3Proxy } from '../support/s3-proxy.ts';
import { keyOf, nights, objectsOf, putBackup, putBackups } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client } = await useTestBucket();
const aged = await startAgedS3(server);
after(() => aged[Symbol.asyncDispose]());

const DAY_MS = 86_400_000;
/** As a key has it. */
const daysAgo = (days: number): string =>
  new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');

/** Listings show the genuine ones as old as they are; what somebody else has put in is as old as it is, too. */
function agedBut(forged: readonly string[]): S3Rule {
  const keys = new Set(forged);
  return {
    when: ({ query }) => query.has('list-type'),
    fault: {
      kind: 'map-body',
      map: (xml) =>
        xml.replaceAll(/<Contents>.*?<\/Contents>/gs, (object) => {
          const [, key = '', day, time = ''] =
            /<Key>([^<]*_(\d{4}-\d\d-\d\d)_(\d\d-\d\d-\d\d)\.[^<]*)<\/Key>/.exec(object) ?? [];
          if (!day || keys.has(key.replace('.json', '.zip'))) return object;
          return object.replace(/(<LastModified>)[^<]*/, `$1${day}T${time.replaceAll('-', ':')}.000Z`);
        }),
    },
  };
}

function ask(command: 'gate' | 'list', bucket: string, at: S3Server, inputs: RawInputs = {}): Promise<Ended> {
  const where = { 's3-bucket': bucket, 's3-endpoint': at.endpoint, customer: 'acme', database: 'prod' };
  return runCommand(command, { ...where, ...inputs }, cleanEnvironment(at));
}

suite('somebody who writes to the bucket', () => {
  test('pushes nothing out by receipts that are dated back', async () => {
    const bucket = await createBucket(client);
    const today = daysAgo(0).slice(0, 10);
    const genuine = nights(20, today);
    await putBackups(
      client,
      bucket,
      genuine.map((time) => ({ time })),
    );
    // Each day of the past half a year, a second before midnight: the newest of every day, week and month.
    const forged = await putBackups(
      client,
      bucket,
      Array.from({ length: 140 }, (_, i) => ({ time: `${daysAgo(i + 3).slice(0, 10)}_23-59-59` })),
    );
    await using proxy = await startS3Proxy(server, [agedBut(forged)]);
    const ended = await pruned(bucket, {}, proxy);
    assert.match(
      ended.log,
      /warning: 140 backups are not counted by any rule, and stay until you delete them, such as .*: dated [23] days before it was stored/,
    );
    // As without them.
    const alone = await createBucket(client);
    await putBackups(
      client,
      alone,
      genuine.map((time) => ({ time })),
    );
    await pruned(alone, {}, aged);
    const left = (await listKeys(client, bucket)).filter(
      (key) => !forged.some((each) => objectsOf(each).includes(key)),
    );
    assert.deepEqual(left.sort(), (await listKeys(client, alone)).sort());
    assert.ok(left.length >= 2 * 14);
  });

  test('pushes nothing out by receipts of today: so many at once are not deleted', async () => {
    const bucket = await createBucket(client);
    const genuine = nights(20, daysAgo(1).slice(0, 10));
    await putBackups(
      client,
      bucket,
      genuine.map((time) => ({ time })),
    );
    const forged = await putBackups(
      client,
      bucket,
      Array.from({ length: 140 }, (_, i) => ({ time: daysAgo(i / 1440) })),
    );
    const before = await listKeys(client, bucket);
    await using proxy = await startS3Proxy(server, [agedBut(forged)]);
    const ended = await prune(bucket, {}, proxy);
    assert.equal(ended.exitCode, 1, ended.log);
    assert.match(
      ended.log,
      /error: Nothing was deleted: 1\d\d of 160 archives would be deleted at once, and prune-limit is 50 percent/,
    );
    const dry = await pruned(bucket, { 'dry-run': 'true' }, proxy);
    assert.match(dry.log, /warning: Without dry-run this fails: 1\d\d of 160 archives/);
    assert.deepEqual(await listKeys(client, bucket), before);
    await pruned(bucket, { 'prune-limit': '100' }, proxy);
    assert.ok((await listKeys(client, bucket)).length < before.length);
  });

  test('is not the newest by a date that is still to come', async () => {
    const bucket = await createBucket(client);
    const time = daysAgo(0.5);
    await putBackup(client, bucket, { time });
    const future = await putBackup(client, bucket, { time: '2099-01-01_00-00-00' });
    const gate = await ask('gate', bucket, server);
    assert.equal(gate.exitCode, 0, gate.log);
    assert.equal(outputsOf(gate).key, keyOf({ time }));
    const list = await ask('list', bucket, server);
    assert.match(list.log, /^2099-01-01_00-00-00 .* changed: it is dated \d+ days after it was stored/m);
    await pruned(bucket, keepLast(1), server);
    const left = await listKeys(client, bucket);
    assert.ok(left.includes(keyOf({ time })) && left.includes(future));
  });

  test('gets no slot by a receipt that speaks of another place or another time', async () => {
    const bucket = await createBucket(client);
    const [a = '', b = '', c = '', d = ''] = [daysAgo(0.1), daysAgo(0.2), daysAgo(0.3), daysAgo(1)];
    await putBackups(client, bucket, [
      { time: a, receipt: { bucket: 'another-bucket' } },
      { time: b, receipt: { key: `other/backups/prod_${b}.zip` } },
      { time: c, receipt: { startedAt: '2020-01-01T00:00:00.000Z' } },
      { time: d },
    ]);
    const ended = await pruned(bucket, keepLast(1), server);
    assert.match(ended.log, new RegExp(`^${a} .* keep: its receipt is for s3://another-bucket/`, 'm'));
    assert.match(ended.log, new RegExp(`^${b} .* keep: its receipt is for s3://.*/other/backups/`, 'm'));
    assert.match(ended.log, new RegExp(`^${c} .* keep: its receipt has another date: 2020-01-01`, 'm'));
    assert.match(ended.log, new RegExp(`^${d} .* keep: newest, last 1`, 'm'));
    assert.equal((await listKeys(client, bucket)).length, 8);
  });
});

test('a catalog that was copied stays whole, and what is made beside it is pruned by the rules', async () => {
  const bucket = await createBucket(client);
  const copied = await putBackups(
    client,
    bucket,
    nights(5, daysAgo(30).slice(0, 10)).map((time) => ({ time })),
  );
  const [old = '', newer = ''] = [daysAgo(1), daysAgo(0.1)];
  await putBackups(client, bucket, [{ time: old }, { time: newer }]);
  await pruned(bucket, keepLast(1), server);
  assert.deepEqual(
    (await listKeys(client, bucket)).sort(),
    [...copied, keyOf({ time: newer })].flatMap(objectsOf).sort(),
  );
});
