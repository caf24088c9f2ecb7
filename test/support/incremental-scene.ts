import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before } from 'node:test';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { receiptKey } from '../../src/catalog/keys.ts';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { outputsOf, Scene } from './backup-run.ts';
import { grow } from './growth.ts';
import type { RawInputs } from './inputs.ts';
import { psql } from './postgres.ts';
import { run } from './processes.ts';
import { getObject, listKeys, listUploads } from './s3.ts';
import { type S3Proxy, type S3Rule, type SeenRequest, startS3Proxy } from './s3-proxy.ts';
import { unsigned } from './unsigned.ts';

/** S3 is asked to copy a part of another object. */
export const isCopy = ({ headers }: SeenRequest): boolean => 'x-amz-copy-source' in headers;

/** A backup that was made, and stays in the bucket. */
export interface Kept {
  readonly log: string;
  readonly receipt: Receipt;
}

/** Nothing was copied, and this is why. */
export function assertFull({ log, receipt }: Kept, why: RegExp): void {
  assert.match(log, why);
  assert.equal(receipt.upload.copied, undefined);
  assert.equal(receipt.bytesSent, receipt.size);
}

/** Copies are refused with this. */
export const failsCopies = (status: number, code: string): S3Rule => ({
  when: isCopy,
  fault: { kind: 'error', status, code },
});

/** An Odoo, and its backups in a bucket: one of each for a suite. */
export function useBackups() {
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
