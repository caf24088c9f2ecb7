import { formatDuration } from '../util/format.ts';
import { topOf } from './growth.ts';
import {
  type Block,
  type Column,
  type Facts,
  type Growth,
  legendOf,
  type Night,
  type NightState,
  type Nights,
  oneLine,
  printedLine,
  type Summary,
  signs,
  spansOf,
  type Text,
  type Waterfall,
} from './summary.ts';
import { lengthOf } from './waterfall.ts';
import { foldedCell, longestWord, widthOf, wrapped } from './width.ts';

/**
 * A summary for terminals and logs: text in aligned columns, without a line break at its end.
 *
 * @param columns of the terminal; undefined: lines are as long as they are, as programs and editors like them
 */
export function plainText({ outcome, title, blocks }: Summary, columns?: number): string {
  const parts = blocks.flatMap((part) => block(part, columns));
  return [fit(`${signs[outcome]} ${inline(title)}`, columns), ...parts].join('\n\n');
}

/** Names and what belongs to them, in two columns: one line each. */
export function plainFacts(rows: Facts['rows'], columns?: number): string {
  return aligned(
    [{ name: '' }, { name: '' }],
    rows.map(([name, value]) => [inline(name), inline(value)]),
    columns,
  );
}

const fit = (text: string, columns: number | undefined): string =>
  columns === undefined ? text : wrapped(text, columns);

function block(part: Block, columns: number | undefined): string[] {
  switch (part.kind) {
    case 'facts':
      return [plainFacts(part.rows, columns)];
    case 'table': {
      const rows = part.rows.map((row) => row.map(inline));
      return [aligned(part.columns, [part.columns.map(({ name }) => inline(name)), ...rows], columns)];
    }
    case 'note':
      return [fit(inline(part.text), columns)];
    case 'steps': {
      const items = part.items.map((item, i) => `${`${i + 1}.`.padStart(4)} ${inline(item)}`);
      return [
        [fit(`${oneLine(part.title)}:`, columns), ...items.map((item) => fit(item, columns))].join('\n'),
      ];
    }
    case 'printed':
      return [[`${oneLine(part.title)}:`, ...part.lines.map((line) => `  ${printedLine(line)}`)].join('\n')];
    case 'waterfall':
      // A log has the phases themselves, each with its time.
      return columns === undefined ? [] : [waterfallOf(part, columns)];
    case 'nights':
      return [nightsOf(part, columns)];
    case 'growth':
      return [growthOf(part)];
    case 'cards': {
      const rows = part.cards.map(({ name, words, nights }) => [
        oneLine(name),
        oneLine(words),
        marksOf(nights),
      ]);
      const head = [{ name: 'Database' }, { name: 'Backups' }, { name: 'Last nights' }];
      const text = aligned(head, [head.map(({ name }) => name), ...rows], columns);
      return [`${text}\n${legend(part.cards.flatMap(({ nights }) => nights))}`];
    }
  }
}

/** Columns of the line of time. */
const LINE = 24;

/** A line for each phase, with its bar below the others' on one line of time. */
function waterfallOf({ bars }: Waterfall, columns: number): string {
  const length = lengthOf(bars);
  const rows = bars.map(({ name, away, startMs, ms }) => {
    const from = Math.min(LINE - 1, Math.floor((startMs / length) * LINE));
    const wide = Math.max(1, Math.min(LINE - from, Math.round((ms / length) * LINE)));
    const line = `${' '.repeat(from)}${(away ? '▒' : '█').repeat(wide)}`.padEnd(LINE);
    return [inline(name), line, formatDuration(ms), away ? 'Odoo is down' : ''];
  });
  const head: readonly Column[] = [{ name: '' }, { name: '' }, { name: '', align: 'right' }, { name: '' }];
  return aligned(head, rows, columns);
}

const HEIGHTS = '▁▂▃▄▅▆▇█';

/** One line: a night without a backup is a gap. */
function growthOf(growth: Growth): string {
  const { title, unit, points } = growth;
  const top = topOf(growth);
  const bars = points.map(({ value }) =>
    value === undefined ? ' ' : HEIGHTS[Math.min(7, Math.floor((value / top) * 8))],
  );
  const values = points.flatMap(({ value }) => value ?? []);
  return `${title}, ${unit}: ${bars.join('')}  ${values[0]} to ${values.at(-1)}`;
}

/** One column for each night, which every terminal and every font has. */
const marks: Readonly<Record<NightState, string>> = {
  boot: 'O',
  restore: 'R',
  contents: 'c',
  upload: '+',
  doubtful: '?',
  failed: 'X',
  none: '_',
};

const marksOf = (nights: readonly Night[]): string => nights.map(({ state }) => marks[state]).join('');

const legend = (nights: readonly Night[]): string =>
  legendOf(nights)
    .map(({ state, means }) => `${marks[state]} ${means}`)
    .join(', ');

function nightsOf({ title, nights }: Nights, columns = 80): string {
  const wide = Math.max(7, columns - 12);
  const lines: string[] = [];
  for (let at = 0; at < nights.length; at += wide) {
    lines.push(`${nights[at]?.day ?? ''}  ${marksOf(nights.slice(at, at + wide))}`);
  }
  return [`${title}:`, ...lines, legend(nights)].join('\n');
}

/** The least that a column is made narrower to. */
const LEAST = 8;

/** Two spaces between columns, none at the end of a line. What is wider than the terminal goes on below. */
function aligned(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  available: number | undefined,
): string {
  const natural = columns.map((_, at) => Math.max(0, ...rows.map((row) => widthOf(row[at] ?? ''))));
  const words = columns.map((_, at) => Math.max(0, ...rows.map((row) => longestWord(row[at] ?? ''))));
  const widths =
    available === undefined
      ? natural
      : narrowed(
          natural,
          words,
          columns.map(({ align }) => align === 'right'),
          available,
        );
  const cell = (text: string, at: number) => {
    const padding = ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(text)));
    return columns[at]?.align === 'right' ? padding + text : text + padding;
  };
  const lines = rows.flatMap((row) => {
    const folded = row.map((text, at) => foldedCell(text, widths[at] ?? 0));
    const height = Math.max(1, ...folded.map(({ length }) => length));
    return Array.from({ length: height }, (_, line) =>
      folded
        .map((parts, at) => cell(parts[line] ?? '', at))
        .join('  ')
        .trimEnd(),
    );
  });
  return lines.join('\n');
}

/**
 * The widths of columns that fit together: the widest ones give, as far as their words allow it, numbers after the
 * others, and then further.
 *
 * @param words the longest word of each column
 * @param isNumber which columns hold numbers
 */
function narrowed(
  natural: readonly number[],
  words: readonly number[],
  isNumber: readonly boolean[],
  available: number,
): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
  const give = (least: readonly number[]) => {
    while (total() > available) {
      const room = widths.map((width, at) => (width > (least[at] ?? 0) ? width : 0));
      const widest = room.indexOf(Math.max(...room));
      if (room[widest] === 0) return;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  };
  give(words.map((width, at) => (isNumber[at] ? (natural[at] ?? 0) : width)));
  give(words);
  give(words.map((width) => Math.min(width, LEAST)));
  return widths;
}

const inline = (text: Text): string =>
  oneLine(
    spansOf(text)
      .map((span) => (typeof span === 'string' ? span : span.code))
      .join(''),
  );
