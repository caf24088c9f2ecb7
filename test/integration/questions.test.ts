import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ask } from '../../src/postgres/run-sql.ts';
import { MAINTENANCE_DATABASE, sql } from '../../src/postgres/sql.ts';
import { SqlError } from '../../src/postgres/sql-error.ts';
import { openRestoreHost, type RestoreHost } from '../support/restore-host.ts';

suite('questions to the maintenance database', () => {
  let host: RestoreHost;
  before(async () => {
    host = await openRestoreHost();
  });
  after(() => host?.[Symbol.asyncDispose]());

  const question = (query: typeof PID) => ask(host.found.postgres, MAINTENANCE_DATABASE, query);
  const PID = sql`SELECT pg_backend_pid()`;

  test('share a session, with what holds in every session of ours', async () => {
    const pids = await Promise.all([PID, PID, PID].map(question));
    assert.equal(new Set(pids.flat()).size, 1);
    assert.deepEqual(await question(PID), pids[0]);
    assert.deepEqual(await question(sql`SELECT current_setting('search_path')`), ['pg_catalog,pg_temp']);
  });

  test('have their answers though another one fails, which says why', async () => {
    const [first, failed, last] = await Promise.allSettled([PID, sql`SELECT 1 / 0`, PID].map(question));
    assert.equal(first?.status, 'fulfilled');
    assert.equal(last?.status, 'fulfilled');
    assert.ok(failed?.status === 'rejected' && failed.reason instanceof SqlError);
    assert.equal(failed.reason.sqlState, '22012');
  });

  test('have their answers though somebody ends the session', async () => {
    const [pid = ''] = await question(PID);
    await host.sql(`SELECT pg_terminate_backend(${pid})`, 'postgres');
    const [next] = await question(PID);
    assert.notEqual(next, pid);
  });
});
