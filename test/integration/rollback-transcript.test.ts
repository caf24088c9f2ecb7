import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { RawInputs } from '../support/inputs.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { comparable, golden, transcriptOf } from '../support/transcript.ts';

suite('the log of a rollback', () => {
  let scene: RollbackScene;
  before(async () => {
    scene = await RollbackScene.open({}, undefined, { fixture: 'full' });
    await scene.succeeds('backup');
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const logs = new Map<string, string>();
  /** Runs one and compares its log with the one in test/golden, as README.md and docs/rollback.md show it. */
  async function saysAsKept(name: string, exitCode: number, inputs: RawInputs): Promise<void> {
    const ended = await scene.run('rollback', { jobs: '4', 'keep-previous': '', ...inputs });
    assert.equal(ended.exitCode, exitCode, ended.log);
    const transcript = transcriptOf(ended.log, scene);
    logs.set(name, transcript);
    assert.equal(comparable(transcript), comparable(golden(name, transcript)));
  }

  test('that is taken back says what failed, and that everything is as it was', async () => {
    const before = await scene.snapshot();
    await saysAsKept('rollback-taken-back', 1, {
      'health-check': 'http://127.0.0.1:1/web/health within 1s',
    });
    assert.deepEqual(await scene.snapshot(), before);
    assert.ok(await scene.server.state(), 'Odoo runs');
  });

  test('dry, after a deploy that broke everything, says what there is and what would be done', async () => {
    await scene.sql(
      `INSERT INTO account_move (name, date, state, move_type, journal_id, currency_id, create_uid, write_uid, create_date, write_date)
        SELECT 'INV/2026/' || lpad((411 + n)::text, 5, '0'), now(), 'posted', 'out_invoice', j.id, c.id, 2, 2, utc, utc
          FROM generate_series(1, 3) n, (SELECT id FROM account_journal LIMIT 1) j, (SELECT id FROM res_currency LIMIT 1) c,
            (SELECT now() AT TIME ZONE 'UTC' AS utc) u`,
    );
    await scene.damage();
    await scene.server.stop();
    await assert.rejects(scene.server.start(), /FileNotFoundError/, 'Odoo does not start any more');
    const before = await scene.traces();
    await saysAsKept('rollback-dry-run', 0, { 'dry-run': 'true' });
    assert.deepEqual(await scene.traces(), before);
  });

  test('says the same plan, and what became of it', async () => {
    await saysAsKept('rollback', 0, {});
    assert.ok(await scene.server.state(), 'Odoo runs');
    const plan = (name: string) => /^The plan: .*(?:\n .*)+/m.exec(comparable(logs.get(name) ?? ''))?.[0];
    assert.ok(plan('rollback'));
    assert.equal(plan('rollback'), plan('rollback-dry-run'));
  });
});
