import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { holdLock } from '../support/hold-lock.ts';
import { RollbackScene } from '../support/rollback-scene.ts';

suite('what a rollback takes away', () => {
  let scene: RollbackScene;
  before(async () => {
    scene = await RollbackScene.open();
    await scene.sql(`INSERT INTO res_partner (name, active, display_name, create_date, write_date)
      SELECT 'old ' || n, true, 'old', now() - interval '1 year', now() - interval '1 year' FROM generate_series(1, 5) n`);
    await scene.succeeds('backup');
    await scene.sql(`
      INSERT INTO res_partner (name, active, display_name, create_uid, write_uid, create_date, write_date)
        SELECT 'new ' || n, true, 'new', 2, 2, now() + interval '1 hour', now() + interval '1 hour' FROM generate_series(1, 4) n;
      UPDATE res_partner SET write_date = now() + interval '1 hour', write_uid = 2 WHERE name IN ('old 1', 'old 2');
      DELETE FROM res_partner WHERE name = 'old 3';
      INSERT INTO account_move (name, date, state, move_type, journal_id, currency_id, create_uid, write_uid, create_date, write_date)
        SELECT 'INV/2026/' || lpad((411 + n)::text, 5, '0'), now(), 'posted', 'out_invoice', 1, 1, 2, 2,
               now() + interval '1 hour', now() + interval '1 hour'
          FROM generate_series(1, 37) n`);
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('is told in the plan: records, numbers, people', async () => {
    const { log, outputs } = await scene.succeeds('rollback', { 'dry-run': 'true' });
    assert.match(
      log,
      /Entered since +37 customer invoices \(INV\/2026\/00412 to 00448\); Contact: 4 created, 2 changed, 1 deleted; .*by admin; last entry/,
    );
    const { losses } = JSON.parse(outputs.json ?? '');
    assert.deepEqual(losses.numbers, [
      { kind: 'customer invoices', count: 37, first: 'INV/2026/00412', last: 'INV/2026/00448' },
    ]);
    assert.deepEqual(losses.unseen, []);
  });

  test('holds nothing up: what is locked is said not to be looked at', async () => {
    await using _lock = await holdLock(
      scene.scene.sandbox.postgres,
      scene.database,
      'LOCK TABLE res_partner IN ACCESS EXCLUSIVE MODE',
    );
    // The admin's session is in the way of a real rollback.
    const { log } = await scene.run('rollback', { 'dry-run': 'true' });
    assert.match(log, /Entered since +37 customer invoices .*; not all was looked at: Contact$/m);
  });

  test('is not known where the database is broken, and the rollback goes on', async () => {
    await scene.sql('ALTER TABLE ir_model RENAME TO ir_model_lost');
    const { log } = await scene.succeeds('rollback');
    assert.match(log, /Entered since +not known: .*ir_model/);
  });
});
