import { printable } from '../util/controls.ts';

/** What a person should have read of a run, as data: each platform shows it in its own way. */
export interface Summary {
  readonly outcome: Outcome;
  /** One sentence, without a full stop. */
  readonly title: string;
  readonly blocks: readonly Block[];
  /** The log has said all of that already: on a terminal, where both are one, the title will do. */
  readonly told?: true;
}

/** `flawed`: it was done, and a person should look at it. */
export type Outcome = 'done' | 'flawed' | 'failed';

export type Block = Facts | Table | Note | Diagram;

/** Names and what belongs to them. */
export interface Facts {
  readonly kind: 'facts';
  readonly rows: readonly (readonly [name: string, value: Text])[];
}

/** A table of things of one kind. The caller limits one that may grow without bounds: a job summary holds 1 MiB. */
export interface Table {
  readonly kind: 'table';
  readonly columns: readonly Column[];
  /** A cell for each column. */
  readonly rows: readonly (readonly Text[])[];
}

export interface Column {
  readonly name: string;
  /** `right` for numbers. */
  readonly align?: 'right';
}

/** A paragraph. */
export interface Note {
  readonly kind: 'note';
  readonly text: Text;
}

/** A diagram in the language of Mermaid: only GitHub shows it, so nothing may be told by it alone. */
export interface Diagram {
  readonly kind: 'diagram';
  readonly mermaid: string;
}

/** A line of text. No markup: it may come from anywhere and hold anything. */
export type Text = Span | readonly Span[];

type Span = string | Code;

/** Something to be copied as it is: a name, a key, a path. */
export interface Code {
  readonly code: string;
}

export const code = (text: string): Code => ({ code: text });

/** What comes before the title. */
export const signs: Readonly<Record<Outcome, string>> = { done: '✅', flawed: '⚠️', failed: '❌' };

export const spansOf = (text: Text): readonly Span[] =>
  (Array.isArray(text) ? text : [text]) as readonly Span[];

/** Whatever the text holds, it is one line without control characters. */
export const oneLine = (text: string): string => printable(text.replaceAll(/\s+/g, ' '));

/** What a log ends with where the whole summary stands elsewhere: the title and the facts. */
export const inShort = (summary: Summary): Summary => ({
  ...summary,
  blocks: summary.told ? [] : summary.blocks.filter(({ kind }) => kind === 'facts' || kind === 'note'),
});

/** A summary with every text of it put through `change`: to mask secrets before a renderer escapes what is in them. */
export function withTexts(summary: Summary, change: (text: string) => string): Summary {
  const span = (each: Span): Span => (typeof each === 'string' ? change(each) : { code: change(each.code) });
  const text = (each: Text): Text => spansOf(each).map(span);
  const block = (part: Block): Block => {
    switch (part.kind) {
      case 'facts':
        return { ...part, rows: part.rows.map(([name, value]) => [change(name), text(value)] as const) };
      case 'table':
        return { ...part, rows: part.rows.map((row) => row.map(text)) };
      case 'note':
        return { ...part, text: text(part.text) };
      case 'diagram':
        return { ...part, mermaid: change(part.mermaid) };
    }
  };
  return { ...summary, title: change(summary.title), blocks: summary.blocks.map(block) };
}
