import { formatDuration } from '../util/format.ts';
import { mermaidText } from './mermaid-text.ts';
import type { Bar, Waterfall } from './summary.ts';

/** Milliseconds from the beginning to the end of the last bar. */
export const lengthOf = (bars: readonly Bar[]): number =>
  Math.max(1, ...bars.map(({ startMs, ms }) => startMs + ms));

/**
 * A waterfall as a Gantt chart of Mermaid. It knows no time without a date: the run begins at midnight.
 * https://mermaid.js.org/syntax/gantt.html
 */
export function waterfallDiagram({ title, bars }: Waterfall): string {
  const length = lengthOf(bars);
  const lines: string[] = [];
  let state = '';
  for (const bar of bars) {
    if (bar.state !== state) lines.push(`section ${mermaidText(bar.state)}`);
    state = bar.state;
    const flag = bar.away ? 'crit, ' : '';
    // What took no time at all would not be drawn.
    const ms = Math.max(Math.round(bar.ms), Math.ceil(length / 500));
    lines.push(`${mermaidText(bar.name)} ${formatDuration(bar.ms)} :${flag}${instant(bar.startMs)}, ${ms}ms`);
  }
  return [
    'gantt',
    `title ${mermaidText(title)}`,
    'dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    `axisFormat ${length < 60_000 ? '%-S s' : length < 3_600_000 ? '%-M min %S s' : '%-H h %M min'}`,
    ...tickOf(length),
    'todayMarker off',
    ...lines,
  ].join('\n');
}

/** So few ticks that their labels do not run together. */
function tickOf(length: number): string[] {
  const steps = [1, 2, 5, 10, 15, 30];
  for (const [unit, name] of [
    [1000, 'second'],
    [60_000, 'minute'],
    [3_600_000, 'hour'],
  ] as const) {
    const step = steps.find((each) => length / (each * unit) <= 8);
    if (step !== undefined) return [`tickInterval ${step}${name}`];
  }
  return [];
}

const instant = (ms: number): string =>
  new Date(Date.UTC(2000, 0, 1) + Math.round(ms)).toISOString().slice(0, -1).replace('T', ' ');
