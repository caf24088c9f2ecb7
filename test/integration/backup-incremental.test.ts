import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { receiptKey } from '../../src/catalog/keys.ts';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { restoreSql, sqlOf } from '../support/backup-check.ts';
import { outputsOf, Scene } from '../support/backup-run.ts';
import { kmsKeyId } from '../support/ceph.ts';
import { grow } from '../support/growth.ts';
import type { RawInputs } from '../support/inputs.ts';
import { startOpaqueEtags } from '../support/opaque-etags.ts';
import { createDatabase, dropDatabase, psql, uniqueName } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { getObject, listKeys, listUploads } from '../support/s3.ts';
import { type S3Proxy, type S3Rule, type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';
import { unsigned } from '../support/unsigned.ts';

const isCopy = ({ headers }: SeenRequest): boolean => 'x-amz-copy-source' in headers;

interface Kept {
  readonly log: string;
  readonly receipt: Receipt;
}

/** Nothing was copied, and this is why. */
function assertFull({ log, receipt }: Kept, why: RegExp): void {
  assert.match(log, why);
  assert.equal(receipt.upload.copied, undefined);
  assert.equal(receipt.bytesSent, receipt.size);
}

const failsCopies = (status: number, code: string): S3Rule => ({
  when: isCopy,
  fault: { kind: 'error', status, code },
});

/** An Odoo, and its backups in a bucket: one of each for a suite. */
function useBackups() {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
    await addFiles(8, 2_000_000); // S3 copies 5 MiB and more
  });
  after(() => scene[Symbol.asyncDispose]());

  const addFiles = (count: number, size: number) =>
    grow(scene.sandbox, scene.odoo, { attachments: [{ count, size, kind: 'photo' }] });

  /** Makes a backup, which stays in the bucket. */
  async function backUp(inputs: RawInputs = {}): Promise<Kept> {
    const ended = await scene.run(inputs);
    assert.equal(ended.exitCode, 0, ended.log);
    assert.deepEqual(await listUploads(scene.client, scene.bucket), []);
    return { log: ended.log, receipt: await receiptAt(outputsOf(ended).receipt ?? '') };
  }

  /** Has a backup in the bucket to go on from: that of the test before it, if that has left one. */
  async function haveBase(): Promise<void> {
    if ((await listKeys(scene.client, scene.bucket)).length === 0) await backUp();
  }

  const sql = (statements: string) => psql(scene.sandbox.postgres, scene.odoo.database, statements);

  async function receiptAt(key: string): Promise<Receipt> {
    const json = await getObject(scene.client, scene.bucket, key);
    return parseReceipt(JSON.parse(Buffer.from(json).toString()), key);
  }

  const put = (Key: string, Body: string | Uint8Array) =>
    scene.client.send(new PutObjectCommand({ Bucket: scene.bucket, Key, Body }));

  async function remove(...keys: readonly string[]): Promise<void> {
    for (const Key of keys) {
      await scene.client.send(new DeleteObjectCommand({ Bucket: scene.bucket, Key }));
    }
  }

  async function emptyBucket(): Promise<void> {
    await remove(...(await listKeys(scene.client, scene.bucket)));
  }

  /** Name and SHA-1 of every file of a filestore. */
  const contentsOf = (folder: string): Promise<string> =>
    run([
      'sh',
      '-c',
      'cd "$1" && find . -path ./checklist -prune -o -type f -print0 | sort -z | xargs -0 sha1sum',
      'sh',
      folder,
    ]);

  /** It is a zip for other programs, holds the host's filestore, and its units are what its receipt says. */
  async function assertWhole({ receipt }: Kept): Promise<void> {
    const object = await getObject(scene.client, scene.bucket, receipt.key);
    assert.equal(object.length, receipt.size);
    const path = join(scene.folder, basename(receipt.key));
    await writeFile(path, object);
    assert.match(await run(['unzip', '-tq', path]), /^No errors detected/);
    assert.match(await run(['7z', 't', path]), /Everything is Ok/);
    const folder = join(scene.folder, 'extracted');
    const script = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])'; // as Odoo does it
    await run(['python3', '-c', script, path, folder]);
    assert.equal(await contentsOf(join(folder, 'filestore')), await contentsOf(scene.odoo.filestore));
    await rm(folder, { recursive: true });
    await rm(path);
    let end = 0;
    for (const segment of receipt.segments) {
      for (const { offset, length, md5 } of segment.units) {
        assert.equal(offset, end);
        end += length;
        const bytes = object.subarray(offset, end);
        assert.equal(createHash('md5').update(bytes).digest('hex'), md5, `the unit at ${offset}`);
      }
    }
    assert.equal(end, receipt.directory?.offset, 'units without a gap');
  }

  /** As if everything was sent last longer ago than `full-every`. */
  async function makeFullDue({ receipt }: Kept): Promise<void> {
    const fullAt = new Date(Date.now() - 31 * 24 * 3_600_000).toISOString();
    const { copied } = receipt.upload;
    assert.ok(copied);
    const upload = { ...receipt.upload, copied: { ...copied, fullAt } };
    await put(receiptKey(receipt.key), JSON.stringify(unsigned({ ...receipt, upload })));
  }

  async function throughProxy(
    rules: readonly S3Rule[],
    body: (proxy: S3Proxy) => Promise<void>,
  ): Promise<void> {
    await using proxy = await startS3Proxy(scene.sandbox.s3, rules);
    await body(proxy);
  }

  return {
    scene: () => scene,
    addFiles,
    haveBase,
    backUp,
    sql,
    put,
    remove,
    emptyBucket,
    assertWhole,
    makeFullDue,
    throughProxy,
  };
}

// Three chains side by side.
suite('a backup after another one', { concurrency: true }, () => {
  suite('in the course of days', { concurrency: false }, () => {
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
        if (back)
          await rename(join(scene().odoo.dataDir, basename(back)), join(scene().odoo.filestore, back));
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

  suite('that is better sent as a whole', { concurrency: false }, () => {
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
  });

  suite('on an S3 server that cannot copy, or is not trusted', { concurrency: false }, () => {
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
});
