import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { receiptKey } from '../../src/catalog/keys.ts';
import { levelOf } from '../../src/catalog/proofs.ts';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { type Ended, outputsOf } from '../support/backup-run.ts';
import { openRehearsal, type RehearsalScene } from '../support/rehearsal-scene.ts';
import { getObject, listKeys } from '../support/s3.ts';

/** What the scene has for a rollback, and a verification has no use for. */
const without = { 'stop-command': '', 'start-command': '', 'keep-previous': '', 'health-check': '' };

suite('verify: boot', { concurrency: false }, () => {
  let scene: RehearsalScene;
  let key = '';
  before(async () => {
    scene = await openRehearsal();
    const { client, bucket } = scene.scene;
    key = (await listKeys(client, bucket)).find((each) => each.endsWith('.zip')) ?? '';
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const verify = { ...without, verify: 'boot' };
  const stored = async (of = key): Promise<{ proofs: { level: string; booted?: true }[] }> => {
    const { client, bucket } = scene.scene;
    return JSON.parse(Buffer.from(await getObject(client, bucket, receiptKey(of))).toString());
  };
  const receipt = async (of = key): Promise<Receipt> => parseReceipt(await stored(of), of);

  /** Nothing of the Odoo in use or of the bucket's archives has changed, and nothing of the copy is there. */
  async function assertUntouched(): Promise<void> {
    assert.deepEqual(await scene.copies(), []);
    assert.deepEqual(await scene.traces(), scene.before);
    assert.deepEqual(await scene.snapshot(), scene.inUse);
  }

  /** Odoo was not seen to answer, and that is all that is known. */
  async function assertRestored({ log }: Ended): Promise<void> {
    assert.equal(levelOf(await receipt()), 'restore', log);
    await assertUntouched();
  }

  test('an Odoo that ends before it answers is shown, and is no proof', async () => {
    const start = { 'rehearse-start': 'echo no module named so; exit 3' };
    const ended = await scene.run('verify', { ...verify, ...start });
    assert.equal(ended.exitCode, 1, ended.log);
    assert.match(ended.log, /^ *no module named so$/m);
    assert.match(ended.log, /Odoo does not start on \S+__rehearsal_\d{14}: it ended with exit code 3/);
    await assertRestored(ended);
  });

  test('a run that is cancelled while Odoo starts leaves no copy, and no proof', async () => {
    const run = scene.start('verify', { ...verify, 'rehearse-start': 'sleep infinity' });
    await run.says(/^Start Odoo on the copy/m);
    run.child.kill('SIGTERM');
    const ended = await run.ended;
    assert.equal(ended.exitCode, 143, ended.log);
    await assertRestored(ended);
  });

  test('Odoo answers on what was restored: each level is proven, and the time is the recovery time', async () => {
    const { outputs, log } = await scene.succeeds('verify', verify);
    const { proofs } = await receipt();
    assert.deepEqual(
      proofs
        .filter(({ failure }) => failure === undefined)
        .map(({ level }) => level)
        .slice(-3),
      ['contents', 'restore', 'boot'],
    );
    const boot = proofs.at(-1);
    assert.equal(boot?.programs?.odoo, '17');
    assert.deepEqual([outputs.verified, outputs['restore-seconds']], ['boot', String(boot?.seconds)]);
    assert.match(log, /\/web\/login answers 200/);
    assert.match(log, /From the archive to Odoo’s answer: /);
    const { level, booted } = (await stored()).proofs.at(-1) ?? {};
    assert.deepEqual([level, booted], ['restore', true], 'what a program reads that knows no boot');
    await assertUntouched();
  });

  test('in the run that makes the backup', async () => {
    const ended = await scene.run('backup', { verify: 'boot' });
    assert.equal(ended.exitCode, 0, ended.log);
    const { key: made = '', verified } = outputsOf(ended);
    assert.equal(verified, 'boot');
    assert.equal(levelOf(await receipt(made)), 'boot');
    assert.match(ended.log, /^Verified +boot: restored and compared; from the archive to Odoo’s answer in /m);
    assert.deepEqual(await scene.copies(), []);
  });
});
