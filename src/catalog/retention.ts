import { calendarIn, type Period } from './calendar.ts';
import type { Condition } from './entries.ts';

/** How many verified backups to keep, in the usual meaning of grandfather, father and son. 0: that rule keeps none. */
export interface RetentionPolicy {
  readonly last: number;
  /** The newest backup of each of the last N days that have one; likewise for weeks, months and years. */
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
  /** All that were not older than this when the newest verified one was made. */
  readonly withinMs: number | undefined;
  /** The least number of backups that stay, whatever the other rules say. */
  readonly minimum: number;
  /** Where days begin: an IANA name. Weeks are those of ISO 8601. */
  readonly timezone: string;
}

/** What the rules look at. */
export interface Candidate {
  readonly key: string;
  /** As the key says: by the clock of the machine that made it. */
  readonly at: Date;
  /** By the clock of the S3 service; undefined where there is only a receipt. */
  readonly archive: { readonly modified: Date } | undefined;
  readonly condition: { readonly kind: Condition['kind'] };
  /** See `Entry`. */
  readonly doubt?: string;
}

/** Why something is kept. */
export type KeepRule =
  | { readonly kind: 'last'; readonly place: number }
  | { readonly kind: Period; readonly period: string }
  /** `newest`: of the verified ones. `younger` than that. `unverified`: there is no verified one yet. */
  | { readonly kind: 'newest' | 'within' | 'minimum' | 'younger' | 'unverified' }
  /** The rules would delete it, but something else forbids that. */
  | { readonly kind: 'protected'; readonly why: string };

export type DeleteReason = 'no slot' | 'failed verification' | 'without receipt' | 'without archive';

export type Verdict<T extends Candidate = Candidate> = { readonly entry: T } & (
  | { readonly keep: true; readonly rules: readonly KeepRule[] }
  | { readonly keep: false; readonly reason: DeleteReason }
);

const periods: readonly Period[] = ['daily', 'weekly', 'monthly', 'yearly'];

/**
 * Decides for every entry of one database whether it stays, and why, newest first. Time does not count, only the
 * distance to the newest verified backup: when backups fail for months, nothing grows old.
 */
export function decide<T extends Candidate>(entries: readonly T[], policy: RetentionPolicy): Verdict<T>[] {
  const all = [...entries].sort(newestFirst);
  const verified = all.filter(({ condition, doubt }) => condition.kind === 'verified' && doubt === undefined);
  const rules = keepRules(verified, policy);
  return all.map((entry) => judge(entry, verified[0], rules.get(entry) ?? []));
}

/** A verdict that something outside the rules overrules: it stays. */
export function protect<T extends Candidate>({ entry }: Verdict<T>, why: string): Verdict<T> {
  return { entry, keep: true, rules: [{ kind: 'protected', why }] };
}

/** The same verdict, or that it stays, where somebody has pinned it. */
export function pinned<T extends Candidate>(verdict: Verdict<T>, reason: string | undefined): Verdict<T> {
  if (reason === undefined) return verdict;
  const rules = verdict.keep ? verdict.rules : [];
  return {
    entry: verdict.entry,
    keep: true,
    rules: [...rules, { kind: 'protected', why: `pinned: ${reason}` }],
  };
}

/** The time of a backup by the earlier of two clocks: a clock that is ahead would make it the newest for years. */
export function timeOf({ at, archive }: Pick<Candidate, 'at' | 'archive'>): number {
  return Math.min(at.getTime(), archive?.modified.getTime() ?? Number.POSITIVE_INFINITY);
}

function newestFirst(a: Candidate, b: Candidate): number {
  return timeOf(b) - timeOf(a) || b.at.getTime() - a.at.getTime() || (a.key < b.key ? -1 : 1);
}

/** The rules that keep each of the verified backups, which are given newest first. */
function keepRules<T extends Candidate>(verified: readonly T[], policy: RetentionPolicy): Map<T, KeepRule[]> {
  const calendar = calendarIn(policy.timezone);
  const newest = verified[0] ? timeOf(verified[0]) : 0;
  const last: Partial<Record<Period, string>> = {};
  const left = { ...policy };
  const rules = new Map(
    verified.map((entry, index): [T, KeepRule[]] => {
      const kept: KeepRule[] = index === 0 ? [{ kind: 'newest' }] : [];
      if (index < policy.last) kept.push({ kind: 'last', place: index + 1 });
      const within = policy.withinMs !== undefined && newest - timeOf(entry) <= policy.withinMs;
      if (within) kept.push({ kind: 'within' });
      const date = calendar(timeOf(entry));
      for (const kind of periods) {
        const period = date[kind];
        if (last[kind] === period || left[kind] === 0) continue;
        last[kind] = period;
        left[kind]--;
        kept.push({ kind, period });
      }
      return [entry, kept];
    }),
  );
  addMinimum([...rules.values()], policy.minimum);
  return rules;
}

function addMinimum(rules: readonly KeepRule[][], minimum: number): void {
  let missing = minimum - rules.filter(({ length }) => length > 0).length;
  for (const kept of rules) {
    if (missing <= 0) return;
    if (kept.length > 0) continue;
    kept.push({ kind: 'minimum' });
    missing--;
  }
}

function judge<T extends Candidate>(entry: T, newest: T | undefined, rules: readonly KeepRule[]): Verdict<T> {
  const keep = (...kept: readonly KeepRule[]) => ({ entry, keep: true, rules: kept }) as const;
  const remove = (reason: DeleteReason) => ({ entry, keep: false, reason }) as const;
  const { kind } = entry.condition;
  if (kind === 'untrusted') return keep({ kind: 'protected', why: 'it is not trusted' });
  if (kind === 'verified' && entry.doubt !== undefined) return keep({ kind: 'protected', why: entry.doubt });
  if (kind === 'verified') return rules.length > 0 ? keep(...rules) : remove('no slot');
  if (!newest) return keep({ kind: 'unverified' });
  if (timeOf(entry) >= timeOf(newest)) return keep({ kind: 'younger' });
  switch (kind) {
    case 'failed':
      return remove('failed verification');
    case 'without-receipt':
      return remove('without receipt');
    case 'without-archive':
      return remove('without archive');
    case 'unreadable':
      return keep({ kind: 'protected', why: 'its receipt cannot be read' });
    case 'mismatched':
      return keep({ kind: 'protected', why: 'its receipt is for another archive' });
  }
}
