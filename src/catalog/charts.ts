import type { Growth, Night, NightState, Point } from '../report/summary.ts';
import type { Entry } from './entries.ts';
import { backupSeconds } from './words.ts';

/** Nights that a strip has at most, and bars that can be told apart in the width of a page. */
const [NIGHTS, BARS] = [60, 20];

const DAY_MS = 24 * 3_600_000;

const dayOf = (time: Date | number): string => new Date(time).toISOString().slice(0, 10);

/**
 * The last nights, oldest first, each with what there is of it: from the first backup on, 60 at most. This night counts
 * once it has a backup.
 */
export function nightsOf(entries: readonly Entry[], now: Date, most = NIGHTS): Night[] {
  const byDay = Map.groupBy(entries, ({ at }) => dayOf(at));
  return daysUntil(entries, now, most).map((day) => ({ day, state: stateOf(byDay.get(day) ?? []) }));
}

function daysUntil(entries: readonly Entry[], now: Date, most: number): string[] {
  if (entries.length === 0) return [];
  const times = entries.map(({ at }) => at.getTime());
  const today = dayOf(now);
  const hasToday = times.some((time) => dayOf(time) === today);
  const last = Date.parse(today) - (hasToday ? 0 : DAY_MS);
  const first = Date.parse(dayOf(times.reduce((a, b) => Math.min(a, b))));
  const count = Math.min(most, Math.max(0, (last - first) / DAY_MS + 1));
  return Array.from({ length: count }, (_, i) => dayOf(last - (count - 1 - i) * DAY_MS));
}

/** The best first. */
const states: readonly NightState[] = ['boot', 'restore', 'contents', 'upload', 'failed', 'doubtful'];

function stateOf(entries: readonly Entry[]): NightState {
  const there = new Set(entries.map(stateOfOne));
  return states.find((state) => there.has(state)) ?? 'none';
}

function stateOfOne({ condition }: Entry): NightState {
  if (condition.kind === 'verified') return condition.unrestorable === undefined ? condition.level : 'failed';
  return condition.kind === 'failed' || condition.kind === 'mismatched' ? 'failed' : 'doubtful';
}

/** Size and duration of the last nights' backups. @returns none where one backup alone would be no picture */
export function growthCharts(entries: readonly Entry[], now: Date): Growth[] {
  const verified = entries.flatMap(({ at, receipt, condition }) =>
    receipt && condition.kind === 'verified' ? [{ day: dayOf(at), receipt }] : [],
  );
  const newest = new Map(verified.toReversed().map((each) => [each.day, each.receipt]));
  const days = daysUntil(entries, now, BARS);
  const made = days.map((day) => newest.get(day));
  if (made.filter((receipt) => receipt !== undefined).length < 2) return [];
  const chart = (
    title: string,
    value: (receipt: NonNullable<Entry['receipt']>) => number,
    units: readonly Scale[],
  ): Growth => {
    const { unit, values } = inUnit(
      made.map((receipt) => receipt && value(receipt)),
      units,
    );
    const points = values.map((each, at): Point => ({ label: labelOf(days[at] ?? '', at), value: each }));
    return { kind: 'growth', title, unit, points };
  };
  return [chart('Size', (receipt) => receipt.size, sizes), chart('Duration', backupSeconds, times)];
}

type Scale = readonly [size: number, name: string];

const sizes: readonly Scale[] = [
  [1, 'B'],
  [1024, 'KiB'],
  [1024 ** 2, 'MiB'],
  [1024 ** 3, 'GiB'],
  [1024 ** 4, 'TiB'],
];
const times: readonly Scale[] = [
  [1, 's'],
  [60, 'min'],
  [3600, 'h'],
];

/** The values in the largest unit of which the largest value has at least one. */
function inUnit(
  values: readonly (number | undefined)[],
  units: readonly Scale[],
): { readonly unit: string; readonly values: readonly (number | undefined)[] } {
  const most = Math.max(...values.map((value) => value ?? 0));
  const [size, unit] = units.findLast(([each]) => most >= each) ?? units[0] ?? [1, ''];
  return { unit, values: values.map((value) => value && Number((value / size).toFixed(2))) };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The day, with the month where that begins, and at the beginning of the chart. */
function labelOf(day: string, at: number): string {
  const [, month = 1, date = 1] = day.split('-').map(Number);
  return at === 0 || date === 1 ? `${date} ${months[month - 1]}` : String(date);
}
