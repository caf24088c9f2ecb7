import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSealedName, sealedName } from '../../../src/backup-reader/sealed-names.ts';

test('a member has its own name again', () => {
  for (const [name, isPacked, stored] of [
    ['dump.sql', true, 'dump.sql.gz.age'],
    ['dump.sql', false, 'dump.sql.age'],
    ['shop_2026-11-21_03-52-11.dump', true, 'shop_2026-11-21_03-52-11.dump.gz.age'],
    ['backup.json', true, 'backup.json.gz.age'],
    ['filestore/ab/abcd', false, 'filestore/ab/abcd.age'],
    ['dump/toc.dat', false, 'dump/toc.dat.age'],
    // What pg_dump itself has packed stays so.
    ['dump/3456.dat.gz', false, 'dump/3456.dat.gz.age'],
    ['filestore/x.gz', false, 'filestore/x.gz.age'],
  ] as const) {
    assert.equal(sealedName(name, isPacked), stored);
    assert.deepEqual(parseSealedName(stored), { name, isPacked });
  }
  for (const plain of ['manifest.json', 'dump.sql', 'dump.sql.gz', 'filestore/ab/age']) {
    assert.equal(parseSealedName(plain), undefined, plain);
  }
});
