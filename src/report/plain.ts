import {
  type Block,
  type Column,
  type Facts,
  oneLine,
  type Summary,
  signs,
  spansOf,
  type Text,
} from './summary.ts';
import { foldedCell, widthOf, wrapped } from './width.ts';

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

/** Nothing for a diagram. */
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
    case 'diagram':
      return [];
  }
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
  const widths = available === undefined ? natural : narrowed(natural, available);
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

/** The widths of columns that fit together: the widest ones give. */
function narrowed(natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
  while (total() > available) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= LEAST) break;
    widths[widest] = Math.max(LEAST, (widths[widest] ?? 0) - 1);
  }
  return widths;
}

const inline = (text: Text): string =>
  oneLine(
    spansOf(text)
      .map((span) => (typeof span === 'string' ? span : span.code))
      .join(''),
  );
