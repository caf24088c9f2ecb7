import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { acquireLock } from '../../src/postgres/lock.ts';
import { UserError } from '../../src/util/errors.ts';
import { openRestoreHost } from '../support/restore-host.ts';

suite('the lock', () => {
  test('keeps a second run away, and says who holds it; gone with its holder', async () => {
    await using scene = await openRestoreHost();
    const { postgres } = scene.found;
    const { database } = scene.odoo;
    const purpose = "rollback, run 123 of acme/odoo's";
    await using lock = await acquireLock(postgres, database, purpose);
    await lock.assertHeld();
    await assert.rejects(acquireLock(postgres, database, 'backup'), (error) => {
      assert.ok(error instanceof UserError);
      const since =
        /^Another backup or restore of \S+ is running since (\d{4}-\d\d-\d\d \d\d:\d\d) UTC: (.*)$/;
      const [, when = '', who] = since.exec(error.message) ?? [];
      assert.equal(who, purpose);
      assert.ok(Math.abs(Date.parse(`${when}Z`) - Date.now()) < 2 * 3600_000);
      return true;
    });
    await using _other = await acquireLock(postgres, `${database}2`, 'backup'); // another database
    await lock[Symbol.asyncDispose]();
    await using _next = await acquireLock(postgres, database, 'backup');
  });

  test('whose session was ended is known to be lost', async () => {
    await using scene = await openRestoreHost();
    const { database } = scene.odoo;
    await using lock = await acquireLock(scene.found.postgres, database, `lock of ${database}`);
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lock of ${database}'`;
    assert.equal(await scene.sql(end, 'postgres'), 't');
    await assert.rejects(lock.assertHeld(), /The lock on .* was lost/);
  });

  test('does not keep its database from being renamed', async () => {
    await using scene = await openRestoreHost();
    const { database } = scene.odoo;
    await using _lock = await acquireLock(scene.found.postgres, database, 'rollback');
    await scene.sql(`ALTER DATABASE ${database} RENAME TO ${database}_x`, 'postgres');
    await scene.sql(`ALTER DATABASE ${database}_x RENAME TO ${database}`, 'postgres');
  });
});
