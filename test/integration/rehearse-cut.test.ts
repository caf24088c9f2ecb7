import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRehearsal, type RehearsalScene } from '../support/rehearsal-scene.ts';

/** A command that says in the copy that it runs, and never ends. */
const ENDLESS = `psql -X -q -c "COMMENT ON TABLE res_users IS 'it runs'"; while :; do sleep 1; done`;
/** The same, deaf to what asks it to end. */
const STUBBORN = `trap '' HUP INT TERM; ${ENDLESS}`;

suite('a rehearsal that is cut', () => {
  let scene: RehearsalScene;
  before(async () => {
    scene = await openRehearsal();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const inputs = { 'stop-command': '', 'start-command': '', 'keep-previous': '' };

  /** Waits until the command has begun its work in the copy. */
  async function untilItRuns(): Promise<void> {
    for (;;) {
      const [name] = (await scene.copies()).filter((each) => each.startsWith(scene.database));
      await sleep(50);
      if (name === undefined) continue;
      const said = await scene
        .sql("SELECT obj_description(to_regclass('public.res_users'))", name)
        .catch(() => '');
      if (said === 'it runs') return;
    }
  }

  async function assertUntouched(): Promise<void> {
    await scene.untilQuiet();
    assert.deepEqual(await scene.copies(), []);
    assert.deepEqual(await scene.traces(), scene.before);
    assert.deepEqual(await scene.snapshot(), scene.inUse);
  }

  // What is built is taken back as by a rollback, which rollback-cut.test.ts cancels in each of the steps.
  for (const step of [/^Load the dump/m, /^Neutralize the copy/m, /^Configure an Odoo/m]) {
    test(`in the step ${step.source}, drops the copy`, async () => {
      const run = scene.start('rehearse', { ...inputs, 'rehearse-command': 'true' });
      await run.says(step);
      run.child.kill('SIGTERM');
      const { exitCode, log } = await run.ended;
      assert.equal(exitCode, 143, log);
      await assertUntouched();
    });
  }

  test('while the command runs, ends it and drops the copy', async () => {
    const run = scene.start('rehearse', { ...inputs, 'rehearse-command': STUBBORN });
    await run.says(/^Run rehearse-command/m);
    await untilItRuns();
    run.child.kill('SIGTERM');
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 143, log);
    assert.match(log, /A copy that was begun has been dropped/);
    await assertUntouched();
  });

  test('while Odoo starts, ends it and drops the copy', async () => {
    const run = scene.start('rehearse', {
      ...inputs,
      'rehearse-start': ENDLESS,
      'health-check': 'odoo within 1h',
    });
    await run.says(/^Start Odoo on the copy/m);
    await untilItRuns();
    run.child.kill('SIGINT');
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 130, log);
    await assertUntouched();
  });

  test('from its host, logs in again and drops the copy', async () => {
    await using line = await scene.line();
    const run = scene.start('rehearse', {
      ...inputs,
      'ssh-port': String(line.port),
      'rehearse-command': ENDLESS,
    });
    await run.says(/^Run rehearse-command/m);
    await untilItRuns();
    line.cut();
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 1, log);
    await assertUntouched();
  });

  test('by SIGKILL leaves a copy, which the next rehearsal removes, and a backup or a rollback as well', async () => {
    for (const next of ['rehearse', 'backup', 'rollback'] as const) {
      const run = scene.start('rehearse', { ...inputs, 'rehearse-command': ENDLESS });
      await run.says(/^Run rehearse-command/m);
      await untilItRuns();
      run.child.kill('SIGKILL');
      await run.ended.catch(() => {});
      await scene.untilQuiet();
      const [left = ''] = await scene.copies();
      assert.match(left, /__rehearsal_/);
      const { log } = await (next === 'rehearse' ? scene.rehearse() : scene.succeeds(next));
      assert.ok(log.includes(`Dropped ${left}: a rehearsal that was killed had left it`), log);
      assert.deepEqual(await scene.copies(), []);
    }
  });

  test('is not what another rehearsal takes for one: both end well', async () => {
    const held = scene.start('rehearse', { ...inputs, 'rehearse-command': ENDLESS });
    await held.says(/^Run rehearse-command/m);
    await untilItRuns();
    const { exitCode, log } = await scene.rehearse();
    assert.equal(exitCode, 0, log);
    assert.doesNotMatch(log, /had left it/);
    assert.equal((await scene.copies()).length, 2);
    held.child.kill('SIGTERM');
    await held.ended;
    assert.deepEqual(await scene.copies(), []);
  });
});
