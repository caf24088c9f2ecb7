import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isBackdated } from '../../../src/catalog/dating.ts';

const HOUR_MS = 3_600_000;
const at = new Date('2026-11-21T12:00:00Z');
/** A backup that was begun at that time, and stored so long after it. */
const stored = (hours: number) => ({
  at,
  archive: { key: 'k', size: 1, etag: 'e', modified: new Date(at.getTime() + hours * HOUR_MS) },
});

suite('a date long before the archive was stored', () => {
  for (const [title, hoursLater, hoursTaken, backdated] of [
    ['is none within two days, for clocks differ', 48, 0, false],
    ['is one after that', 49, 1 / 60, true],
    ['is none where the backup took as long', 3 * 24, 2 * 24, false],
    ['is one where it is said to have taken longer than any does', 8 * 24, 1000 * 24, true],
    ['is none at the most that is believed', 7 * 24, 1000 * 24, false],
    ['is none before', -24, 0, false],
  ] as const) {
    test(title, () => assert.equal(isBackdated(stored(hoursLater), hoursTaken * HOUR_MS), backdated));
  }

  test('is none of what is not there', () => assert.equal(isBackdated({ at, archive: undefined }, 0), false));
});
