import { printable } from '../util/controls.ts';
import { type Block, type Column, oneLine, type Summary, signs, spansOf, type Text } from './summary.ts';

/**
 * Summaries as one page that needs nothing else: for artifacts, and for mails.
 *
 * @param heading what ran
 * @param failure why it failed, one thought a line, as `describeError` has it; empty where it did not
 */
export function htmlOf(heading: string, summaries: readonly Summary[], failure: readonly string[]): string {
  const parts = [...summaries.map(section), ...(failure.length > 0 ? [failed(failure)] : [])];
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(heading)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escaped(heading)}</h1>
${parts.join('\n')}
</body>
</html>
`;
}

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
h1 { font-size: 1.1rem; font-weight: normal; opacity: .7; }
section { border-left: 4px solid #1a7f37; padding-left: 1rem; margin: 2rem 0; }
section.flawed { border-color: #bf8700; }
section.failed { border-color: #cf222e; }
h2 { font-size: 1.3rem; margin: 0; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .25rem 1.5rem .25rem 0; border-bottom: 1px solid #8884; }
.right { text-align: right; font-variant-numeric: tabular-nums; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; font: .9em/1.5 ui-monospace, monospace; }
`;

function section({ outcome, title, blocks }: Summary): string {
  const parts = [`<h2>${signs[outcome]} ${inline(title)}</h2>`, ...blocks.flatMap(block)];
  return `<section class="${outcome}">\n${parts.join('\n')}\n</section>`;
}

function failed([what = '', ...rest]: readonly string[]): string {
  return `<section class="failed">\n<h2>${signs.failed} ${escaped(what)}</h2>\n<pre>${escaped(rest.join('\n'))}</pre>\n</section>`;
}

/** Nothing for a diagram: it would take a script. */
function block(part: Block): string[] {
  switch (part.kind) {
    case 'facts':
      return [
        `<table>\n${part.rows.map(([name, value]) => `<tr><th scope="row">${inline(name)}</th><td>${inline(value)}</td></tr>`).join('\n')}\n</table>`,
      ];
    case 'table': {
      const head = row(
        'th',
        part.columns,
        part.columns.map(({ name }) => name),
      );
      return [
        `<table>\n${[head, ...part.rows.map((cells) => row('td', part.columns, cells))].join('\n')}\n</table>`,
      ];
    }
    case 'note':
      return [`<p>${inline(part.text)}</p>`];
    case 'diagram':
      return [];
  }
}

function row(tag: 'th' | 'td', columns: readonly Column[], cells: readonly Text[]): string {
  const written = cells.map((text, at) => {
    const align = columns[at]?.align === undefined ? '' : ' class="right"';
    return `<${tag}${align}>${inline(text)}</${tag}>`;
  });
  return `<tr>${written.join('')}</tr>`;
}

const inline = (text: Text): string =>
  spansOf(text)
    .map((span) =>
      typeof span === 'string' ? escaped(oneLine(span)) : `<code>${escaped(oneLine(span.code))}</code>`,
    )
    .join('');

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

const escaped = (text: string): string =>
  printable(text).replaceAll(/[&<>"]/g, (character) => entities[character] ?? '');
