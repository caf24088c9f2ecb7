import assert from 'node:assert/strict';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { receiptKey } from '../../src/catalog/keys.ts';
import { restoreSql, sqlOf } from '../support/backup-check.ts';
import { assertFull, type Kept, useBackups } from '../support/incremental-scene.ts';
import { createDatabase, dropDatabase, uniqueName } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { getObject } from '../support/s3.ts';

suite('a backup after another one, in the course of days', () => {
  const { scene, addFiles, backUp, remove, emptyBucket, assertWhole, makeFullDue } = useBackups();

  test('sends what is new, and is as whole as the first', async () => {
    const full = await backUp();
    assertFull(full, /First backup: everything is sent/);
    await addFiles(3, 300_000);
    const next = await backUp();
    await assertWhole(next);
    const { copied } = next.receipt.upload;
    assert.equal(copied?.from, full.receipt.key);
    assert.equal(copied?.proof, 'etag');
    assert.equal(copied?.fullAt, full.receipt.startedAt);
    assert.equal(next.receipt.bytesSent + (copied?.bytes ?? 0), next.receipt.size);
    const rest = full.receipt.size - (copied?.bytes ?? 0);
    assert.ok(next.receipt.bytesSent < rest + 1_000_000, `${next.receipt.bytesSent} bytes were sent`);
    assert.equal(next.receipt.filestore?.files, (full.receipt.filestore?.files ?? 0) + 3);
    assert.match(next.log, /Filestore: 3 files that the previous backup lacks/);

    // Days later: what was removed is gone, what was there before is back, and the first archives are deleted.
    const [folder = ''] = await readdir(scene().odoo.filestore);
    const away = join(scene().odoo.dataDir, 'away');
    await rename(join(scene().odoo.filestore, folder), away);
    const without = await backUp({ verify: 'contents' });
    await assertWhole(without);
    assert.ok((without.receipt.filestore?.files ?? 0) < (next.receipt.filestore?.files ?? 0));
    await rename(away, join(scene().odoo.filestore, folder));
    const again = await backUp({ verify: 'contents' });
    assert.equal(again.receipt.filestore?.files, next.receipt.filestore?.files);
    assert.equal(again.receipt.upload.copied?.fullAt, full.receipt.startedAt);
    for (const { receipt } of [full, next, without]) {
      await remove(receipt.key, receiptKey(receipt.key));
    }
    await assertWhole(again);
  });

  test('after days of growth, removals and returns, with all others deleted', async () => {
    await emptyBucket();
    const away: string[] = [];
    const made: Kept[] = [];
    for (let day = 1; day <= 8; day += 1) {
      // Small days and large ones: some leave less behind than S3 copies, and some more.
      await addFiles((day % 4) + 1, day % 5 === 0 ? 3_000_000 : 200_000);
      const here = (await run(['find', scene().odoo.filestore, '-type', 'f', '-printf', '%P\n']))
        .trim()
        .split('\n');
      for (const file of [here[(day * 37) % here.length], here[(day * 11) % here.length]]) {
        if (file === undefined || away.includes(file) || file.startsWith('checklist/')) continue;
        await rename(join(scene().odoo.filestore, file), join(scene().odoo.dataDir, basename(file)));
        away.push(file);
      }
      const back = day % 3 === 0 ? away.shift() : undefined;
      if (back) await rename(join(scene().odoo.dataDir, basename(back)), join(scene().odoo.filestore, back));
      if (day === 5) await makeFullDue(made.at(-1) as Kept);
      made.push(await backUp({ format: 'odoo', verify: 'contents' }));
    }
    const copying = made.map(({ receipt }) => receipt.upload.copied !== undefined);
    assert.deepEqual(copying, [false, true, true, true, false, true, true, true]);
    for (const { receipt } of made) {
      assert.deepEqual(
        receipt.proofs.map(({ level, failure }) => [level, failure]),
        [
          ['upload', undefined],
          ['contents', undefined],
        ],
      );
    }
    const last = made.at(-1) as Kept;
    assert.ok(last.receipt.upload.copied);
    for (const { receipt } of made.slice(0, -1)) {
      await remove(receipt.key, receiptKey(receipt.key));
    }
    await assertWhole(last);
    const { postgres } = scene().sandbox;
    const path = join(scene().folder, 'last.zip');
    await writeFile(path, await getObject(scene().client, scene().bucket, last.receipt.key));
    const restored = uniqueName('restored');
    await createDatabase(postgres, restored);
    try {
      await restoreSql(postgres, path, restored);
      assert.ok((await sqlOf(postgres, restored)) === (await sqlOf(postgres, scene().odoo.database)));
    } finally {
      await dropDatabase(postgres, restored);
    }
    for (const file of away) await rm(join(scene().odoo.dataDir, basename(file)));
    await emptyBucket();
  });
});
