import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startAgedS3 } from '../support/aged-bucket.ts';
import { pruned } from '../support/prune-run.ts';
import { createBucket, listKeys } from '../support/s3.ts';
import { keyOf, nights, objectsOf, putBackups } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client } = await useTestBucket();
const aged = await startAgedS3(server);
after(() => aged[Symbol.asyncDispose]());

test('prune of more than a thousand objects deletes what no rule keeps, of this database alone', async () => {
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

  const dry = await pruned(bucket, { 'keep-yearly': '2', 'dry-run': 'true' }, aged);
  assert.deepEqual(await listKeys(client, bucket), before, 'a dry run deletes nothing');
  assert.match(dry.log, /prod: 18 would stay, 542 would be deleted; nothing was changed/);
  assert.match(dry.log, /^2026-11-20_02-00-00 .* keep: newest, last 1, daily, weekly, monthly, yearly$/m);
  assert.match(dry.log, /^2025-12-31_02-00-00 .* keep: yearly$/m);
  assert.match(dry.log, /^2026-08-01_02-00-00 .* delete: no slot$/m);

  await pruned(bucket, { 'keep-yearly': '2', 'prune-limit': '100' }, aged);
  const days = [
    ...nights(14, '2026-11-20'),
    ...['2026-11-01_02-00-00', '2026-10-31_02-00-00', '2026-09-30_02-00-00', '2025-12-31_02-00-00'],
  ];
  const others = before.filter((key) => !times.some((time) => objectsOf(keyOf({ time })).includes(key)));
  assert.equal(others.length, 10);
  const expected = [...days.flatMap((time) => objectsOf(keyOf({ time }))), ...others];
  assert.deepEqual((await listKeys(client, bucket)).sort(), expected.sort());
});
