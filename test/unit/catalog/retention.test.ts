import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Candidate, decide, protect, type RetentionPolicy } from '../../../src/catalog/retention.ts';
import { DAY_MS, entryAt, guidesPolicy, keptLines, nightly, policyOf } from '../../support/catalogs.ts';

const kept = (entries: readonly Candidate[], rules: Partial<RetentionPolicy>): string[] =>
  keptLines(decide(entries, policyOf(rules)));

interface Case {
  readonly name: string;
  readonly entries: readonly Candidate[];
  readonly rules: Partial<RetentionPolicy>;
  readonly kept: readonly string[];
}

const cases: Case[] = [
  { name: 'an empty catalog', entries: [], rules: { last: 3 }, kept: [] },
  {
    name: 'no rule at all leaves the newest',
    entries: nightly('2026-11-01', '2026-11-05'),
    rules: {},
    kept: ['2026-11-05 02:00 newest'],
  },
  {
    name: 'keep-last',
    entries: nightly('2026-11-01', '2026-11-05'),
    rules: { last: 2 },
    kept: ['2026-11-05 02:00 newest, last 1', '2026-11-04 02:00 last 2'],
  },
  {
    name: 'keep-daily takes the newest of each day',
    entries: ['2026-11-01 01:00', '2026-11-01 23:00', '2026-11-02 01:00', '2026-11-02 02:00'].map((time) =>
      entryAt(time),
    ),
    rules: { daily: 2 },
    kept: ['2026-11-02 02:00 newest, daily 2026-11-02', '2026-11-01 23:00 daily 2026-11-01'],
  },
  {
    name: 'keep-daily counts days that have a backup: a gap takes no slot',
    entries: ['2026-01-01 02:00', '2026-06-01 02:00', '2026-11-01 02:00'].map((time) => entryAt(time)),
    rules: { daily: 3 },
    kept: [
      '2026-11-01 02:00 newest, daily 2026-11-01',
      '2026-06-01 02:00 daily 2026-06-01',
      '2026-01-01 02:00 daily 2026-01-01',
    ],
  },
  {
    name: 'keep-weekly: weeks begin on Monday, and may cross a year',
    entries: nightly('2026-12-20', '2027-01-05'),
    rules: { weekly: 3 },
    kept: [
      '2027-01-05 02:00 newest, weekly 2027-W01',
      '2027-01-03 02:00 weekly 2026-W53',
      '2026-12-27 02:00 weekly 2026-W52',
    ],
  },
  {
    name: 'keep-monthly, with months of different length',
    entries: nightly('2026-01-01', '2026-04-10'),
    rules: { monthly: 4 },
    kept: [
      '2026-04-10 02:00 newest, monthly 2026-04',
      '2026-03-31 02:00 monthly 2026-03',
      '2026-02-28 02:00 monthly 2026-02',
      '2026-01-31 02:00 monthly 2026-01',
    ],
  },
  {
    name: 'keep-yearly over ten years',
    entries: nightly('2017-03-01', '2026-11-21'),
    rules: { yearly: 20 },
    kept: [
      '2026-11-21 02:00 newest, yearly 2026',
      ...[2025, 2024, 2023, 2022, 2021, 2020, 2019, 2018, 2017].map(
        (year) => `${year}-12-31 02:00 yearly ${year}`,
      ),
    ],
  },
  {
    name: 'keep-within counts from the newest verified backup, its limit included',
    entries: [...nightly('2026-11-01', '2026-11-05'), entryAt('2026-11-20 02:00', 'without-receipt')],
    rules: { withinMs: 2 * DAY_MS },
    kept: [
      '2026-11-20 02:00 younger',
      '2026-11-05 02:00 newest, within',
      '2026-11-04 02:00 within',
      '2026-11-03 02:00 within',
    ],
  },
  {
    name: 'one backup may hold several slots',
    entries: nightly('2026-08-30', '2026-09-01'),
    rules: { last: 1, daily: 1, weekly: 2, monthly: 2, yearly: 1 },
    kept: [
      '2026-09-01 02:00 newest, last 1, daily 2026-09-01, weekly 2026-W36, monthly 2026-09, yearly 2026',
      '2026-08-31 02:00 monthly 2026-08',
      '2026-08-30 02:00 weekly 2026-W35',
    ],
  },
  {
    name: 'minimum-keep adds the newest that no rule keeps',
    entries: nightly('2026-11-01', '2026-11-10'),
    rules: { weekly: 2, minimum: 4 },
    kept: [
      '2026-11-10 02:00 newest, weekly 2026-W46',
      '2026-11-09 02:00 minimum',
      '2026-11-08 02:00 weekly 2026-W45',
      '2026-11-07 02:00 minimum',
    ],
  },
  {
    name: 'minimum-keep changes nothing where the rules keep enough',
    entries: nightly('2026-11-01', '2026-11-10'),
    rules: { last: 3, minimum: 3 },
    kept: ['2026-11-10 02:00 newest, last 1', '2026-11-09 02:00 last 2', '2026-11-08 02:00 last 3'],
  },
  {
    name: 'what failed or is no backup fills no slot, and goes once it is older than the newest verified one',
    entries: [
      entryAt('2026-11-01 02:00'),
      entryAt('2026-11-02 02:00'),
      entryAt('2026-11-03 02:00', 'failed'),
      entryAt('2026-11-04 02:00', 'without-receipt'),
      entryAt('2026-11-05 02:00', 'without-archive'),
      entryAt('2026-11-06 02:00'),
    ],
    rules: { last: 2, daily: 3 },
    kept: [
      '2026-11-06 02:00 newest, last 1, daily 2026-11-06',
      '2026-11-02 02:00 last 2, daily 2026-11-02',
      '2026-11-01 02:00 daily 2026-11-01',
    ],
  },
  {
    name: 'what nobody can judge stays',
    entries: [
      entryAt('2026-11-01 02:00', 'unreadable'),
      entryAt('2026-11-02 02:00', 'mismatched'),
      entryAt('2026-11-03 02:00'),
    ],
    rules: { last: 1 },
    kept: [
      '2026-11-03 02:00 newest, last 1',
      '2026-11-02 02:00 its receipt is for another archive',
      '2026-11-01 02:00 its receipt cannot be read',
    ],
  },
  {
    name: 'during an outage everything younger than the newest verified backup stays',
    entries: [
      entryAt('2026-11-01 02:00'),
      entryAt('2026-11-02 02:00', 'failed'),
      entryAt('2026-11-03 02:00', 'without-receipt'),
      entryAt('2026-11-04 02:00', 'failed'),
    ],
    rules: { last: 1 },
    kept: [
      '2026-11-04 02:00 younger',
      '2026-11-03 02:00 younger',
      '2026-11-02 02:00 younger',
      '2026-11-01 02:00 newest, last 1',
    ],
  },
  {
    name: 'without any verified backup everything stays',
    entries: [
      entryAt('2020-01-01 02:00', 'without-receipt'),
      entryAt('2026-11-02 02:00', 'failed'),
      entryAt('2026-11-03 02:00', 'without-archive'),
    ],
    rules: { last: 1 },
    kept: ['2026-11-03 02:00 unverified', '2026-11-02 02:00 unverified', '2020-01-01 02:00 unverified'],
  },
  {
    name: 'the days are those of the time zone',
    entries: ['2026-11-20 22:30', '2026-11-20 23:30', '2026-11-21 22:30'].map((time) => entryAt(time)),
    rules: { daily: 2, timezone: 'Europe/Paris' },
    kept: ['2026-11-21 22:30 newest, daily 2026-11-21', '2026-11-20 22:30 daily 2026-11-20'],
  },
  {
    name: 'the hour that the clock goes through twice belongs to one day',
    entries: ['2026-10-24 22:30', '2026-10-25 00:30', '2026-10-25 01:30', '2026-10-25 23:30'].map((time) =>
      entryAt(time),
    ),
    rules: { daily: 3, timezone: 'Europe/Paris' },
    kept: ['2026-10-25 23:30 newest, daily 2026-10-26', '2026-10-25 01:30 daily 2026-10-25'],
  },
  {
    name: 'the day of 23 hours is a day like any other',
    entries: ['2026-03-28 22:30', '2026-03-28 23:30', '2026-03-29 21:30', '2026-03-29 22:30'].map((time) =>
      entryAt(time),
    ),
    rules: { daily: 3, timezone: 'Europe/Paris' },
    kept: [
      '2026-03-29 22:30 newest, daily 2026-03-30',
      '2026-03-29 21:30 daily 2026-03-29',
      '2026-03-28 22:30 daily 2026-03-28',
    ],
  },
  {
    name: 'a clock that was years ahead does not make its backup the newest one',
    entries: [
      entryAt('2026-11-01 02:00'),
      entryAt('2099-01-01 02:00', 'verified', '2026-11-02 02:00'),
      entryAt('2026-11-03 02:00'),
    ],
    rules: { last: 2 },
    kept: ['2026-11-03 02:00 newest, last 1', '2099-01-01 02:00 last 2'],
  },
  {
    name: 'a catalog that was copied keeps its times',
    entries: nightly('2026-11-01', '2026-11-03').map((entry) => ({
      ...entry,
      archive: { modified: new Date('2026-12-24T00:00Z') },
    })),
    rules: { daily: 2 },
    kept: ['2026-11-03 02:00 newest, daily 2026-11-03', '2026-11-02 02:00 daily 2026-11-02'],
  },
];

describe('retention', () => {
  for (const { name, entries, rules, kept: expected } of cases) {
    test(name, () => {
      assert.deepEqual(kept(entries, rules), expected);
      assert.deepEqual(kept(entries.toReversed(), rules), expected, 'in whatever order they come');
    });
  }

  test('says why something goes', () => {
    const entries = [
      entryAt('2026-11-05 02:00'),
      entryAt('2026-11-04 02:00'),
      entryAt('2026-11-03 02:00', 'failed'),
      entryAt('2026-11-02 02:00', 'without-receipt'),
      entryAt('2026-11-01 02:00', 'without-archive'),
    ];
    assert.deepEqual(
      decide(entries, policyOf()).map((verdict) => (verdict.keep ? 'keep' : verdict.reason)),
      ['keep', 'no slot', 'failed verification', 'without receipt', 'without archive'],
    );
  });

  test('equal times: the keys decide, and always in the same way', () => {
    const [one, two, three] = ['a.dump', 'b.sql.gz', 'c.zip'].map((key) => ({
      ...entryAt('2026-11-01 02:00'),
      key,
    })) as [Candidate, Candidate, Candidate];
    for (const order of [
      [one, two, three],
      [three, two, one],
      [two, three, one],
    ]) {
      const verdicts = decide(order, policyOf({ last: 2 }));
      assert.deepEqual(
        verdicts.map(({ entry, keep }) => [entry.key, keep]),
        [
          ['a.dump', true],
          ['b.sql.gz', true],
          ['c.zip', false],
        ],
      );
    }
  });

  test('a protected entry stays, with the reason', () => {
    const [, old] = decide(nightly('2026-11-01', '2026-11-02'), policyOf());
    assert.equal(old?.keep, false);
    assert.deepEqual(keptLines(old ? [protect(old, 'legal hold')] : []), ['2026-11-01 02:00 legal hold']);
  });
});

describe('the guides’ policy', () => {
  test('after three years of nights, pruned after each of them', () => {
    let catalog: Candidate[] = [];
    for (const entry of nightly('2024-01-01', '2026-11-21')) {
      catalog = decide([...catalog, entry], guidesPolicy).flatMap((verdict) =>
        verdict.keep ? [verdict.entry] : [],
      );
      assert.ok(catalog.length <= 14 + 4 + 3, `${catalog.length} on ${entry.key}`);
    }
    assert.deepEqual(
      catalog.map(({ at }) => at.toISOString().slice(0, 10)),
      [
        ...nightly('2026-11-08', '2026-11-21').map(({ at }) => at.toISOString().slice(0, 10)),
        '2026-11-01',
        '2026-10-31',
        '2026-09-30',
      ].sort((a, b) => (a < b ? 1 : -1)),
    );
  });

  test('an outage of 44 days costs nothing, and the first backup after it one slot of each rule', () => {
    const before = decide(nightly('2026-01-01', '2026-06-30'), guidesPolicy).flatMap((verdict) =>
      verdict.keep ? [verdict.entry] : [],
    );
    assert.ok(decide(before, guidesPolicy).every(({ keep }) => keep));
    const after = decide([...before, entryAt('2026-08-13 02:00')], guidesPolicy);
    assert.deepEqual(
      after.filter(({ keep }) => !keep).map(({ entry }) => entry.at.toISOString().slice(0, 10)),
      ['2026-06-17', '2026-06-14', '2026-04-30'],
    );
  });
});
