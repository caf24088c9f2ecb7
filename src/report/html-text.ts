import { printable } from '../util/controls.ts';
import { oneLine, printedLine, spansOf, type Text } from './summary.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** A text of any origin as HTML, or as the value of an attribute in double quotes. */
export const escaped = (text: string): string =>
  printable(text).replaceAll(/[&<>"]/g, (character) => entities[character] ?? '');

/** A line of text as HTML. */
export const inlineHtml = (text: Text): string =>
  spansOf(text)
    .map((span) =>
      typeof span === 'string' ? escaped(oneLine(span)) : `<code>${escaped(oneLine(span.code))}</code>`,
    )
    .join('');

/** Lines of a program as HTML, each as it was printed. */
export const printedHtml = (lines: readonly string[]): string =>
  lines.map((line) => escaped(printedLine(line))).join('\n');
