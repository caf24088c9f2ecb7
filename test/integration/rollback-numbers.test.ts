import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { RollbackScene } from '../support/rollback-scene.ts';

suite('numbers that were given out since a backup', () => {
  let scene: RollbackScene;
  let standard: string;
  let gapless: string;
  before(async () => {
    scene = await RollbackScene.open();
    standard = await scene.sql(
      "SELECT min(sequencename) FROM pg_sequences WHERE sequencename ~ '^ir_sequence_[0-9]{3}$' AND increment_by > 0",
    );
    await scene.sql(`SELECT setval('${standard}', 100, true)`);
    await scene.sql(
      `UPDATE ir_sequence SET name = 'Sales Order' WHERE id = ${Number(standard.slice('ir_sequence_'.length))}`,
    );
    gapless =
      await scene.sql(`INSERT INTO ir_sequence (name, implementation, active, padding, number_next, number_increment)
      VALUES ('Payment', 'no_gap', true, 4, 7, 1) RETURNING id`);
    await scene.succeeds('backup');
    await scene.sql(`SELECT nextval('${standard}') FROM generate_series(1, 23)`);
    await scene.sql(`UPDATE ir_sequence SET number_next = 9 WHERE id = ${gapless}`);
    // One that is new since has nothing to be moved in the backup.
    await scene.sql('CREATE SEQUENCE ir_sequence_9999; ALTER SEQUENCE ir_sequence_9999 OWNER TO odoo');
    await scene.sql("SELECT setval('ir_sequence_9999', 5)");
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('are in the plan, and given out again where nobody asks for more', async () => {
    const { log } = await scene.succeeds('rollback', { 'dry-run': 'true', 'keep-sequences': 'true' });
    assert.match(log, /since the backup: (Payment: 9, Sales Order: 123|Sales Order: 123, Payment: 9)$/m);
    const plain = await scene.succeeds('rollback', { 'dry-run': 'true' });
    assert.doesNotMatch(plain.log, /Move the sequences/);
  });

  test('are kept by keep-sequences: numbers go on behind them', async () => {
    const { log } = await scene.succeeds('rollback', { 'keep-sequences': 'true' });
    assert.match(
      log,
      /^Stop Odoo$.*^Move the sequences beyond the numbers that were given out$.*^Swap the databases/ms,
    );
    assert.match(log, /2 sequences moved on: /);
    assert.equal(await scene.sql(`SELECT nextval('${standard}')`), '124');
    assert.equal(await scene.sql(`SELECT number_next FROM ir_sequence WHERE id = ${gapless}`), '9');
  });

  test('are not known where the live database is broken: it is said, and rolled back all the same', async () => {
    await scene.sql('ALTER TABLE ir_sequence RENAME COLUMN number_next TO lost');
    const { log } = await scene.succeeds('rollback', { 'keep-sequences': 'true' });
    assert.match(log, /which is found out then: /);
    assert.match(log, /Numbers may be given out twice: the sequences could not be moved on/);
    assert.equal(await scene.sql(`SELECT number_next FROM ir_sequence WHERE id = ${gapless}`), '7');
  });
});
