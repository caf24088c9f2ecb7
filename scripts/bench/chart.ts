/** One bar: seconds or megabytes, of one contender. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Ours stand out. */
  readonly isOurs: boolean;
}

/** Bars that are compared with each other. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface Chart {
  readonly title: string;
  readonly unit: 's' | 'MB';
  readonly groups: readonly BarGroup[];
  /** A value that is not to be passed. */
  readonly bound?: number;
}

const WIDTH = 760;
const LABEL = 210;
const VALUE = 70;
const ROW = 22;
const TITLE = 34;
const GROUP = 30;

/** A bar chart as SVG: readable on light and on dark pages, as an image has no colours of the page. */
export function drawChart({ title, unit, groups, bound }: Chart): string {
  const most = Math.max(bound ?? 0, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value)), 1e-9);
  const lengthOf = (value: number) => ((WIDTH - LABEL - VALUE) * value) / most;
  const lines: string[] = [];
  let y = TITLE;
  for (const group of groups) {
    lines.push(`<text class="group" x="8" y="${y + 20}">${escaped(group.title)}</text>`);
    y += GROUP;
    for (const { label, value, isOurs } of group.bars) {
      const length = Math.max(1, lengthOf(value)).toFixed(1);
      const number = unit === 's' ? `${value.toFixed(1)} s` : `${value.toFixed(0)} MB`;
      lines.push(
        `<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>`,
        `<rect class="${isOurs ? 'ours' : 'theirs'}" x="${LABEL}" y="${y + 3}" width="${length}" height="${ROW - 6}" rx="2"/>`,
        `<text x="${(LABEL + Number(length) + 6).toFixed(1)}" y="${y + 15}">${number}</text>`,
      );
      y += ROW;
    }
  }
  if (bound !== undefined) {
    const x = (LABEL + lengthOf(bound)).toFixed(1);
    lines.push(`<line class="bound" x1="${x}" y1="${TITLE}" x2="${x}" y2="${y + 4}"/>`);
  }
  const height = y + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.group { font-weight: 600; }
.ours { fill: #0969da; }
.theirs { fill: #9aa4af; }
.bound { stroke: #cf222e; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .ours { fill: #4493f8; }
  .theirs { fill: #6e7781; }
  .bound { stroke: #ff7b72; }
}
</style>
<text class="title" x="8" y="20">${escaped(title)}</text>
${lines.join('\n')}
</svg>
`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
