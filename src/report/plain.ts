import { createRequire } from 'node:module';
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

const require = createRequire(import.meta.url);

/** Text of the Latin script, whose characters are one column wide each. */
const LATIN = /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027]*$/;

/** Columns that a text takes on a terminal. */
function widthOf(text: string): number {
  if (LATIN.test(text)) return text.length;
  // Loaded for what only Unicode's tables know.
  const { default: stringWidth } = require('string-width') as typeof import('string-width');
  return stringWidth(text);
}

/** Two spaces between columns, none at the end of a line. */
function aligned(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((_, at) => Math.max(0, ...rows.map((row) => widthOf(row[at] ?? ''))));
  const cell = (text: string, at: number) => {
    const padding = ' '.repeat((widths[at] ?? 0) - widthOf(text));
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
