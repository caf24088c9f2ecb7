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

/** Of many things of one kind. What may grow without bounds is cut by who makes it: a job summary holds 1 MiB. */
export interface Table {
  readonly kind: 'table';
  readonly columns: readonly Column[];
  /** A cell for each column. */
  readonly rows: readonly (readonly Text[])[];
}

export interface Column {
  readonly name: string;
  /** Numbers stand at the right. */
  readonly align?: 'right';
}

/** A paragraph. */
export interface Note {
  readonly kind: 'note';
  readonly text: Text;
}

/** In the language of Mermaid: only GitHub shows it, so nothing may be told by it alone. */
export interface Diagram {
  readonly kind: 'diagram';
  readonly mermaid: string;
}

/** A line of text. No markup: where it comes from, anything may stand in it. */
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

/** Whatever the text holds, it is one line. */
export const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');
