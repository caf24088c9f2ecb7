import { formatCount, formatDuration } from '../util/format.ts';
import { topOf } from './growth.ts';
import { escaped, inlineHtml, printedHtml } from './html-text.ts';
import { style } from './style.ts';
import {
  type Bar,
  type Block,
  type Card,
  type Column,
  type Growth,
  legendOf,
  MOST_ROWS,
  type Night,
  nightSigns,
  oneLine,
  type Summary,
  signs,
  statesOf,
  type Table,
  type Text,
  type Waterfall,
} from './summary.ts';
import { lengthOf } from './waterfall.ts';

/**
 * Summaries as one page that needs nothing else, and runs nothing: for artifacts, for mails, and beside the archives.
 *
 * @param heading what ran
 */
export function htmlOf(heading: string, summaries: readonly Summary[]): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(heading)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(heading)}</h1>
${summaries.map(section).join('\n')}
</main>
</body>
</html>
`;
}

function section({ outcome, title, blocks }: Summary): string {
  const parts = [`<h2>${signs[outcome]} ${inline(title)}</h2>`, ...blocks.map((part) => block(part, title))];
  return `<section class="${outcome}">\n${parts.join('\n')}\n</section>`;
}

function block(part: Block, title: string): string {
  switch (part.kind) {
    case 'facts': {
      const rows = part.rows.map(
        ([name, value]) => `<tr><th scope="row">${inline(name)}</th><td>${inline(value)}</td></tr>`,
      );
      return `<table class="facts">\n${rows.join('\n')}\n</table>`;
    }
    case 'table':
      return tableOf(part, title);
    case 'note':
      return `<p>${inline(part.text)}</p>`;
    case 'steps':
      return `<h3>${inline(part.title)}</h3>\n<ol>\n${part.items.map((item) => `<li>${inline(item)}</li>`).join('\n')}\n</ol>`;
    case 'printed':
      return `<h3>${inline(part.title)}</h3>\n<pre tabindex="0" role="region" aria-label="${escaped(oneLine(part.title))}">\n${printedHtml(part.lines)}\n</pre>`;
    case 'waterfall':
      return waterfallOf(part);
    case 'nights':
      return `<h3>${inline(part.title)}</h3>\n${nightsOf(part.nights)}\n${legend(part.nights)}`;
    case 'growth':
      return growthOf(part);
    case 'cards':
      return `<div class="cards">\n${part.cards.map(cardOf).join('\n')}\n</div>\n${legend(part.cards.flatMap(({ nights }) => nights))}`;
  }
}

/** A long one is folded. What does not fit scrolls by itself, also by the keys. */
function tableOf({ columns, rows, name = 'All' }: Table, title: string): string {
  const head = row(
    'th',
    columns,
    columns.map((column) => column.name),
  );
  const body = rows.map((cells) => row('td', columns, cells)).join('\n');
  const label = escaped(`${name}: ${oneLine(title)}`);
  const shown = `<div class="scroll" tabindex="0" role="region" aria-label="${label}">\n<table>\n<thead>\n${head}\n</thead>\n<tbody>\n${body}\n</tbody>\n</table>\n</div>`;
  if (rows.length <= MOST_ROWS) return shown;
  return `<details>\n<summary>${inline(name)}: ${formatCount(rows.length)}</summary>\n${shown}\n</details>`;
}

function row(tag: 'th' | 'td', columns: readonly Column[], cells: readonly Text[]): string {
  const written = cells.map((text, at) => {
    const align = columns[at]?.align === undefined ? '' : ' class="right"';
    // A header that says nothing is none.
    const cell = tag === 'th' && text === '' ? 'td' : tag;
    return `<${cell}${cell === 'th' ? ' scope="col"' : ''}${align}>${inline(text)}</${cell}>`;
  });
  return `<tr>${written.join('')}</tr>`;
}

/** From the beginning of the first to the end of the last. */
const timeOf = (bars: readonly Bar[]): number =>
  lengthOf(bars) - Math.min(...bars.map(({ startMs }) => startMs));

/** A row for each phase, with its bar on the line of time that all share. */
function waterfallOf({ title, bars }: Waterfall): string {
  const length = lengthOf(bars);
  const share = (ms: number) => Number(((ms / length) * 1000).toFixed(1));
  const groups = statesOf(bars).map(({ state, bars: own }) => {
    const rows = own.map(({ name, away, startMs, ms }) => {
      const rect = `<rect class="${away ? 'away' : 'bar'}" x="${share(startMs)}" width="${Math.max(4, share(ms))}" height="10"/>`;
      const svg = `<svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">${rect}</svg>`;
      return `<tr><th scope="row">${inline(name)}</th><td>${svg}</td><td class="right">${formatDuration(ms)}</td></tr>`;
    });
    const head = `<tr><th scope="rowgroup" colspan="3"${own.some(({ away }) => away) ? ' class="away"' : ''}>${inline(state)}: ${formatDuration(timeOf(own))}</th></tr>`;
    return `<tbody>\n${head}\n${rows.join('\n')}\n</tbody>`;
  });
  return `<table class="waterfall">\n<caption>${inline(title)}</caption>\n<colgroup><col class="name"><col><col class="time"></colgroup>\n${groups.join('\n')}\n</table>`;
}

/** Squares that wrap, each with its day and a mark whose form tells what its colour does. */
function nightsOf(nights: readonly Night[]): string {
  const items = nights.map(({ day, state }) => {
    const means = `${day}: ${nightSigns[state].means}`;
    return `<li class="${state}" title="${escaped(means)}"><span aria-hidden="true">${Number(day.slice(8))}</span><span class="hidden">${escaped(means)}</span></li>`;
  });
  return `<ol class="nights">\n${items.join('\n')}\n</ol>`;
}

const legend = (nights: readonly Night[]): string =>
  `<ul class="legend">\n${legendOf(nights)
    .map(
      ({ state, means }) => `<li><span class="key ${state}" aria-hidden="true"></span>${escaped(means)}</li>`,
    )
    .join('\n')}\n</ul>`;

/** Bars without text, which would be stretched with them: what the axis says stands around them. */
function growthOf(growth: Growth): string {
  const { title, unit, points } = growth;
  const top = topOf(growth);
  const wide = 1000 / Math.max(1, points.length);
  const bars = points.flatMap(({ label, value }, at) => {
    if (value === undefined) return [];
    const height = (value / top) * 100;
    const place = `x="${(at * wide + wide * 0.1).toFixed(1)}" y="${(100 - height).toFixed(1)}" width="${(wide * 0.8).toFixed(1)}" height="${height.toFixed(1)}"`;
    return [`<rect class="bar" ${place}><title>${escaped(`${label}: ${value} ${unit}`)}</title></rect>`];
  });
  const values = points.flatMap(({ value }) => value ?? []);
  const said = `${title} of ${points.length} nights: from ${values[0] ?? 0} to ${values.at(-1) ?? 0} ${unit}`;
  const [first, last] = [points[0]?.label ?? '', points.at(-1)?.label ?? ''];
  return `<figure>
<figcaption>${escaped(title)}, ${escaped(unit)}</figcaption>
<div class="chart"><div class="axis"><span>${top}</span><span>0</span></div>
<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="${escaped(said)}">
${bars.join('\n')}
</svg></div>
<div class="days"><span>${escaped(first)}</span><span>${escaped(last)}</span></div>
</figure>`;
}

const cardOf = ({ name, outcome, words, nights }: Card): string =>
  `<article>\n<h3>${signs[outcome]} ${inline(name)}</h3>\n<p>${inline(words)}</p>\n${nightsOf(nights)}\n</article>`;

/** Dates, times and commits, which a line must not be broken in: what is longer may be. */
const WHOLE =
  /(?<!\d)\d{4}-\d\d-\d\d(?:[ _T]\d\d[:-]\d\d(?:[:-]\d\d)?(?: UTC|Z)?)?|\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,40}\b/g;

/** A line of text, whose dates and commits stay in one piece, and whose paths and keys break after a slash. */
const inline = (text: Text): string =>
  inlineHtml(text)
    .replaceAll(WHOLE, (piece) => `<span class="whole">${piece}</span>`)
    .replaceAll(/<code>.*?<\/code>/g, (code) =>
      code.replaceAll(/\/(?=[^>/\s])/g, (slash, at: number) => (code[at - 1] === '<' ? slash : '/<wbr>')),
    );
