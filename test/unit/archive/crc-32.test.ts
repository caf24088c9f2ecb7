import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { buf } from '../../../src/archive/crc-32.ts';

const original: { buf: typeof buf } = createRequire(import.meta.resolve('archiver'))('crc-32');

for (const [what, bytes] of [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from([0x80])],
  ['the check value of every CRC catalogue', Buffer.from('123456789')],
  ['zeros', Buffer.alloc(100_000)],
  ['every byte value', Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256))],
] as const) {
  test(`the package and its stand-in agree on ${what}, at once and in two pieces`, () => {
    const begin = Buffer.alloc(4); // as crc32-stream begins
    const whole = original.buf(bytes, begin);
    assert.equal(buf(bytes, begin), whole);
    const half = bytes.length >> 1;
    assert.equal(buf(bytes.subarray(half), buf(bytes.subarray(0, half), begin) >>> 0), whole);
  });
}
