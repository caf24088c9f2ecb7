import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { majorIn, oldestFitting } from '../../../src/host/tools.ts';

suite('the oldest program that fits', () => {
  const installed = [17, 15, 16].map((major) => ({ folder: `/usr/lib/postgresql/${major}/bin`, major }));
  for (const [needed, major] of [
    [0, 15],
    [15, 15],
    [16, 16],
    [17, 17],
    [18, undefined],
  ] as const) {
    test(`of ${needed} or newer is ${major}`, () =>
      assert.equal(oldestFitting(installed, needed)?.major, major));
  }
});

test('the major version that a program prints', () => {
  const lines = ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', 'pg_dump (PostgreSQL) 18beta1', ''];
  assert.deepEqual(lines.map(majorIn), [15, 18, undefined]);
});
