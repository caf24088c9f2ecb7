import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { receiptKey } from '../../src/catalog/keys.ts';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { AgeKeys } from '../support/age-keys.ts';
import { outputsOf, type Scene } from '../support/backup-run.ts';
import { grow } from '../support/growth.ts';
import type { RawInputs } from '../support/inputs.ts';
import { run } from '../support/processes.ts';
import { getObject } from '../support/s3.ts';
import { VerifyScene } from '../support/verify-scene.ts';

interface Kept {
  readonly log: string;
  readonly receipt: Receipt;
}

const keys = new AgeKeys();
const [team, safe, third] = [keys.newKey(), keys.newKey(), keys.newKey()];
const both = `${team.recipient}, ${safe.recipient}`;

const isFull = ({ receipt }: Kept): boolean => receipt.upload.copied === undefined;

async function filesOf(folder: string): Promise<string> {
  return run([
    'sh',
    '-c',
    'cd "$1" && find . -path ./checklist -prune -o -type f -print0 | sort -z | xargs -0 sha1sum',
    'sh',
    folder,
  ]);
}

/** An Odoo with 8 files of this size, and its sealed backups in a bucket: one of each for a suite. */
function useSealedBackups(size: number) {
  let verify: VerifyScene;
  let scene: Scene;
  before(async () => {
    verify = await VerifyScene.open();
    ({ scene } = verify);
    await addFiles(8, size);
  });
  after(() => verify?.[Symbol.asyncDispose]());

  const addFiles = (count: number, size: number) =>
    grow(scene.sandbox, scene.odoo, { attachments: [{ count, size, kind: 'photo' }] });

  async function backUp(recipients: string, inputs: RawInputs = {}): Promise<Kept> {
    const ended = await scene.run({ format: 'odoo', 'encrypt-to': recipients, ...inputs });
    assert.equal(ended.exitCode, 0, ended.log);
    const key = outputsOf(ended).receipt ?? '';
    const json = await getObject(scene.client, scene.bucket, key);
    return { log: ended.log, receipt: parseReceipt(JSON.parse(Buffer.from(json).toString()), key) };
  }

  async function passes({ receipt }: Kept): Promise<void> {
    const { exitCode, log } = await verify.run({ backup: receipt.key, 'decrypt-with': safe.path });
    assert.equal(exitCode, 0, log);
  }

  async function remove({ key }: Receipt): Promise<void> {
    for (const Key of [key, receiptKey(key)]) {
      await scene.client.send(new DeleteObjectCommand({ Bucket: scene.bucket, Key }));
    }
  }

  return { scene: () => scene, verify: () => verify, addFiles, backUp, passes, remove };
}

// Two chains side by side.
suite('sealed backups, one after another', { concurrency: true }, () => {
  after(() => keys[Symbol.dispose]());

  suite('of different recipients and files', { concurrency: false }, () => {
    const { scene, addFiles, backUp, passes, remove } = useSealedBackups(5_000_000);

    test('files that S3 has are copied as they are sealed, whatever the order of the recipients', async () => {
      const first = await backUp(both);
      assert.ok(isFull(first));
      await addFiles(3, 300_000);
      const next = await backUp(`${safe.recipient} ${team.recipient}`);
      const { copied } = next.receipt.upload;
      assert.equal(copied?.from, first.receipt.key);
      assert.match(next.log, /Filestore: 3 files that the previous backup lacks/);
      assert.ok(next.receipt.bytesSent < (copied?.bytes ?? 0) / 2, String(next.receipt.bytesSent));
      assert.equal(next.receipt.filestore?.files, (first.receipt.filestore?.files ?? 0) + 3);
      const added = (next.receipt.filestore?.bytes ?? 0) - (first.receipt.filestore?.bytes ?? 0);
      assert.ok(added > 800_000 && added < 1_000_000, `sizes are those of what is sealed: ${added}`);
      await passes(next);
    });

    test('for other recipients, or for nobody, everything is sent, and the log says why', async () => {
      const before = await backUp(both);
      const others = await backUp(`${both} ${third.recipient}`);
      assert.ok(isFull(others));
      const words = `Everything is sent: ${before.receipt.key} is sealed for other recipients: ${both}`;
      assert.ok(others.log.includes(words), others.log);
      const open = await backUp('');
      assert.ok(isFull(open));
      assert.match(open.log, /Everything is sent: .* is sealed, and this backup is not/);
      assert.match(open.log, /warning: This backup is not encrypted, and the one before it is/);
      for (const { receipt } of [before, others]) await remove(receipt);
      const again = await backUp(third.recipient);
      assert.ok(isFull(again));
      assert.match(again.log, /Everything is sent: .*/);
      await remove(again.receipt);
      await remove(open.receipt);
    });

    test('a file that is corrupt on the host is read again, and the others are copied', async () => {
      const { odoo, sandbox } = scene();
      const sha1 = createHash('sha1').update('what it was').digest('hex');
      const folder = join(odoo.filestore, sha1.slice(0, 2));
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, sha1), 'what it is');
      await run(['chown', '-R', `${sandbox.account.uid}:${sandbox.account.gid}`, odoo.filestore]);
      const first = await backUp(both, { incremental: 'false' });
      assert.deepEqual(first.receipt.sealed?.corrupt, [`${sha1.slice(0, 2)}/${sha1}`]);
      await writeFile(join(folder, sha1), 'what it was');
      const next = await backUp(both);
      assert.equal(next.receipt.upload.copied?.from, first.receipt.key);
      assert.match(next.log, /Filestore: 1 file that the previous backup lacks/);
      assert.equal(next.receipt.filestore?.corrupt, 0);
      await passes(next);
    });
  });

  suite('in the course of days', { concurrency: false }, () => {
    const { scene, verify, addFiles, backUp, passes, remove } = useSealedBackups(3_000_000);

    test('after days of growth, removals and returns, with all others deleted', async () => {
      const away: string[] = [];
      const made: Kept[] = [];
      for (let day = 1; day <= 8; day += 1) {
        await addFiles((day % 4) + 1, day % 5 === 0 ? 3_000_000 : 200_000);
        const found = await run(['find', scene().odoo.filestore, '-type', 'f', '-printf', '%P\n']);
        const here = found.trim().split('\n');
        for (const file of [here[(day * 37) % here.length], here[(day * 11) % here.length]]) {
          if (file === undefined || away.includes(file) || file.startsWith('checklist/')) continue;
          await rename(join(scene().odoo.filestore, file), join(scene().odoo.dataDir, basename(file)));
          away.push(file);
        }
        const back = day % 3 === 0 ? away.shift() : undefined;
        if (back)
          await rename(join(scene().odoo.dataDir, basename(back)), join(scene().odoo.filestore, back));
        made.push(await backUp(both, { incremental: day === 5 ? 'false' : 'true' }));
      }
      assert.deepEqual(made.map(isFull), [true, false, false, false, true, false, false, false]);
      const last = made.at(-1) as Kept;
      for (const { receipt } of made.slice(0, -1)) await remove(receipt);
      await passes(last);
      const plain = join(scene().folder, 'plain.zip');
      const fetched = await verify().run(
        { backup: last.receipt.key, output: plain, 'decrypt-with': team.path },
        undefined,
        'fetch',
      );
      assert.equal(fetched.exitCode, 0, fetched.log);
      const folder = join(scene().folder, 'extracted');
      await run(['unzip', '-q', plain, 'filestore/*', '-d', folder]);
      assert.equal(await filesOf(join(folder, 'filestore')), await filesOf(scene().odoo.filestore));
      assert.ok((await readdir(folder)).length > 0);
    });
  });
});
