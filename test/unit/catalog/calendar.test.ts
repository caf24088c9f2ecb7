import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarIn, mondayOf } from '../../../src/catalog/calendar.ts';

const cases: [time: string, zone: string, daily: string, weekly: string][] = [
  ['2026-11-21T03:52:11Z', 'UTC', '2026-11-21', '2026-W47'],
  ['2026-11-21T23:59:59.999Z', 'UTC', '2026-11-21', '2026-W47'],
  ['2026-11-22T23:59:59Z', 'UTC', '2026-11-22', '2026-W47'], // Sunday
  ['2026-11-23T00:00:00Z', 'UTC', '2026-11-23', '2026-W48'], // Monday
  ['2026-11-22T23:59:59Z', 'Europe/Paris', '2026-11-23', '2026-W48'],
  ['2026-11-23T04:59:59Z', 'America/New_York', '2026-11-22', '2026-W47'],
  ['2026-01-01T00:00:00Z', 'UTC', '2026-01-01', '2026-W01'],
  ['2027-01-01T12:00:00Z', 'UTC', '2027-01-01', '2026-W53'],
  ['2024-12-30T12:00:00Z', 'UTC', '2024-12-30', '2025-W01'],
  ['2023-01-01T12:00:00Z', 'UTC', '2023-01-01', '2022-W52'],
  ['2024-02-29T12:00:00Z', 'UTC', '2024-02-29', '2024-W09'],
  // The clock goes from 02:00 to 03:00, and back from 03:00 to 02:00.
  ['2026-03-28T22:59:59Z', 'Europe/Paris', '2026-03-28', '2026-W13'],
  ['2026-03-28T23:00:00Z', 'Europe/Paris', '2026-03-29', '2026-W13'],
  ['2026-03-29T21:59:59Z', 'Europe/Paris', '2026-03-29', '2026-W13'],
  ['2026-03-29T22:00:00Z', 'Europe/Paris', '2026-03-30', '2026-W14'],
  ['2026-10-25T00:30:00Z', 'Europe/Paris', '2026-10-25', '2026-W43'],
  ['2026-10-25T01:30:00Z', 'Europe/Paris', '2026-10-25', '2026-W43'],
  ['2026-10-25T22:59:59Z', 'Europe/Paris', '2026-10-25', '2026-W43'],
  ['2026-10-25T23:00:00Z', 'Europe/Paris', '2026-10-26', '2026-W44'],
  // Samoa had no 30 December 2011.
  ['2011-12-30T09:59:59Z', 'Pacific/Apia', '2011-12-29', '2011-W52'],
  ['2011-12-30T10:00:00Z', 'Pacific/Apia', '2011-12-31', '2011-W52'],
];

for (const [time, zone, daily, weekly] of cases) {
  test(`${time} in ${zone} is ${daily} of ${weekly}`, () => {
    const [yearly = '', month] = daily.split('-');
    assert.deepEqual(calendarIn(zone)(Date.parse(time)), {
      daily,
      weekly,
      monthly: `${yearly}-${month}`,
      yearly,
    });
  });
}

test('every week of a century has the Monday that its days have', () => {
  const calendar = calendarIn('UTC');
  for (let time = Date.UTC(2000, 0, 3); time < Date.UTC(2100, 0, 1); time += 7 * 86_400_000) {
    const { daily, weekly } = calendar(time);
    assert.equal(mondayOf(weekly), daily);
    assert.equal(calendar(time + 6 * 86_400_000 + 1).weekly, weekly);
  }
});

test('a time zone that there is not is refused', () => {
  assert.throws(() => calendarIn('Europe/Atlantis'), RangeError);
});
