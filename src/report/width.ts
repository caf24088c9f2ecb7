import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Text of the Latin script, whose characters are one column wide each. */
const LATIN = /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027]*$/;

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  if (LATIN.test(text)) return text.length;
  // Loaded for what only Unicode's tables know.
  const { default: stringWidth } = require('string-width') as typeof import('string-width');
  return stringWidth(text);
}

/** What people see as characters: an emoji or a letter with its accents is one of them. */
const graphemes = (text: string): string[] =>
  LATIN.test(text) ? [...text] : Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);

/** As much of a text as fits into so many columns, with an ellipsis where that is not all. */
export function cutToWidth(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let cut = '';
  let width = 0;
  for (const each of graphemes(text)) {
    width += widthOf(each);
    if (width > columns - 1) break;
    cut += each;
  }
  return `${cut}…`;
}

/**
 * A text whose lines fit into so many columns where its words allow it: what is to be copied stays in one piece. A line
 * that goes on is indented as its beginning, and two more.
 */
export function wrapped(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => wrappedLine(line, columns))
    .join('\n');
}

function wrappedLine(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const indent = `${/^ */.exec(line)?.[0] ?? ''}  `;
  const lines: string[] = [];
  for (const word of line.trimEnd().split(/(?<=\S) (?=\S)/)) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (widthOf(last) + 1 + widthOf(word) > columns) lines.push(indent + word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** A text in lines of at most so many columns: between words, or within one that is longer than a line. */
export function foldedCell(text: string, columns: number): string[] {
  if (widthOf(text) <= columns) return [text];
  const lines = [''];
  let width = 0;
  for (const word of text.split(' ')) {
    const length = widthOf(word);
    if (lines.at(-1) !== '' && width + 1 + length <= columns) {
      lines[lines.length - 1] += ` ${word}`;
      width += 1 + length;
      continue;
    }
    if (lines.at(-1) !== '') lines.push('');
    width = 0;
    for (const piece of length <= columns ? [word] : piecesOf(word, columns)) {
      if (width + widthOf(piece) > columns && lines.at(-1) !== '') {
        lines.push('');
        width = 0;
      }
      lines[lines.length - 1] += piece;
      width += widthOf(piece);
    }
  }
  return lines;
}

/** The pieces of a word that is longer than a line: a path breaks after its slashes, and what else there is anywhere. */
const piecesOf = (word: string, columns: number): string[] =>
  word
    .split(/(?<=[^/]\/)(?=[^/])/)
    .flatMap((piece) => (widthOf(piece) <= columns ? [piece] : graphemes(piece)));

/** Columns of the longest word. */
export const longestWord = (text: string): number => Math.max(0, ...text.split(' ').map(widthOf));
