import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { type Ended, type Made, outputsOf, type Run, Scene } from '../support/backup-run.ts';
import { grow } from '../support/growth.ts';
import { peakOf } from '../support/peak.ts';
import { run } from '../support/processes.ts';

suite('large filestores', () => {
  /** Tells how long a run took and how much memory, which may not be too much. */
  async function assertSmall(running: Run, tell: (line: string) => void): Promise<Ended> {
    const started = performance.now();
    const [ended, peakBytes] = await Promise.all([running.ended, peakOf(running.child)]);
    const peak = peakBytes / 2 ** 20;
    tell(`${((performance.now() - started) / 1000).toFixed(1)} s, peak memory ${Math.round(peak)} MiB`);
    assert.ok(peak > 50 && peak <= 400, `${peak} MiB`);
    return ended;
  }

  async function measured(scene: Scene, tell: (line: string) => void): Promise<Made> {
    const running = scene.start({ format: 'custom', verify: 'contents', incremental: 'false' });
    const made = await scene.made(await assertSmall(running, tell));
    assert.equal(made.outputs.verified, 'contents');
    return made;
  }

  async function takeAway(
    { client, bucket }: Scene,
    outputs: Readonly<Record<string, string>>,
  ): Promise<void> {
    for (const Key of [outputs.receipt, outputs.key]) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    }
  }

  test('70,000 files', async (context) => {
    await using scene = await Scene.open();
    await grow(scene.sandbox, scene.odoo, { attachments: [{ count: 70_000, size: 200, kind: 'photo' }] });
    const base = await scene.start({ format: 'custom' }).ended;
    assert.equal(base.exitCode, 0, base.log);
    const alone = await assertSmall(scene.start({ format: 'custom' }), (line) => context.diagnostic(line));
    assert.match(alone.log, /S3 copies 70,205 files/);
    for (const each of [base, alone]) await takeAway(scene, outputsOf(each));
    const made = await measured(scene, (line) => context.diagnostic(line));
    assert.equal(made.receipt.filestore?.files, 70_205);
    assert.equal(made.receipt.filestore?.missing, 0);
    const script =
      'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), len(z.namelist()))';
    assert.equal(await run(['python3', '-c', script, made.path]), 'None 70208\n');
    assert.match(made.log, /Attachments {2}70,205 files, /);
  });

  test('a file of 3 GB', async (context) => {
    await using scene = await Scene.open();
    const size = 3 * 2 ** 30;
    const zeros = createHash('sha1');
    const chunk = Buffer.alloc(16 * 2 ** 20);
    for (let at = 0; at < size; at += chunk.length) zeros.update(chunk);
    const name = zeros.digest('hex');
    const folder = join(scene.odoo.filestore, name.slice(0, 2));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), '');
    await truncate(join(folder, name), size);
    const made = await measured(scene, (line) => context.diagnostic(line));
    assert.ok(made.receipt.filestore && made.receipt.filestore.bytes > size);
    assert.equal(made.receipt.filestore.corrupt, 0);
    const listed = new RegExp(`\\s${size}\\s.*filestore/${name.slice(0, 2)}/${name}$`, 'm');
    assert.match(await run(['unzip', '-Zl', made.path]), listed);
  });
});
