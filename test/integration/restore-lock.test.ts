import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ReconnectingHost } from '../../src/host/ssh/reconnecting-host.ts';
import { findOdoo } from '../../src/odoo/installation.ts';
import { plainSite } from '../../src/odoo/site.ts';
import { acquireLock, HeldLockError } from '../../src/postgres/lock.ts';
import { UserError } from '../../src/util/errors.ts';
import { login } from '../support/login.ts';
import { openRestoreHost } from '../support/restore-host.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

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

  test('that was lost is taken again, unless another run has it', async () => {
    await using scene = await openRestoreHost();
    const { postgres } = scene.found;
    const { database } = scene.odoo;
    const purpose = `lock of ${database}`;
    await using lock = await acquireLock(postgres, database, purpose);
    assert.equal(await lock.regain(), false, 'it was never lost');
    const end = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = '${purpose}'`;
    await scene.sql(end, 'postgres');
    const other = await acquireLock(postgres, database, 'rollback, run 7');
    await assert.rejects(lock.regain(), (error) => {
      assert.ok(error instanceof HeldLockError);
      assert.equal(error.holder, 'rollback, run 7');
      return true;
    });
    await other.assertHeld();
    await other[Symbol.asyncDispose]();
    assert.equal(await lock.regain(), true);
    await lock.assertHeld();
    await assert.rejects(acquireLock(postgres, database, 'backup'), HeldLockError);
  });

  test('is taken again from a session of its own that the host still takes for connected', async () => {
    await using scene = await openRestoreHost();
    const { sandbox, ssh, odoo } = scene;
    await using line = await startTcpProxy(ssh);
    const trust = { fingerprint: ssh.hostKeys.fingerprints.join(' ') };
    const first = await login(sandbox, { ...ssh, port: line.port }, { trust, silenceMs: 1000 });
    await using host = new ReconnectingHost(first, () => login(sandbox, ssh, { trust }));
    const settings = { odooConf: odoo.conf, filestore: true };
    const { postgres } = await findOdoo(plainSite(host, 'auto'), settings, { secret: () => {} });
    await using lock = await acquireLock(postgres, odoo.database, 'rollback');
    line.faults = { silent: true };
    await assert.rejects(lock.assertHeld(), /The lock on .* was lost/);
    await assert.rejects(acquireLock(scene.found.postgres, odoo.database, 'backup'), HeldLockError);
    assert.equal(await lock.regain(), true);
    await lock.assertHeld();
  });

  test('does not keep its database from being renamed', async () => {
    await using scene = await openRestoreHost();
    const { database } = scene.odoo;
    await using _lock = await acquireLock(scene.found.postgres, database, 'rollback');
    await scene.sql(`ALTER DATABASE ${database} RENAME TO ${database}_x`, 'postgres');
    await scene.sql(`ALTER DATABASE ${database}_x RENAME TO ${database}`, 'postgres');
  });
});
