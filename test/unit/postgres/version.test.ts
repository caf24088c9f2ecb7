import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { majorOf, PgVersion } from '../../../src/postgres/version.ts';

suite('the version of a server', () => {
  const versions: [number, string, number][] = [
    [90_624, '9.6.24', 9],
    [149_999, '14.9999', 14],
    [150_000, '15.0', 15],
    [150_018, '15.18', 15],
    [180_000, '18beta1', 18],
  ];
  for (const [number, text, major] of versions) {
    test(text, () => {
      const version = new PgVersion(number, text);
      assert.equal(version.major, major);
      assert.deepEqual(
        [major - 1, major, major + 1].map((other) => version.isAtLeast(other)),
        [true, true, false],
      );
    });
  }
});

test('the major version in a text', () => {
  const texts = ['15.18 (Debian 15.18-0+deb12u1)', '18beta1', '17', '', 'PostgreSQL 15', undefined];
  assert.deepEqual(texts.map(majorOf), [15, 18, 17, undefined, undefined, undefined]);
});
