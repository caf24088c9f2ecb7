import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Proof } from '../../src/catalog/proofs.ts';
import { inputTable } from '../../src/inputs/table.ts';
import { cleanEnvironment, type Ended, outputsOf, Run, runCommand } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { startMonitor } from '../support/monitor.ts';
import { createBucket, listKeys, restrictedUser, type S3Server } from '../support/s3.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { keyOf, putBackups, type StoredBackup, uploadProof } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client } = await useTestBucket();

const HOUR_MS = 3_600_000;

/** As a key has it. */
const hoursAgo = (hours: number): string =>
  new Date(Date.now() - hours * HOUR_MS).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');

const passed = (level: Proof['level']): Proof => ({ ...uploadProof, level });

function ask(bucket: string, inputs: RawInputs = {}, at: S3Server = server): Promise<Ended> {
  const where = { 's3-bucket': bucket, 's3-endpoint': at.endpoint, customer: 'acme', database: 'prod' };
  return runCommand('gate', { ...where, ...inputs }, cleanEnvironment(at));
}

async function bucketWith(...backups: StoredBackup[]): Promise<string> {
  const bucket = await createBucket(client);
  await putBackups(client, bucket, backups);
  return bucket;
}

async function isShut(asking: Promise<Ended>, why: RegExp): Promise<void> {
  const ended = await asking;
  assert.match(ended.log, why);
  assert.match(ended.log, /❌ The gate is shut for prod/);
  assert.equal(ended.exitCode, 3, ended.log);
  assert.equal(ended.stdout, '', 'a shut gate has no outputs');
}

suite('gate', () => {
  test('is open for a backup that is proven and young enough, and says which', async () => {
    const time = hoursAgo(25);
    const bucket = await bucketWith({ time }, { time: hoursAgo(30) });
    const ended = await ask(bucket);
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /✅ The gate is open: prod has a backup/);
    const { json, ...outputs } = outputsOf(ended);
    const key = keyOf({ time });
    assert.deepEqual(outputs, {
      key,
      uri: `s3://${bucket}/${key}`,
      receipt: key.replace('.zip', '.json'),
      size: '100',
      database: 'prod',
      'odoo-version': '',
      verified: 'upload',
    });
    assert.equal(JSON.parse(json ?? '').key, key);
  });

  test('takes the newest that is proven far enough, though a newer one is not', async () => {
    const [nightly, hourly] = [hoursAgo(20), hoursAgo(1)];
    const bucket = await bucketWith(
      { time: hourly },
      { time: nightly, proofs: [passed('upload'), passed('restore')] },
      { time: hoursAgo(24), proofs: [passed('restore')] },
    );
    const ended = await ask(bucket, { require: 'contents' });
    assert.equal(ended.exitCode, 0, ended.log);
    assert.deepEqual(
      [outputsOf(ended).key, outputsOf(ended).verified],
      [keyOf({ time: nightly }), 'restore'],
    );
  });

  const shut: [string, () => StoredBackup[], RawInputs, RegExp][] = [
    [
      'there is none, but of a database whose name begins alike',
      () => [{ time: hoursAgo(1), database: 'prod2' }],
      {},
      /error: There is no backup of prod in s3:\/\/.*\/acme\/backups\//,
    ],
    [
      'the newest is too old',
      () => [{ time: hoursAgo(44 * 24 + 1) }],
      {},
      /The newest verified backup of prod, .*, is of .* UTC, 44 days ago: max-age is 1 d 2 h$/m,
    ],
    [
      'none is proven far enough',
      () => [{ time: hoursAgo(1) }, { time: hoursAgo(30), proofs: [passed('restore')] }],
      { require: 'restore' },
      /The newest backup of prod, .*, is verified to the level upload: restore is required/,
    ],
    [
      'the only one has no receipt',
      () => [{ time: hoursAgo(1), proofs: null }],
      {},
      /No backup of prod is verified; the newest is .*\.zip: archive without receipt/,
    ],
    [
      'the archive is gone',
      () => [{ time: hoursAgo(1), withoutArchive: true }],
      {},
      /No backup of prod is verified; the newest is .*\.json: receipt without archive/,
    ],
    [
      'the archive is not the one of the receipt',
      () => [{ time: hoursAgo(1), receipt: { size: 7 } }],
      {},
      /No backup of prod is verified; .*: changed: it has 100 bytes, its receipt says 7/,
    ],
    [
      'it has failed a proof since',
      () => [
        { time: hoursAgo(1), proofs: [passed('upload'), { ...passed('restore'), failure: 'no sale_order' }] },
      ],
      {},
      /No backup of prod is verified; .*: failed, restore: no sale_order/,
    ],
    [
      'its date is still to come: the S3 service’s clock counts',
      () => [{ time: hoursAgo(-24 * 365) }],
      {},
      /No backup of prod is verified; .*: changed: it is dated 365 days after it was stored/,
    ],
  ];
  for (const [name, backups, inputs, why] of shut) {
    test(`is shut when ${name}`, async () => {
      await isShut(ask(await bucketWith(...backups()), inputs), why);
    });
  }

  test('is shut where a restore takes too long, as the last test of any backup has measured it', async () => {
    const tested = { time: hoursAgo(50), proofs: [uploadProof, { ...passed('restore'), seconds: 1500 }] };
    const bucket = await bucketWith({ time: hoursAgo(1) }, { time: hoursAgo(26) }, tested);
    assert.equal((await ask(bucket, { 'max-restore': '30m' })).exitCode, 0);
    const key = keyOf(tested);
    const slow = new RegExp(
      `The last restore test of prod, of ${key}, took 25 min 00 s: max-restore is 20 min`,
    );
    await isShut(ask(bucket, { 'max-restore': '20m' }), slow);
    const untested = await bucketWith({ time: hoursAgo(1) });
    await isShut(ask(untested, { 'max-restore': '20m' }), /No restore test of prod has measured/);
  });

  test('takes the time to Odoo’s answer for it, where that was measured, though a restore alone was quicker', async () => {
    const restored = { ...passed('restore'), seconds: 600 };
    const booted = { time: hoursAgo(50), proofs: [restored, { ...passed('boot'), seconds: 1500 }] };
    const bucket = await bucketWith({ time: hoursAgo(1), proofs: [restored] }, booted);
    assert.equal((await ask(bucket, { 'max-restore': '30m' })).exitCode, 0);
    const slow = `From the archive to Odoo’s answer, prod took 25 min 00 s, as measured with ${keyOf(booted)}: max-restore is 20 min`;
    await isShut(ask(bucket, { 'max-restore': '20m' }), new RegExp(slow));
  });

  test('asks for an Odoo that has answered', async () => {
    const [tested, newer] = [{ time: hoursAgo(20), proofs: [passed('boot')] }, { time: hoursAgo(1) }];
    const bucket = await bucketWith(tested, newer);
    const ended = await ask(bucket, { require: 'boot' });
    assert.deepEqual([outputsOf(ended).key, outputsOf(ended).verified], [keyOf(tested), 'boot'], ended.log);
    await isShut(
      ask(bucket, { require: 'boot', 'max-age': '2h' }),
      /is verified to the level upload: boot is required/,
    );
  });

  test('asks for the very backup that another job has made', async () => {
    const [mine, newer] = [hoursAgo(2), hoursAgo(1)];
    const bucket = await bucketWith({ time: mine }, { time: newer, proofs: [passed('restore')] });
    const key = keyOf({ time: mine });
    for (const backup of [key, `s3://${bucket}/${key}`, mine]) {
      const ended = await ask(bucket, { backup });
      assert.equal(ended.exitCode, 0, ended.log);
      assert.equal(outputsOf(ended).key, key);
    }
    await isShut(
      ask(bucket, { backup: key, require: 'restore' }),
      new RegExp(`error: ${key} is verified to the`),
    );
    await isShut(
      ask(bucket, { backup: key, 'max-age': '1h' }),
      new RegExp(`error: ${key} is of .*, 2 hours ago`),
    );
    const gone = keyOf({ time: hoursAgo(3) });
    await isShut(ask(bucket, { backup: gone }), new RegExp(`There is no backup ${gone} of prod in`));
    const foreign = await ask(bucket, { backup: `s3://other/${key}` });
    assert.match(foreign.log, /backup: s3:\/\/other\/.* lies in another bucket/);
    assert.equal(foreign.exitCode, 2);
  });

  test('only lists and reads, and of many backups the newest alone, and those that it is compared with', async () => {
    const bucket = await bucketWith(
      ...Array.from({ length: 40 }, (_, hours) => ({ time: hoursAgo(hours + 1) })),
    );
    const before = await listKeys(client, bucket);
    const reader = await restrictedUser(server, bucket, ['s3:ListBucket', 's3:GetObject']);
    await using proxy = await startS3Proxy(reader);
    const ended = await ask(bucket, {}, proxy);
    assert.equal(ended.exitCode, 0, ended.log);
    assert.deepEqual([...new Set(proxy.requests.map(({ method }) => method))], ['GET']);
    assert.ok(proxy.requests.length < 60, `${proxy.requests.length} requests`);
    assert.deepEqual(await listKeys(client, bucket), before);
  });

  test('that cannot look is not open, and no shut one either', async () => {
    const ended = await ask('no-such-bucket');
    assert.match(ended.log, /There is no bucket no-such-bucket/);
    assert.equal(ended.exitCode, 1);
  });
});

suite('gate as a step of a GitHub workflow', () => {
  /** As the runner starts it: what is not given has the default of action.yml. */
  async function step(bucket: string, inputs: RawInputs): Promise<Ended & { summary: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'gate-'));
    try {
      const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
      await Promise.all(Object.values(files).map((path) => writeFile(path, '')));
      const given = {
        ...Object.fromEntries(
          inputTable.map((input) => [input.name, 'default' in input ? input.default : '']),
        ),
        ...{ command: 'gate', 's3-bucket': bucket, 's3-endpoint': server.endpoint, database: 'prod' },
        ...inputs,
      };
      const variables = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
      const env = {
        GITHUB_ACTIONS: 'true',
        GITHUB_REPOSITORY: 'odoo/acme',
        ...Object.fromEntries(variables),
      };
      const ended = await new Run([], { ...cleanEnvironment(server), ...files, ...env }).ended;
      return { ...ended, summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8') };
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test('is open, or shut, on the page of the job', async () => {
    const bucket = await bucketWith({ time: hoursAgo(1) });
    const open = await step(bucket, {});
    assert.equal(open.exitCode, 0, open.stdout);
    assert.match(open.summary, /^### ✅ The gate is open: prod has a backup\n/);
    const shut = await step(bucket, { 'max-age': '30m' });
    assert.equal(shut.exitCode, 3, shut.stdout);
    assert.match(shut.summary, /^### ❌ The gate is shut for prod\n/);
    assert.match(shut.summary, />Because<\/th><td>The newest verified backup of prod, .*: max-age is 30 min/);
    assert.match(shut.summary, />What to do<\/th><td>Make a backup, or find out why none was made/);
    assert.match(shut.summary, />Left as it was<\/th><td>Nothing was changed: this command only reads\./);
    assert.match(shut.stdout, /::error::The newest verified backup of prod, .*: max-age is 30 min 00 s/);
  });

  test('does not take any backup when the job before has handed over nothing', async () => {
    const bucket = await bucketWith({ time: hoursAgo(1) });
    const ended = await step(bucket, { backup: '' });
    assert.equal(ended.exitCode, 2, ended.stdout);
    assert.match(ended.stdout, /::error::backup: is empty: the earlier job did not pass its key on/);
  });
});

suite('ping-url', () => {
  test('is told of success, and of failure with /fail', async () => {
    const bucket = await bucketWith({ time: hoursAgo(1) });
    await using monitor = await startMonitor();
    await ask(bucket, { 'ping-url': monitor.url });
    await ask(bucket, { 'ping-url': `${monitor.url}/?name=x`, require: 'restore' });
    assert.deepEqual(monitor.pings, [
      ['POST /ping/secret/start', 'odoo-backup gate: started'],
      ['POST /ping/secret', 'odoo-backup gate: done'],
      ['POST /ping/secret/start?name=x', 'odoo-backup gate: started'],
      ['POST /ping/secret/fail?name=x', 'odoo-backup gate: failed'],
    ]);
  });

  test('that is not reached is a warning, without the URL', async () => {
    const bucket = await bucketWith({ time: hoursAgo(1) });
    await using monitor = await startMonitor();
    for (const [status, attempts] of [
      [404, 1],
      [503, 3],
    ] as const) {
      monitor.status = status;
      const before = monitor.pings.length;
      const refused = await ask(bucket, { 'ping-url': monitor.url });
      assert.equal(refused.exitCode, 0, refused.log);
      assert.match(refused.log, new RegExp(`warning: ping-url was not reached: HTTP ${status}`));
      assert.equal(monitor.pings.length - before, attempts + 1); // the start is told once
    }
    const closed = await ask(bucket, { 'ping-url': 'http://127.0.0.1:1/secret-uuid' });
    assert.equal(closed.exitCode, 0, closed.log);
    assert.match(closed.log, /warning: ping-url was not reached: /);
    assert.doesNotMatch(closed.log, /secret-uuid/);
  });
});
