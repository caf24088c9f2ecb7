/** What Python takes for white space in `str.strip` and in `\\s`. */
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LEADING = new RegExp(`^[${SPACE}]*`);
const TRAILING = new RegExp(`(?<![${SPACE}])[${SPACE}]+$`);
const OPTION = new RegExp(`^([^\\n]*?)[${SPACE}]*[=:][${SPACE}]*([^\\n]*)$`);
const SECTION = /^\[([^\n]+)\]/;

const stripEnd = (text: string): string =>
  text.replace(TRAILING, '').replace(new RegExp(`^[${SPACE}]+$`), '');
const strip = (text: string): string => stripEnd(text).replace(LEADING, '');

/**
 * The options of the section `options`, as Odoo has them: Python's `RawConfigParser`
 * (https://docs.python.org/3/library/configparser.html, `_read` of Lib/configparser.py). Names in small letters; no
 * interpolation, so values may hold `%`; `#` and `;` start a comment only at the beginning of a line; what is indented
 * more than the option above continues its value; `[DEFAULT]` counts where `[options]` says nothing.
 *
 * Where Python refuses the file, the lines that it refuses are passed over, and the last of two equal options counts.
 */
export function optionsOf(text: string): Map<string, string> {
  const sections = new Map<string, Map<string, string[]>>();
  let section: Map<string, string[]> | undefined;
  let value: string[] | undefined;
  let indent = 0;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    const content = strip(line);
    if (/^[#;]/.test(content)) continue;
    if (content === '') {
      value?.push('');
      continue;
    }
    const level = LEADING.exec(line)?.[0].length ?? 0;
    if (value && level > indent) {
      value.push(content);
      continue;
    }
    indent = level;
    const header = SECTION.exec(content)?.[1];
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
      value = undefined;
      continue;
    }
    const [, name = '', first = ''] = OPTION.exec(content) ?? [];
    if (!section || name === '') continue;
    value = [strip(first)];
    section.set(stripEnd(name).toLowerCase(), value);
  }
  const options = sections.get('options');
  if (!options) return new Map();
  const all = [...(sections.get('DEFAULT') ?? []), ...options];
  return new Map(all.map(([name, lines]) => [name, stripEnd(lines.join('\n'))]));
}
