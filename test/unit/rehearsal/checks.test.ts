import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { boundsOf, hasStatement } from '../../../src/rehearsal/checks.ts';

suite('what a check expects', () => {
  const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const [first, bounds] of [
    ['-- expect: 10..20', { least: 10, most: 20 }],
    ['-- expect: 10..', { least: 10, most }],
    ['--expect:..20', { least, most: 20 }],
    ['  -- expect: -3..0', { least: -3, most: 0 }],
    ['-- expect: 7', { least: 7, most: 7 }],
    ['-- what it is about', undefined],
    ['SELECT 1', undefined],
    ['SELECT 1 -- expect: 3', undefined],
  ] as const) {
    test(`${first}`, () => assert.deepEqual(boundsOf(`${first}\nSELECT 1;`), bounds));
  }

  for (const wrong of [
    '-- expect: many',
    '-- expect:',
    '-- expect: ..',
    '-- expect: 1.5',
    '-- expect: 1...2',
  ]) {
    test(`${wrong} is refused`, () => assert.throws(() => boundsOf(`${wrong}\nSELECT 1`), /is not a number/));
  }
});

suite('a check', () => {
  for (const [sql, has] of [
    ['SELECT 1', true],
    ['-- expect: 1\nSELECT 1', true],
    ['/* a */ SELECT 1 -- b', true],
    ['', false],
    [' ;\n;', false],
    ['-- expect: 1..', false],
    ['/* SELECT 1;\n -- */ ;', false],
    ['\uFEFF-- only words', false],
  ] as const) {
    test(`${JSON.stringify(sql)} ${has ? 'has a' : 'has no'} statement`, () =>
      assert.equal(hasStatement(sql), has));
  }
});
