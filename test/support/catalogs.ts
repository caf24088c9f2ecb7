import type { Candidate, KeepRule, RetentionPolicy, Verdict } from '../../src/catalog/retention.ts';

type Kind = Candidate['condition']['kind'];

export const DAY_MS = 86_400_000;

/** A policy of which only the rules named keep anything. */
export function policyOf(rules: Partial<RetentionPolicy> = {}): RetentionPolicy {
  return {
    last: 0,
    daily: 0,
    weekly: 0,
    monthly: 0,
    yearly: 0,
    withinMs: undefined,
    minimum: 1,
    timezone: 'UTC',
    ...rules,
  };
}

/** What the guides ask for. */
export const guidesPolicy = policyOf({ last: 14, daily: 7, weekly: 4, monthly: 3, minimum: 3 });

/** `2026-11-21 02:00`, in UTC, as an entry of a catalog; its key is its time. */
export function entryAt(time: string | number, kind: Kind = 'verified', modified = time): Candidate {
  const at = dateOf(time);
  const key = `prod_${at.toISOString()}`;
  return { key, at, archive: { modified: dateOf(modified) }, condition: { kind } };
}

const dateOf = (time: string | number): Date =>
  new Date(typeof time === 'number' ? time : `${time.replace(' ', 'T')}:00Z`);

/** One a night, at two, from the first day to the last. */
export function nightly(from: string, to: string): Candidate[] {
  const entries: Candidate[] = [];
  for (let time = Date.parse(`${from}T02:00Z`); time <= Date.parse(`${to}T02:00Z`); time += DAY_MS) {
    entries.push(entryAt(time));
  }
  return entries;
}

/** `2026-11-21 02:00 newest, last 1, daily 2026-11-21`: a line for each that is kept. */
export function keptLines(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap((verdict) => {
    if (!verdict.keep) return [];
    const time = verdict.entry.at.toISOString().slice(0, 16).replace('T', ' ');
    return [`${time} ${verdict.rules.map(ruleWords).join(', ')}`];
  });
}

function ruleWords(rule: KeepRule): string {
  if (rule.kind === 'last') return `last ${rule.place}`;
  if (rule.kind === 'protected') return rule.why;
  return 'period' in rule ? `${rule.kind} ${rule.period}` : rule.kind;
}
