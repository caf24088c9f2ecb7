import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Scene } from '../support/backup-run.ts';
import { kmsKeyId } from '../support/ceph.ts';
import { assertFull, failsCopies, isCopy, useBackups } from '../support/incremental-scene.ts';
import { startOpaqueEtags } from '../support/opaque-etags.ts';
import { getObject, listKeys, listUploads } from '../support/s3.ts';
import type { S3Rule } from '../support/s3-proxy.ts';

suite('a backup after another one, on an S3 server that cannot copy, or is not trusted', () => {
  const { scene, haveBase, backUp, sql, put, emptyBucket, assertWhole, throughProxy } = useBackups();

  test('does not build upon bytes that have changed', async () => {
    const base = await backUp();
    const object = Buffer.from(await getObject(scene().client, scene().bucket, base.receipt.key));
    const segment = base.receipt.segments.find(({ kind }) => kind === 'filestore');
    const at = (segment?.offset ?? 0) + 1_000_000;
    object[at] = (object[at] ?? 0) ^ 1;
    await put(base.receipt.key, object);
    const made = await backUp();
    assertFull(made, /reads back with MD5 .* but .* was written/);
    await assertWhole(made);
  });

  test('leaves nothing when it is cancelled while the server copies', async () => {
    await haveBase();
    const before = await listKeys(scene().client, scene().bucket);
    const running: { run?: ReturnType<Scene['start']> } = {};
    const until = async () => {
      running.run?.child.kill('SIGTERM');
      await running.run?.says(/Cancelled/);
    };
    await throughProxy([{ when: isCopy, fault: { kind: 'withhold', until } }], async (proxy) => {
      running.run = scene().start({ 's3-endpoint': proxy.endpoint });
      const ended = await running.run.ended;
      assert.equal(ended.exitCode, 143, ended.log);
    });
    assert.deepEqual(await listKeys(scene().client, scene().bucket), before);
    assert.deepEqual(await listUploads(scene().client, scene().bucket), []);
  });

  test('asks a server that wants all parts of one size once', async () => {
    await haveBase();
    const refused: S3Rule = {
      when: ({ method, query }) => method === 'POST' && query.has('uploadId'),
      fault: { kind: 'error', status: 400, code: 'InvalidPart' },
      times: 1,
    };
    await throughProxy([refused], async (proxy) => {
      const inputs = { 's3-endpoint': proxy.endpoint };
      const first = await backUp(inputs);
      assertFull(first, /The S3 server does not accept parts of different sizes/);
      assert.equal(first.receipt.upload.cannotCopy, true);
      const asked = proxy.requests.filter(isCopy).length;
      const second = await backUp(inputs);
      assertFull(second, /Everything is sent: the S3 server cannot copy parts of objects/);
      assert.equal(proxy.requests.filter(isCopy).length, asked);
    });
    await emptyBucket();
  });

  test('asks a server that cannot copy once, and sends it one segment after the other, however large they are', async () => {
    await sql(
      `CREATE TABLE noise AS SELECT n, md5(n::text) || md5((n + 1)::text) AS text FROM generate_series(1, 300000) n;
       ALTER TABLE noise OWNER TO odoo`,
    );
    await backUp();
    await throughProxy([failsCopies(501, 'NotImplemented')], async (proxy) => {
      const inputs = { 's3-endpoint': proxy.endpoint };
      const first = await backUp(inputs);
      assertFull(first, /The S3 server cannot copy parts of an object \(UploadPartCopy\)/);
      assert.equal(first.receipt.upload.cannotCopy, true);
      const asked = proxy.requests.filter(isCopy).length;
      assert.ok(asked > 0);
      const second = await backUp(inputs);
      assertFull(second, /Everything is sent: the S3 server cannot copy parts of objects/);
      assert.equal(second.receipt.upload.cannotCopy, true, 'remembered');
      assert.match(
        second.log,
        /The database is read twice: this S3 server requires the dumps one after the other/,
      );
      await assertWhole(second);
      assert.equal(proxy.requests.filter(isCopy).length, asked);
    });
    await sql('DROP TABLE noise');
    await emptyBucket();
  });

  test('reads copies back where ETags prove nothing, as under SSE-KMS', async () => {
    await using opaque = await startOpaqueEtags(scene().sandbox.s3);
    const inputs = { 's3-endpoint': opaque.endpoint, sse: 'aws:kms', 'kms-key-id': kmsKeyId };
    const full = await backUp(inputs);
    assert.equal(full.receipt.upload.proof, 'content-md5');
    const next = await backUp(inputs);
    assert.equal(next.receipt.upload.copied?.from, full.receipt.key);
    assert.equal(next.receipt.upload.copied?.proof, 'read-back');
    assert.match(next.log, /copied and proven by reading it back/);
    await assertWhole(next);
    await emptyBucket();
  });
});
