import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { startAgedS3 } from '../support/aged-bucket.ts';
import { cleanEnvironment, type Ended, jsonOf, outputsOf, runCommand } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { keepLast } from '../support/prune-run.ts';
import { createBucket, getObject, listKeys } from '../support/s3.ts';
import { keyOf, putBackups, type StoredBackup } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client } = await useTestBucket();
const aged = await startAgedS3(server);
after(() => aged[Symbol.asyncDispose]());

const rows = (res_partner: number): Partial<Receipt> => ({ counts: { res_partner } });
const daysAgo = (days: number): string =>
  new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');

/** One a day, with so many partners each, the newest first. */
async function bucketWith(...partners: number[]): Promise<{ bucket: string; times: string[] }> {
  const bucket = await createBucket(client);
  const times = partners.map((_, day) => daysAgo(day));
  const backups = partners.map(
    (count, day): StoredBackup => ({ time: times[day] ?? '', receipt: rows(count) }),
  );
  await putBackups(client, bucket, backups);
  return { bucket, times };
}

const run = (command: string, bucket: string, inputs: RawInputs = {}): Promise<Ended> =>
  runCommand(
    command,
    { 's3-bucket': bucket, 's3-endpoint': aged.endpoint, customer: 'acme', database: 'prod', ...inputs },
    cleanEnvironment(aged),
  );

async function succeeds(command: string, bucket: string, inputs: RawInputs = {}): Promise<Ended> {
  const ended = await run(command, bucket, inputs);
  assert.equal(ended.exitCode, 0, ended.log);
  return ended;
}

suite('a database that was emptied by accident', () => {
  test('shuts the gate and stops prune, until somebody says that it is right', async () => {
    const { bucket, times } = await bucketWith(3, 4000, 4100, 3900, 4050, 4020);
    const key = keyOf({ time: times[0] ?? '' });
    const before = await listKeys(client, bucket);
    const said = /has shrunk by more than 30 percent: rows of res_partner: 3 instead of 4,0[25]0/;

    const shut = await run('gate', bucket);
    assert.equal(shut.exitCode, 3, shut.log);
    assert.match(shut.log, said);
    const named = await run('gate', bucket, { backup: key });
    assert.equal(named.exitCode, 3, named.log);
    assert.equal((await run('gate', bucket, { 'max-shrink': '100%' })).exitCode, 0);
    assert.equal((await run('gate', bucket, { backup: times[1] ?? '', 'max-age': '7d' })).exitCode, 0);

    const stopped = await run('prune', bucket, keepLast(1));
    assert.equal(stopped.exitCode, 1, stopped.log);
    assert.match(stopped.log, said);
    assert.deepEqual(await listKeys(client, bucket), before);
    const listed = await succeeds('list', bucket);
    assert.match(listed.log + listed.stdout, said);
    assert.deepEqual(jsonOf(listed)[0]?.shrunk, [{ what: 'rows of res_partner', now: 3, before: 4020 }]);

    const marked = await succeeds('mark', bucket, { 'accept-shrink': 'test data removed' });
    assert.match(marked.log, /Accepted as it is: acme\/backups\/prod_/);
    assert.equal(outputsOf(marked).key, key);
    await succeeds('gate', bucket);
    await succeeds('prune', bucket, keepLast(1));
    assert.deepEqual(
      (await listKeys(client, bucket)).filter((each) => each.endsWith('.zip')),
      [key],
    );
  });
});

suite('a pinned backup', () => {
  test('is deleted by no rule, and listed with its reason; unpin lets the rules decide', async () => {
    const { bucket, times } = await bucketWith(100, 100, 100, 100);
    const [, , third = ''] = times;
    await succeeds('mark', bucket, { backup: third, pin: 'before 17 to 18' });
    const listed = jsonOf(await succeeds('list', bucket));
    assert.deepEqual(
      listed.map((each: { pinned: string | null }) => each.pinned),
      [null, null, 'before 17 to 18', null],
    );
    const receipt = JSON.parse(
      Buffer.from(
        await getObject(client, bucket, keyOf({ time: third }).replace('.zip', '.json')),
      ).toString(),
    );
    assert.deepEqual(receipt.proofs.at(-1).remark, { kind: 'pin', reason: 'before 17 to 18' });
    const pruned = await succeeds('prune', bucket, keepLast(1));
    assert.match(pruned.log + pruned.stdout, /keep: pinned: before 17 to 18/);
    const zips = async () => (await listKeys(client, bucket)).filter((each) => each.endsWith('.zip'));
    assert.deepEqual(await zips(), [keyOf({ time: third }), keyOf({ time: times[0] ?? '' })].sort());

    await succeeds('mark', bucket, { backup: third, unpin: 'true' });
    await succeeds('prune', bucket, keepLast(1));
    assert.deepEqual(await zips(), [keyOf({ time: times[0] ?? '' })]);
  });

  test('with signers, is what one of them has pinned: nobody else pins, unpins, or accepts', async () => {
    const { bucket, times } = await bucketWith(100, 100);
    const nothing = await run('mark', bucket, { pin: 'x', backup: '2026-01-01_00-00-00' });
    assert.equal(nothing.exitCode, 1);
    assert.match(nothing.log, /There is no backup 2026-01-01_00-00-00 of prod/);
    const signers = 'ops ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEgF4yy8TAbRTKqcxTXxSZpWVJtHZLzmqLdqzBwD1vtt';
    const foreign = await run('mark', bucket, {
      pin: 'x',
      backup: times[0] ?? '',
      'trusted-signers': signers,
    });
    assert.equal(foreign.exitCode, 1, foreign.log);
    assert.match(foreign.log, /There is no backup/);
    for (const inputs of [{}, { pin: 'a', unpin: 'true' }, { pin: 'two\nlines' }]) {
      assert.equal((await run('mark', bucket, inputs)).exitCode, 2);
    }
  });
});
