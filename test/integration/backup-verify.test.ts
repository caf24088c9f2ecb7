import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { receiptKey } from '../../src/catalog/keys.ts';
import { levelOf } from '../../src/catalog/proofs.ts';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { Scene } from '../support/backup-run.ts';
import { psql } from '../support/postgres.ts';
import { getObject, listKeys } from '../support/s3.ts';
import { type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';

suite('backup, with the input verify', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** A request for the archive's first bytes: nobody but who reads all of it asks for more than four of them. */
  const readsBack = ({ method, path, headers: { range } }: SeenRequest): boolean =>
    method === 'GET' && path.endsWith('.zip') && /^bytes=0-\d\d/.test(String(range));

  /** The only backup there is. */
  async function onlyReceipt(): Promise<Receipt> {
    const [key = '', ...others] = (await listKeys(scene.client, scene.bucket)).filter((each) =>
      /\.json$/.test(each),
    );
    assert.deepEqual(others, []);
    return parseReceipt(
      JSON.parse(Buffer.from(await getObject(scene.client, scene.bucket, key)).toString()),
      key,
    );
  }

  async function removeAll(receipt: Receipt): Promise<void> {
    for (const Key of [receipt.key, receiptKey(receipt.key)]) {
      await scene.client.send(new DeleteObjectCommand({ Bucket: scene.bucket, Key }));
    }
  }

  for (const format of ['dual', 'directory'] as const) {
    test(`${format}: contents, in the same run`, async () => {
      const made = await scene.backup({ format, verify: 'contents' });
      assert.equal(made.outputs.verified, 'contents');
      assert.deepEqual(
        made.receipt.proofs.map(({ level, failure }) => [level, failure]),
        [
          ['upload', undefined],
          ['contents', undefined],
        ],
      );
      assert.deepEqual(JSON.parse(made.outputs.json ?? '').proofs, made.receipt.proofs);
      assert.match(made.log, /^Read back s3:\/\//m);
      assert.match(made.log, /^Verified {5}contents: every byte read back and checked, in /m);
    });
  }

  test('what was missing or torn on the host, or lies elsewhere, is no failure of the archive', async () => {
    const { odoo, sandbox } = scene;
    const sql = (text: string) => psql(sandbox.postgres, odoo.database, text, 'odoo');
    const [gone = '', torn = ''] = (
      await sql("SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname <> '' ORDER BY 1 LIMIT 2")
    ).split('\n');
    const odd = ['zz/a\tb', 'zz/c\\d']; // the second cannot be in a zip
    await sql(`INSERT INTO ir_attachment (name, type, store_fname) VALUES
      ('elsewhere', 'url', 's3://bucket/key'), ('odd', 'binary', E'zz/a\\tb'), ('odd', 'binary', E'zz/c\\\\d'),
      ('odd and gone', 'binary', E'zz/\\t')`);
    await mkdir(join(odoo.filestore, 'zz'));
    for (const name of odd) await writeFile(join(odoo.filestore, name), 'odd');
    const [first, second] = [gone, torn].map((name) => join(odoo.filestore, name)) as [string, string];
    await rename(first, `${first}.away`);
    await appendFile(second, 'torn');
    const made = await scene.backup({ format: 'odoo', verify: 'contents' });
    const { files: _, bytes: __, ...flaws } = made.receipt.filestore ?? assert.fail();
    assert.deepEqual(flaws, { missing: 2, lost: 0, corrupt: 1, skipped: 1 });
    assert.equal(made.outputs.verified, 'contents');
  });

  test('an archive that fails stops the deploy, and is no backup', async () => {
    await using proxy = await startS3Proxy(scene.sandbox.s3, [
      { when: readsBack, fault: { kind: 'flip', at: 5000 } },
    ]);
    const ended = await scene.run({ verify: 'contents', prune: 'true', 's3-endpoint': proxy.endpoint });
    assert.equal(ended.exitCode, 1, ended.log);
    assert.equal(ended.stdout, '', 'a failed run has no outputs');
    assert.match(
      ended.log,
      /The backup s3:\S+\.zip has failed its verification: "\S+\.dump" is not what the archive's/,
    );
    assert.doesNotMatch(ended.log, /no rule keeps/, 'nothing is pruned after a failure');
    const receipt = await onlyReceipt();
    assert.equal(levelOf(receipt), undefined);
    assert.match(receipt.proofs.at(-1)?.failure ?? '', /\.dump" is not what/);
    await removeAll(receipt);
  });

  test('a run that is cancelled while it reads back leaves a backup of the level upload, and says so', async () => {
    await using proxy = await startS3Proxy(scene.sandbox.s3, [
      { when: readsBack, fault: { kind: 'error', status: 503, code: 'SlowDown' } },
    ]);
    const run = scene.start({ verify: 'contents', 's3-endpoint': proxy.endpoint });
    await run.says(/^Read back /m);
    run.child.kill('SIGTERM');
    const ended = await run.ended;
    assert.equal(ended.exitCode, 143, ended.log);
    assert.match(
      ended.log,
      /warning: s3:\S+\.zip is made, and counts as far as its receipt says: contents could not be/,
    );
    const receipt = await onlyReceipt();
    assert.equal(levelOf(receipt), 'upload');
    await removeAll(receipt);
  });
});
