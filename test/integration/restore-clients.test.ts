import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { withRestoreClient } from '../../src/postgres/load-errors.ts';
import { openRestoreHost } from '../support/restore-host.ts';

suite('pg_restore', () => {
  test('is not older than the pg_dump of the dump', async () => {
    await using scene = await openRestoreHost();
    const { postgres, tools } = scene.found;
    const major = postgres.client.major;
    const chosen = (dump: number | undefined, majors = [14, major, 16, 18]) => {
      const clients = majors.map((each) => ({ folder: `/bin/${each}`, major: each }));
      return withRestoreClient(postgres, { ...tools, clients }, dump).client.major;
    };
    assert.deepEqual(
      [undefined, 12, major, 16].map((dump) => chosen(dump)),
      [major, major, major, 16],
    );
    // No client helps: that is told whether it is there or not.
    for (const majors of [undefined, [major]])
      assert.throws(() => chosen(17, majors), /needs pg_restore 17, which cannot restore to PostgreSQL 15/);
    assert.throws(() => chosen(16, [major]), /too old: the dump needs pg_restore 16/);
    assert.throws(
      () => chosen(undefined, [17]),
      /pg_restore 17 cannot restore to PostgreSQL 15.* no older one/,
    );
  });
});
