import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatRate,
} from '../../../src/util/format.ts';

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];

function table<T extends unknown[]>(
  name: string,
  format: (...values: T) => string,
  cases: [...T, string][],
): void {
  describe(name, () => {
    for (const each of cases) {
      const [values, expected] = [each.slice(0, -1) as T, each.at(-1) as string];
      test(`${values.join(', ')} → ${expected}`, () => assert.equal(format(...values), expected));
    }
  });
}

table('bytes', formatBytes, [
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [1024 * 1024 - 1, '1.0 MiB'],
  [1023.94 * 1024, '1023.9 KiB'],
  [5 * 1024 ** 3, '5.0 GiB'],
  [1024 ** 4, '1.0 TiB'],
  [4096 * 1024 ** 5, '4096.0 PiB'],
]);

table('durations', formatDuration, [
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [59_949, '59.9 s'],
  [59_951, '1 min 00 s'],
  [65 * second, '1 min 05 s'],
  [hour - 501, '59 min 59 s'],
  [hour - 499, '1 h 00 min'],
  [2 * hour + 7 * minute, '2 h 07 min'],
  [day - second, '1 d 0 h'],
  [3 * day + 4 * hour, '3 d 4 h'],
]);

table('rates', formatRate, [
  [1024, second, '1.0 KiB/s'],
  [0, second, '0 B/s'],
  [10, 3 * second, '3 B/s'],
  [1024, 0, '–'],
]);

table('counts', formatCount, [
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [1234567, '1,234,567'],
]);

table('counted things', formatCounted as (count: number, one: string) => string, [
  [0, 'file', '0 files'],
  [1, 'file', '1 file'],
  [70_000, 'file', '70,000 files'],
]);
test('a plural of its own', () => assert.equal(formatCounted(2, 'entry', 'entries'), '2 entries'));

const then = new Date('2026-02-16T09:00:00Z');
table('ages', (ms: number) => formatAge(then, new Date(then.getTime() + ms)), [
  [-hour, 'just now'], // clocks differ
  [0, 'just now'],
  [999, 'just now'],
  [second, '1 second ago'],
  [minute - 1, '59 seconds ago'],
  [minute, '1 minute ago'],
  [hour - 1, '59 minutes ago'],
  [day - 1, '23 hours ago'],
  [day, '1 day ago'],
  [40 * day, '40 days ago'],
]);

test('counts look as Intl has them', () => {
  // Intl has -0, which is no count: with 0 added, it is 0.
  const look = (count: number) => assert.equal(formatCount(count), (count + 0).toLocaleString('en-US'));
  fc.assert(fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.nat(2000), fc.double()), look));
});
