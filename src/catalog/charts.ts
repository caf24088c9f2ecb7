import type { Diagram } from '../report/summary.ts';
import { mondayOf, type Period } from './calendar.ts';
import type { Entry } from './entries.ts';
import type { Verdict } from './retention.ts';
import { backupSeconds } from './words.ts';

/** Number of bars that can be told apart in the width of a page. */
const BARS = 20;

/** Size and duration of the last backups, oldest first. @returns none where one backup alone would be no picture */
export function growthCharts(entries: readonly Entry[]): Diagram[] {
  const made = entries
    .flatMap(({ at, receipt, condition }) =>
      receipt && condition.kind === 'verified' ? [{ at, receipt }] : [],
    )
    .slice(0, BARS)
    .reverse();
  if (made.length < 2) return [];
  const labels = labelsOf(made.map(({ at }) => at.toISOString()));
  const size = inUnit(
    made.map(({ receipt }) => receipt.size),
    [
      [1, 'B'],
      [1024, 'KiB'],
      [1024 ** 2, 'MiB'],
      [1024 ** 3, 'GiB'],
      [1024 ** 4, 'TiB'],
    ],
  );
  const time = inUnit(
    made.map(({ receipt }) => backupSeconds(receipt)),
    [
      [1, 's'],
      [60, 'min'],
      [3600, 'h'],
    ],
  );
  return [barChart('Size', size, labels), barChart('Duration', time, labels)];
}

interface Series {
  readonly unit: string;
  readonly values: readonly number[];
}

/** The values in the largest unit of which the largest value has at least one. */
function inUnit(values: readonly number[], units: readonly (readonly [number, string])[]): Series {
  const most = Math.max(...values);
  const [size, unit] = units.findLast(([each]) => most >= each) ?? units[0] ?? [1, ''];
  return { unit, values: values.map((value) => Number((value / size).toFixed(2))) };
}

/** https://mermaid.js.org/syntax/xyChart.html */
function barChart(title: string, { unit, values }: Series, labels: readonly string[]): Diagram {
  const top = Math.max(...values) || 1;
  return diagram([
    'xychart-beta',
    `title "${title} in ${unit}"`,
    `x-axis [${labels.map((label) => `"${label}"`).join(', ')}]`,
    `y-axis 0 --> ${Number((top * 1.1).toPrecision(2))}`,
    `bar [${values.join(', ')}]`,
  ]);
}

/** The days; where there are several of one, which would be one bar, with their times. */
function labelsOf(times: readonly string[]): string[] {
  const days = times.map((time) => time.slice(5, 10));
  return new Set(days).size === days.length ? days : times.map((time) => time.slice(5, 16).replace('T', ' '));
}

const sections: Readonly<Record<Period, string>> = {
  daily: 'Days',
  weekly: 'Weeks',
  monthly: 'Months',
  yearly: 'Years',
};

/** The periods of which a backup is kept, on a line of time: what is missing is a gap. */
export function slotCalendars(verdicts: readonly Verdict[]): Diagram[] {
  const slots = Map.groupBy(verdicts.flatMap(slotsOf), ({ kind }) => kind);
  const pages: readonly Period[][] = [
    ['daily', 'weekly'],
    ['monthly', 'yearly'],
  ];
  return pages.flatMap((kinds) => {
    const lines = kinds.flatMap((kind) => {
      const filled = slots.get(kind) ?? [];
      if (filled.length === 0) return [];
      return [`section ${sections[kind]}`, ...filled.map(({ period }) => taskOf(kind, period)).reverse()];
    });
    if (lines.length === 0) return [];
    const axis = kinds.includes('daily') ? 'axisFormat %d %b' : 'axisFormat %b %Y';
    return [
      diagram(['---', 'displayMode: compact', '---', 'gantt', 'dateFormat YYYY-MM-DD', axis, ...lines]),
    ];
  });
}

interface Slot {
  readonly kind: Period;
  readonly period: string;
}

function slotsOf(verdict: Verdict): Slot[] {
  return verdict.keep ? verdict.rules.flatMap((rule) => ('period' in rule ? [rule] : [])) : [];
}

/** https://mermaid.js.org/syntax/gantt.html */
function taskOf(kind: Period, period: string): string {
  switch (kind) {
    case 'daily':
      return `${period.slice(8)} :${period}, 1d`;
    case 'weekly':
      return `${period.slice(5)} :${mondayOf(period)}, 7d`;
    case 'monthly':
      return `${period} :${period}-01, ${nextMonth(period)}`;
    case 'yearly':
      return `${period} :${period}-01-01, ${Number(period) + 1}-01-01`;
  }
}

function nextMonth(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10);
}

const diagram = (lines: readonly string[]): Diagram => ({ kind: 'diagram', mermaid: lines.join('\n') });
