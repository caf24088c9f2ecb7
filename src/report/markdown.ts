import { formatCount } from '../util/format.ts';
import { growthDiagram } from './growth.ts';
import { escaped as escapedHtml, inlineHtml, printedHtml } from './html-text.ts';
import {
  type Block,
  type Column,
  type Facts,
  legendOf,
  MOST_ROWS,
  type Night,
  nightSigns,
  oneLine,
  type Summary,
  signs,
  spansOf,
  type Table,
  type Text,
} from './summary.ts';
import { waterfallDiagram } from './waterfall.ts';

/** A summary for GitHub. */
export function markdownOf({ outcome, title, blocks }: Summary): string {
  return [`### ${signs[outcome]} ${inline(title)}\n`, blocksOf({ blocks })].filter(Boolean).join('\n');
}

/** What stands below the title, each with a line break at its end. */
export const blocksOf = ({ blocks }: Pick<Summary, 'blocks'>): string =>
  blocks.map((part) => `${block(part)}\n`).join('\n');

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
      return factsOf(part);
    case 'table':
      return tableOf(part);
    case 'note':
      return inline(part.text);
    case 'steps':
      return [
        `**${inline(part.title)}**`,
        '',
        ...part.items.map((item, i) => `${i + 1}. ${inline(item)}`),
      ].join('\n');
    case 'printed':
      // What is between these tags is no Markdown: https://github.github.com/gfm/#html-blocks
      return `**${inline(part.title)}**\n\n<pre>\n${printedHtml(part.lines)}\n</pre>`;
    case 'waterfall':
      return mermaid(waterfallDiagram(part));
    case 'nights':
      return `**${inline(part.title)}**\n\n${weeksOf(part.nights)}\n\n${legend(part.nights)}`;
    case 'growth':
      return mermaid(growthDiagram(part));
    case 'cards': {
      const nights = part.cards.flatMap((card) => card.nights);
      const rows = part.cards.map(({ name, outcome, words, nights: own }) => [
        `${signs[outcome]} ${inline(name)}`,
        inline(words),
        signsOf(own),
      ]);
      const head = [{ name: 'Database' }, { name: 'Backups' }, { name: 'Last nights' }];
      return `${table(head, rows)}\n\n${legend(nights)}`;
    }
  }
}

/** Without a header, which a table in Markdown cannot be: so it is one in HTML. */
function factsOf({ rows }: Facts): string {
  const lines = rows.map(
    ([name, value]) =>
      `<tr><th align="left" scope="row">${escapedHtml(oneLine(name))}</th><td>${inlineHtml(value)}</td></tr>`,
  );
  return ['<table>', ...lines, '</table>'].join('\n');
}

/** A long one is folded. */
function tableOf({ columns, rows, name = 'All' }: Table): string {
  const shown = table(
    columns,
    rows.map((row) => row.map(inline)),
  );
  if (rows.length <= MOST_ROWS) return shown;
  const title = `${escapedHtml(name)}: ${formatCount(rows.length)}`;
  return `<details><summary>${title}</summary>\n\n${shown}\n\n</details>`;
}

function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `|${cells.map((cell) => (cell === '' ? ' |' : ` ${cell} |`)).join('')}`;
  const rule = columns.map(({ align }) => (align === 'right' ? '---:' : '---'));
  return [columns.map(({ name }) => inline(name)), rule, ...rows].map(line).join('\n');
}

const signsOf = (nights: readonly Night[]): string =>
  nights.map(({ state }) => nightSigns[state].sign).join('');

const legend = (nights: readonly Night[]): string =>
  legendOf(nights)
    .map(({ sign, means }) => `${sign} ${means}`)
    .join(' · ');

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** A row for each week. */
function weeksOf(nights: readonly Night[]): string {
  const weekday = ({ day }: Night) => (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  const rows: string[][] = [];
  for (const night of nights) {
    const at = weekday(night);
    if (rows.length === 0 || at === 0) rows.push([night.day, ...WEEKDAYS.map(() => '')]);
    const row = rows.at(-1);
    if (row) row[at + 1] = nightSigns[night.state].sign;
  }
  return table(
    ['From', ...WEEKDAYS].map((name) => ({ name })),
    rows,
  );
}

const mermaid = (text: string): string => `\`\`\`mermaid\n${text.replaceAll('`', "'").trim()}\n\`\`\``;

const inline = (text: Text): string =>
  spansOf(text)
    .map((span) => (typeof span === 'string' ? escaped(span) : codeSpan(span.code)))
    .join('');

/**
 * https://github.github.com/gfm/#backslash-escapes: what could begin markup, a tag, or the next cell. After an `@`, a
 * comment keeps `postgres@127.0.0.1` from becoming the address of a mail.
 */
const escaped = (text: string): string =>
  oneLine(text)
    .replaceAll(/[\\`*_[\]<>|~&]/g, '\\$&')
    .replaceAll('@', '@<!-- -->');

/** https://github.github.com/gfm/#code-spans; a bar in it would still end the cell of a table. */
function codeSpan(code: string): string {
  const longest = Math.max(0, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const padding = /^`|`$|^ .* $/.test(code) ? ' ' : '';
  return `${fence}${padding}${oneLine(code).replaceAll('|', '\\|')}${padding}${fence}`;
}
