import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { documentedSudoers } from '../support/documents.ts';
import { assertOneOdoo, assertSameHost, SystemdScene, tracesOf } from '../support/systemd-scene.ts';

suite('a rollback whose runner is killed', { concurrency: false }, () => {
  const rollback = { services: 'odoo' };
  let scene: SystemdScene;
  let then: Awaited<ReturnType<SystemdScene['content']>>;
  before(async () => {
    scene = await SystemdScene.open({ sudoers: documentedSudoers() });
    then = await scene.content();
    await scene.succeeds('backup');
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('while it builds leaves Odoo as it was, and the next one cleans up', async () => {
    await scene.misdeploy();
    const [damaged, state, traces] = [await scene.content(), await scene.state(), await tracesOf(scene)];
    await killAt(/^Load the dump/m);
    assert.deepEqual([await scene.content(), await scene.state()], [damaged, state]);
    // Its copy stays until the next run; no session, no process, no temporary file does.
    await assertSameHost(scene, { ...traces, databases: (await tracesOf(scene)).databases });
    await nextRun(/^Clean up after a run that was killed/m);
  });

  for (const [moment, pattern] of [
    ['when it has stopped Odoo', /^Swap the databases/m],
    ['between the two renames', /^Swap the filestores/m],
    ['when it has started Odoo', /^Wait until Odoo is healthy/m],
  ] as const) {
    test(`${moment} is followed by one that ends well`, async () => {
      await scene.misdeploy();
      await killAt(pattern);
      await nextRun();
    });
  }

  async function killAt(moment: RegExp): Promise<void> {
    const run = scene.start('rollback', rollback);
    await run.says(moment);
    run.child.kill('SIGKILL');
    const { exitCode } = await run.ended;
    assert.equal(exitCode, null, run.log);
  }

  async function nextRun(...words: readonly RegExp[]): Promise<void> {
    const ended = await scene.succeeds('rollback', rollback);
    for (const pattern of words) assert.match(ended.log, pattern);
    assert.deepEqual(await scene.content(), then);
    await scene.untilUp();
    await assertOneOdoo(scene);
  }
});
