import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { RollbackScene } from '../support/rollback-scene.ts';

suite('a rollback', () => {
  let scene: RollbackScene;
  before(async () => {
    scene = await RollbackScene.open({}, undefined, { fixture: 'full' });
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('puts database and filestore back to the moment of the backup', async () => {
    const then = await scene.snapshot();
    const { outputs } = await scene.succeeds('backup');
    await scene.damage();
    assert.notDeepEqual(await scene.snapshot(), then);
    const ended = await scene.succeeds('rollback');
    const now = await scene.snapshot();
    assert.equal(now.sql, then.sql);
    assert.deepEqual(now.files, then.files);
    assert.equal(ended.outputs.key, outputs.key);
    assert.ok(Number(ended.outputs.downtime) > 0);
  });
});
