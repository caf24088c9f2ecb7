import { printable } from '../util/controls.ts';
import { type Block, type Column, oneLine, type Summary, signs, spansOf, type Text } from './summary.ts';

/** A summary for GitHub. */
export function markdownOf({ outcome, title, blocks }: Summary): string {
  return [`### ${signs[outcome]} ${inline(title)}`, ...blocks.map(block)]
    .map((part) => `${part}\n`)
    .join('\n');
}

const CUT = '\n\nThere is more: the rest is in the log.\n';

/** The lines of a text that fit, with a note where these are not all. */
export function cutToBytes(text: string, bytes: number): { readonly text: string; readonly isCut: boolean } {
  const whole = Buffer.from(text);
  if (whole.length < bytes) return { text, isCut: false };
  const head = whole.subarray(0, Math.max(0, bytes - CUT.length - 1));
  const end = head.lastIndexOf('\n');
  return { text: end < 0 ? '' : `${head.subarray(0, end).toString()}${CUT}`, isCut: true };
}

function block(part: Block): string {
  switch (part.kind) {
    case 'facts':
      return table(
        [{ name: '' }, { name: '' }],
        part.rows.map(([name, value]) => [`**${inline(name)}**`, inline(value)]),
      );
    case 'table':
      return table(
        part.columns,
        part.rows.map((row) => row.map(inline)),
      );
    case 'note':
      return inline(part.text);
    case 'diagram':
      return `\`\`\`mermaid\n${printable(part.mermaid).replaceAll('`', "'").trim()}\n\`\`\``;
  }
}

function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `|${cells.map((cell) => (cell === '' ? ' |' : ` ${cell} |`)).join('')}`;
  const rule = columns.map(({ align }) => (align === 'right' ? '---:' : '---'));
  return [columns.map(({ name }) => inline(name)), rule, ...rows].map(line).join('\n');
}

const inline = (text: Text): string =>
  spansOf(text)
    .map((span) => (typeof span === 'string' ? escaped(span) : codeSpan(span.code)))
    .join('');

/** https://github.github.com/gfm/#backslash-escapes: what could begin markup, a tag, or the next cell. */
const escaped = (text: string): string => oneLine(text).replaceAll(/[\\`*_[\]<>|~&]/g, '\\$&');

/** https://github.github.com/gfm/#code-spans; a bar in it would still end the cell of a table. */
function codeSpan(code: string): string {
  const longest = Math.max(0, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const padding = /^`|`$|^ .* $/.test(code) ? ' ' : '';
  return `${fence}${padding}${oneLine(code).replaceAll('|', '\\|')}${padding}${fence}`;
}
