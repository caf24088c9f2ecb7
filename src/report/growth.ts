import { mermaidText } from './mermaid-text.ts';
import type { Growth } from './summary.ts';

/** The top of the axis: one or two digits, and the largest value below it. */
export function topOf({ points }: Growth): number {
  const most = Math.max(0, ...points.map(({ value }) => value ?? 0)) || 1;
  const step = 10 ** Math.floor(Math.log10(most)) / 2;
  return Number((Math.ceil((most * 1.02) / step) * step).toPrecision(3));
}

/**
 * A growth as bars of Mermaid, wide enough for its labels and in a colour that is seen on white and on black.
 * https://mermaid.js.org/syntax/xyChart.html
 */
export function growthDiagram(growth: Growth): string {
  const { title, unit, points } = growth;
  const labels = points.map(({ label }) => `"${mermaidText(label)}"`);
  return [
    '---',
    'config:',
    '  xyChart:',
    '    width: 900',
    '    height: 240',
    '  themeVariables:',
    '    xyChart:',
    '      plotColorPalette: "#1f6feb"',
    '---',
    'xychart-beta',
    `title "${mermaidText(`${title} of the last ${points.length} nights, ${unit}`)}"`,
    `x-axis [${labels.join(', ')}]`,
    `y-axis 0 --> ${topOf(growth)}`,
    `bar [${points.map(({ value }) => value ?? 0).join(', ')}]`,
  ].join('\n');
}
