import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { receiptKey } from '../../src/catalog/keys.ts';
import { Scene } from '../support/backup-run.ts';
import { assertFull, failsCopies, useBackups } from '../support/incremental-scene.ts';
import { run } from '../support/processes.ts';
import { listKeys } from '../support/s3.ts';
import type { S3Rule } from '../support/s3-proxy.ts';
import { unsigned } from '../support/unsigned.ts';

suite('a backup after another one that is better sent as a whole', () => {
  const { scene, haveBase, backUp, put, remove, emptyBucket, assertWhole, throughProxy } = useBackups();

  test('sends everything where that is better', async () => {
    const odoo = await backUp({ format: 'odoo' });
    const dual = await backUp();
    assertFull(dual, /no verified backup of format dual/);
    assert.ok((await backUp({ format: 'odoo' })).receipt.upload.copied?.from === odoo.receipt.key);
    const old = await backUp({ incremental: 'false' });
    assertFull(old, /Everything is sent: incremental is false/);

    await remove(dual.receipt.key, receiptKey(dual.receipt.key));
    const startedAt = new Date(Date.now() - 31 * 24 * 3_600_000).toISOString();
    await put(receiptKey(old.receipt.key), JSON.stringify(unsigned({ ...old.receipt, startedAt })));
    assertFull(await backUp(), /the last full upload was at .*, which is longer ago than full-every/);
    await emptyBucket();
    await put(old.receipt.key, 'another object');
    await put(receiptKey(old.receipt.key), JSON.stringify(old.receipt));
    assertFull(await backUp(), /is not what its receipt says/);
  });

  test('sends everything when too much of the archive before is gone', async () => {
    await haveBase();
    const files = await run(['find', scene().odoo.filestore, '-size', '+1500k', '-printf', '%P\\n']);
    const away = files.trim().split('\n').slice(0, 3);
    for (const file of away)
      await rename(join(scene().odoo.filestore, file), join(scene().odoo.dataDir, basename(file)));
    assertFull(await backUp(), /too much of .* belongs to deleted files/);
    for (const file of away)
      await rename(join(scene().odoo.dataDir, basename(file)), join(scene().odoo.filestore, file));
  });

  test('sends everything when its name has a % in it, which ends the gateway of Ceph 16 and 18', async () => {
    await using odd = await Scene.open({ database: 'half_50%' });
    for (const why of [/First backup/, /cannot copy from a name with % in it/]) {
      const { exitCode, log } = await odd.run();
      assert.equal(exitCode, 0, log);
      assert.match(log, why);
    }
  });

  test('sends everything when the archive before goes away meanwhile', async () => {
    await haveBase();
    await throughProxy([failsCopies(404, 'NoSuchKey')], async (proxy) => {
      const made = await backUp({ 's3-endpoint': proxy.endpoint });
      assertFull(made, /could not be copied: .*\n?.*So everything is sent/);
      assert.equal(made.receipt.upload.cannotCopy, undefined);
      await assertWhole(made);
    });
    await emptyBucket();
  });

  test('sends everything one after the other where a server loses what was sent at the same time', async () => {
    // As Ceph does behind gaps in the numbers of parts, when the first part was sent twice.
    const lost: S3Rule = {
      when: ({ method, path, headers }) =>
        method === 'GET' && path.endsWith('.zip') && headers.range === 'bytes=0-3',
      fault: { kind: 'error', status: 404, code: 'NoSuchKey' },
    };
    await throughProxy([{ ...lost, times: 1 }], async (proxy) => {
      const made = await backUp({ 's3-endpoint': proxy.endpoint });
      assertFull(made, /was sent, and byte 0 of it is not what was sent\. So everything is sent/);
      assert.equal(made.receipt.upload.cannotCopy, undefined);
      await assertWhole(made);
    });
    await emptyBucket();
    await throughProxy([lost], async (proxy) => {
      const { exitCode, log } = await scene().run({ 's3-endpoint': proxy.endpoint });
      assert.equal(exitCode, 1, log);
      assert.match(log, /^error: .*byte 0 of it is not what was sent, where everything was sent one after/m);
      assert.deepEqual(await listKeys(scene().client, scene().bucket), []);
    });
  });
});
