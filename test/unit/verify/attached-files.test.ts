import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttachedFiles } from '../../../src/verify/contents/attached-files.ts';

test('attached files count once each, whether the archive has them or not', () => {
  const files = new AttachedFiles({ numbers: 2, numberOf: (name) => ['aa/a', 'bb/b'].indexOf(name) });
  for (const name of ['aa/a', 'cc/c', 'aa/a', 's3://bucket/x', 'cc/c', 'dd/d']) files.add(name);
  assert.equal(files.count, 3);
  assert.deepEqual([...files.absent()], ['cc/c', 'dd/d']);
});
