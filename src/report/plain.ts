import stringWidth from 'string-width';
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

/** A summary for terminals and logs: text in aligned columns, without a line break at its end. */
export function plainText({ outcome, title, blocks }: Summary): string {
  const parts = blocks.flatMap(block);
  return [`${signs[outcome]} ${inline(title)}`, ...parts].join('\n\n');
}

/** Names and what belongs to them, in two columns: one line each. */
export function plainFacts(rows: Facts['rows']): string {
  return aligned(
    [{ name: '' }, { name: '' }],
    rows.map(([name, value]) => [inline(name), inline(value)]),
  );
}

/** Nothing for a diagram. */
function block(part: Block): string[] {
  switch (part.kind) {
    case 'facts':
      return [plainFacts(part.rows)];
    case 'table': {
      const rows = part.rows.map((row) => row.map(inline));
      return [aligned(part.columns, [part.columns.map(({ name }) => inline(name)), ...rows])];
    }
    case 'note':
      return [inline(part.text)];
    case 'diagram':
      return [];
  }
}

/** Two spaces between columns, none at the end of a line. */
function aligned(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((_, at) => Math.max(0, ...rows.map((row) => stringWidth(row[at] ?? ''))));
  const cell = (text: string, at: number) => {
    const padding = ' '.repeat((widths[at] ?? 0) - stringWidth(text));
    return columns[at]?.align === 'right' ? padding + text : text + padding;
  };
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}

const inline = (text: Text): string =>
  oneLine(
    spansOf(text)
      .map((span) => (typeof span === 'string' ? span : span.code))
      .join(''),
  );
