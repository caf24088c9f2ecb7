import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { withRestoreClient } from '../../src/postgres/load-errors.ts';
import { openRestoreHost } from '../support/restore-host.ts';

suite('pg_restore', () => {
  test('is not older than the pg_dump of the dump', async () => {
    await using scene = await openRestoreHost();
    const { postgres, tools } = scene.found;
    const major = postgres.client.major;
    const clients = [14, major, 16, 18].map((each) => ({ folder: `/bin/${each}`, major: each }));
    const chosen = (dump: number | undefined) =>
      withRestoreClient(postgres, { ...tools, clients }, dump).client.major;
    assert.deepEqual([undefined, 12, major, 16].map(chosen), [major, major, major, 16]);
    assert.throws(() => chosen(17), /pg_restore 18 cannot restore to PostgreSQL 15/);
    assert.throws(() => chosen(19), /too old: the dump was written by pg_dump 19/);
  });
});
