import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantsEqualParts } from '../../../src/s3/equal-parts.ts';

test('R2 is known by its name', () => {
  for (const [endpoint, expected] of [
    [undefined, false],
    ['https://s3.eu-west-1.amazonaws.com', false],
    ['https://0123abcd.r2.cloudflarestorage.com', true],
    ['https://0123abcd.eu.r2.cloudflarestorage.com/', true],
    ['https://r2.cloudflarestorage.com.example.org', false],
    ['not a URL', false],
  ] as const) {
    assert.equal(wantsEqualParts(endpoint), expected, endpoint);
  }
});
