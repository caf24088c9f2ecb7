import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarIn, type Period } from '../../../src/catalog/calendar.ts';
import {
  type Candidate,
  decide,
  type RetentionPolicy,
  timeOf,
  type Verdict,
} from '../../../src/catalog/retention.ts';
import { DAY_MS, entryAt } from '../../support/catalogs.ts';

const ROUNDS = 1000;

/** The same numbers for the same seed (mulberry32): from 0 up to, but not including, `below`. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const kinds = [
  ...['verified', 'verified', 'verified', 'verified'],
  ...['failed', 'without-receipt', 'without-archive', 'unreadable', 'mismatched'],
] as Candidate['condition']['kind'][];

/** Gaps of minutes to months, equal times, a clock that went ahead, every condition. */
function randomCatalog(random: (below: number) => number): Candidate[] {
  let time = Date.UTC(2024, random(12), 1 + random(28), random(24));
  return Array.from({ length: random(60) }, (_, index) => {
    time += [0, 600_000, DAY_MS / 2, DAY_MS, 3 * DAY_MS, 40 * DAY_MS][random(6)] ?? 0;
    const ahead = random(10) === 0 ? random(400) * DAY_MS : 0;
    return { ...entryAt(time + ahead, kinds[random(kinds.length)], time), key: `prod_${index}` };
  });
}

function randomPolicy(random: (below: number) => number): RetentionPolicy {
  return {
    last: random(6),
    daily: random(8),
    weekly: random(5),
    monthly: random(4),
    yearly: random(3),
    withinMs: random(3) === 0 ? random(30) * DAY_MS : undefined,
    minimum: 1 + random(6),
    timezone: ['UTC', 'Europe/Paris', 'Pacific/Apia'][random(3)] ?? 'UTC',
  };
}

const isVerified = ({ condition }: Candidate): boolean => condition.kind === 'verified';

/** Runs a check on many catalogs; the seed is in the message of what fails. */
function always(
  check: (verdicts: readonly Verdict[], entries: readonly Candidate[], policy: RetentionPolicy) => void,
): void {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = randomNumbers(seed);
    const [entries, policy] = [randomCatalog(random), randomPolicy(random)];
    try {
      check(decide(entries, policy), entries, policy);
    } catch (error) {
      throw new Error(`With the seed ${seed}, ${entries.length} entries and ${JSON.stringify(policy)}`, {
        cause: error,
      });
    }
  }
}

test('every entry gets one verdict, and the order in which they come changes none', () => {
  always((verdicts, entries, policy) => {
    assert.deepEqual(new Set(verdicts.map(({ entry }) => entry)), new Set(entries));
    assert.equal(verdicts.length, entries.length);
    assert.deepEqual(decide(entries.toReversed(), policy), verdicts);
  });
});

test('never fewer verified backups are left than minimum-keep, or than there are', () => {
  always((verdicts, entries, { minimum }) => {
    const left = verdicts.filter(({ keep, entry }) => keep && isVerified(entry)).length;
    assert.ok(left >= Math.min(minimum, entries.filter(isVerified).length), `${left} are left`);
  });
});

test('the newest verified backup stays, and all that is younger; without one, everything stays', () => {
  always((verdicts, entries) => {
    const newest = Math.max(...entries.filter(isVerified).map(timeOf));
    for (const { keep, entry } of verdicts) {
      if (!keep) assert.ok(timeOf(entry) <= newest, entry.key);
    }
    if (entries.some(isVerified)) {
      assert.ok(verdicts.some(({ keep, entry }) => keep && isVerified(entry) && timeOf(entry) === newest));
    }
  });
});

test('of each of the last periods that have a verified backup, the newest one stays', () => {
  always((verdicts, entries, policy) => {
    const calendar = calendarIn(policy.timezone);
    for (const period of ['daily', 'weekly', 'monthly', 'yearly'] satisfies Period[]) {
      const newestOf = Map.groupBy(entries.filter(isVerified), (entry) => calendar(timeOf(entry))[period]);
      const last = [...newestOf.values()]
        .map((group) => Math.max(...group.map(timeOf)))
        .sort((a, b) => b - a)
        .slice(0, policy[period]);
      for (const time of last) {
        assert.ok(
          verdicts.some(({ keep, entry }) => keep && isVerified(entry) && timeOf(entry) === time),
          `${period}: ${new Date(time).toISOString()}`,
        );
      }
    }
  });
});

test('what is no verified backup changes nothing for those that are', () => {
  always((verdicts, entries, policy) => {
    const alone = decide(entries.filter(isVerified), policy);
    assert.deepEqual(
      verdicts.filter(({ entry }) => isVerified(entry)),
      alone,
    );
  });
});

test('pruning twice deletes nothing more, however much time has passed', () => {
  always((verdicts, _, policy) => {
    const left = verdicts.flatMap(({ keep, entry }) => (keep ? [entry] : []));
    assert.ok(decide(left, policy).every(({ keep }) => keep));
  });
});

test('what is verified and in doubt stays, and changes nothing for the others, however much of it there is', () => {
  always((verdicts, entries, policy) => {
    const doubted = entries.flatMap((entry, i) =>
      [0, 1, 2].map((more) => ({
        ...entry,
        key: `${entry.key}-${i}-${more}`,
        condition: { kind: 'verified' } as const,
        doubt: 'dated 40 days before it was stored',
      })),
    );
    const together = decide([...entries, ...doubted], policy);
    const isDoubted = ({ doubt }: { readonly doubt?: string }) => doubt !== undefined;
    assert.deepEqual(
      together.filter(({ entry }) => !isDoubted(entry)),
      verdicts,
    );
    assert.ok(together.every(({ keep, entry }) => keep || !isDoubted(entry)));
  });
});
