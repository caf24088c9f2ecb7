import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import {
  archiveKey,
  catalogFolder,
  latestReceipt,
  listBackups,
  writeReceipt,
} from '../../src/catalog/keys.ts';
import type { Proof } from '../../src/catalog/proofs.ts';
import { createBucket } from '../support/s3.ts';
import { sampleReceipt } from '../support/stored-backups.ts';
import { useTestBucket } from '../support/test-bucket.ts';

const { server, client, openStore } = await useTestBucket();

test('a bucket lists more than a page, and finds the newest receipt among them', async () => {
  const own = await createBucket(client);
  using store = openStore(server, { bucket: own, prefix: 'odoo/' });
  const folder = catalogFolder('odoo/', 'acme');
  const begin = Date.parse('2026-01-01T00:00:00Z');
  const name = (database: string, minute: number) => ({ database, at: new Date(begin + minute * 60_000) });
  for (let minute = 0; minute < 1050; minute += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, more) => {
        const Key = archiveKey(folder, name('prod', minute + more), '.zip');
        return client.send(new PutObjectCommand({ Bucket: own, Key, Body: '' }));
      }),
    );
  }
  assert.equal(await latestReceipt(store, 'acme', 'prod'), undefined);

  const receipt = (database: string, minute: number) =>
    sampleReceipt(own, archiveKey(folder, name(database, minute), '.zip'), database);
  for (const written of [receipt('prod', 3), receipt('prod', 1001), receipt('prod2', 1040)]) {
    await writeReceipt(store, written);
  }
  await writeReceipt(store, receipt('prod', 2000)); // its archive is not there
  const failed = receipt('prod', 1002);
  const failure = 'filestore/ab/abcd: CRC-32 differs';
  const proofs = [...failed.proofs, { ...failed.proofs[0], level: 'contents', failure } as Proof];
  await writeReceipt(store, { ...failed, proofs });
  await store.putJson(`${folder}prod_notes.json`, {});

  assert.deepEqual(await latestReceipt(store, 'acme', 'prod'), receipt('prod', 1001));
  const backups = await listBackups(store, 'acme', 'prod');
  assert.equal(backups.length, 1051);
  assert.deepEqual(backups[0]?.at, name('prod', 2000).at);
  assert.equal(backups.filter(({ receipt }) => receipt).length, 4);
  assert.equal((await listBackups(store, 'acme')).length, 1052);
  assert.deepEqual(await listBackups(store, 'nobody'), []);
});
