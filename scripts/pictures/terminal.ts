// Draws a terminal that plays what a program has printed: an SVG, as GitHub shows it in a page, without any script.
import { escaped } from '../../src/report/html-text.ts';

/** A line that a program has printed, with its colours as escape sequences. */
export interface TimedLine {
  /** Seconds since the start of the program. */
  readonly at: number;
  readonly text: string;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

const CELL = { width: 7.8, height: 18 } as const;
const PADDING = 14;
const TITLE_BAR = 30;

/** How long a pause may last, and how long the end stays. Seconds. */
const LONGEST_PAUSE = 1.2;
const SHORTEST_PAUSE = 0.07;
const END = 6;

/** The animation as an SVG. What does not fit into a line is cut. It shows its end to those who want no motion. */
export function terminalSvg(
  lines: readonly TimedLine[],
  title: string,
  { columns, rows }: TerminalSize,
): string {
  const width = Math.round(columns * CELL.width + 2 * PADDING);
  const view = rows * CELL.height;
  const height = view + 2 * PADDING + TITLE_BAR;
  const times = paced(lines);
  const total = (times.at(-1) ?? 0) + END;
  // The first lines fill the view from its top; then the text moves up, one line at a time.
  const offset = (shown: number) => (rows - shown) * CELL.height;
  const frames = times.map(
    (at, index) => `${((at / total) * 100).toFixed(3)}%{transform:translateY(${offset(index + 1)}px)}`,
  );
  const text = lines.map(
    ({ text }, index) => `<text y="${(index + 1) * CELL.height - 5}">${coloured(text, columns)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d0d7de;white-space:pre}
.b{font-weight:bold;fill:#fff}.d{fill:#8b949e}.c{fill:#79c0ff}.g{fill:#7ee787}.r{fill:#ff7b72}.y{fill:#e3b341}
#roll{animation:roll ${total.toFixed(1)}s step-end infinite;transform:translateY(${offset(lines.length)}px)}
@media (prefers-reduced-motion:reduce){#roll{animation:none}}
@keyframes roll{0%{transform:translateY(${view}px)}${frames.join('')}}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<circle cx="20" cy="15" r="5" fill="#ff5f57"/><circle cx="38" cy="15" r="5" fill="#febc2e"/><circle cx="56" cy="15" r="5" fill="#28c840"/>
<text x="${width / 2}" y="20" text-anchor="middle" class="d">${escaped(title)}</text>
<clipPath id="view"><rect x="${PADDING}" y="${TITLE_BAR + PADDING}" width="${width - 2 * PADDING}" height="${view}"/></clipPath>
<g clip-path="url(#view)"><g transform="translate(${PADDING} ${TITLE_BAR + PADDING})"><g id="roll">
${text.join('\n')}
</g></g></g>
</svg>
`;
}

/** When each line appears: as it did, without long pauses, and no faster than somebody can see. */
function paced(lines: readonly TimedLine[]): number[] {
  let now = 0;
  return lines.map(({ at }, index) => {
    const pause = at - (lines[index - 1]?.at ?? at);
    now += Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, pause));
    return now;
  });
}

/** Classes of the styles that the story of the demo has: SGR codes, ECMA-48. */
const classes: Readonly<Record<string, string>> = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 33: 'y', 36: 'c' };
const ends: Readonly<Record<string, string>> = { 0: '', 22: 'bd', 39: 'rgyc' };

function coloured(text: string, columns: number): string {
  let left = columns;
  const on = new Set<string>();
  const parts = text.split(/\x1b\[([\d;]*)m/);
  return parts
    .map((part, index) => {
      if (index % 2 === 1) {
        for (const code of (part || '0').split(';')) {
          const begun = classes[code];
          if (begun) on.add(begun);
          for (const ended of code === '0' ? [...on] : (ends[code] ?? '')) on.delete(ended);
        }
        return '';
      }
      const characters = [...part];
      const shown =
        characters.length > left
          ? [...characters.slice(0, Math.max(0, left - 1)), left > 0 ? '…' : '']
          : characters;
      left -= shown.length;
      const name = on.has('c') ? 'c' : [...on][0];
      const written = escaped(shown.join(''));
      if (written === '') return '';
      return name === undefined ? written : `<tspan class="${name}">${written}</tspan>`;
    })
    .join('');
}
