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

export type Block = Facts | Table | Note | Steps | ProgramOutput | Waterfall | Nights | Growth | Cards;

/** Names and what belongs to them. */
export interface Facts {
  readonly kind: 'facts';
  readonly rows: readonly (readonly [name: string, value: Text])[];
}

/** A table of things of one kind. The caller limits one that may grow without bounds: a job summary holds 1 MiB. */
export interface Table {
  readonly kind: 'table';
  /** What its rows are, for a long one, which is folded where that is possible: `Backups`. */
  readonly name?: string;
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

/** What follows one after the other, as a numbered list. */
export interface Steps {
  readonly kind: 'steps';
  readonly title: string;
  readonly items: readonly Text[];
}

/** What a program has printed, line by line, such as the end of a traceback: its indentation stays. */
export interface ProgramOutput {
  readonly kind: 'printed';
  readonly title: string;
  readonly lines: readonly string[];
}

/** What a run did when, on a line of time. */
export interface Waterfall {
  readonly kind: 'waterfall';
  /** `Rollback of shop: 25.1 s, Odoo away for 0.6 s` */
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** One phase of a waterfall. */
export interface Bar {
  readonly name: string;
  /** What holds for bars that follow each other: `Odoo runs`. */
  readonly state: string;
  /** Odoo is down meanwhile. */
  readonly away?: boolean | undefined;
  /** Since the beginning of the run, in milliseconds. */
  readonly startMs: number;
  readonly ms: number;
}

/** One sign for each night: what is missing is seen. */
export interface Nights {
  readonly kind: 'nights';
  readonly title: string;
  /** Oldest first, without a gap. */
  readonly nights: readonly Night[];
}

export interface Night {
  /** `2026-11-21` */
  readonly day: string;
  readonly state: NightState;
}

/** What there is of a night: how far its best backup is verified, or what is wrong. */
export type NightState = 'boot' | 'restore' | 'contents' | 'upload' | 'doubtful' | 'failed' | 'none';

/** A number for each night, as bars. */
export interface Growth {
  readonly kind: 'growth';
  /** `Size` */
  readonly title: string;
  /** `GiB` */
  readonly unit: string;
  /** Oldest first. */
  readonly points: readonly Point[];
}

export interface Point {
  readonly label: string;
  /** undefined: there is no backup of that night. */
  readonly value: number | undefined;
}

/** A small picture of each of several things, side by side. */
export interface Cards {
  readonly kind: 'cards';
  readonly cards: readonly Card[];
}

export interface Card {
  readonly name: string;
  readonly outcome: Outcome;
  /** A few words: what is newest, how much there is. */
  readonly words: string;
  readonly nights: readonly Night[];
}

/** A line of text. No markup: it may come from anywhere and hold anything. */
export type Text = Span | readonly Span[];

type Span = string | Code;

/** Something to be copied as it is: a name, a key, a path. */
export interface Code {
  readonly code: string;
}

export const code = (text: string): Code => ({ code: text });

/** How a night is shown: a sign, whose form tells as much as its colour, and what it means. */
export const nightSigns: Readonly<Record<NightState, { readonly sign: string; readonly means: string }>> = {
  boot: { sign: '🟣', means: 'Odoo answered on it' },
  restore: { sign: '✅', means: 'restored for a test' },
  contents: { sign: '🔷', means: 'read back' },
  upload: { sign: '🟢', means: 'arrived' },
  doubtful: { sign: '❔', means: 'no verified backup' },
  failed: { sign: '❌', means: 'failed' },
  none: { sign: '⬜', means: 'no backup' },
};

/** What the signs that are there mean, in the order of the list above. */
export function legendOf(
  nights: readonly Night[],
): { readonly sign: string; readonly means: string; state: NightState }[] {
  const there = new Set(nights.map(({ state }) => state));
  return (Object.keys(nightSigns) as NightState[])
    .filter((state) => there.has(state))
    .map((state) => ({ ...nightSigns[state], state }));
}

/** Rows of a table that are shown at once: a longer one is folded. */
export const MOST_ROWS = 15;

/** The bars of a waterfall under what holds for them, in order. */
export function statesOf(bars: readonly Bar[]): { readonly state: string; readonly bars: Bar[] }[] {
  const groups: { state: string; bars: Bar[] }[] = [];
  for (const bar of bars) {
    const last = groups.at(-1);
    if (last?.state === bar.state) last.bars.push(bar);
    else groups.push({ state: bar.state, bars: [bar] });
  }
  return groups;
}

/** What comes before the title. */
export const signs: Readonly<Record<Outcome, string>> = { done: '✅', flawed: '⚠️', failed: '❌' };

export const spansOf = (text: Text): readonly Span[] =>
  (Array.isArray(text) ? text : [text]) as readonly Span[];

/** Whatever the text holds, it is one line without control characters. */
export const oneLine = (text: string): string => printable(text.replaceAll(/\s+/g, ' '));

/** As `oneLine`, with the blanks as they are. */
export const printedLine = (text: string): string => printable(text.replaceAll(/[\r\n]+/g, ' '));

/** What a log ends with where the whole summary stands elsewhere: the title and the facts. */
export const inShort = (summary: Summary): Summary => ({
  ...summary,
  blocks: summary.told ? [] : summary.blocks.filter(({ kind }) => kind !== 'table' && kind !== 'waterfall'),
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
      case 'steps':
        return { ...part, title: change(part.title), items: part.items.map(text) };
      case 'printed':
        return { ...part, title: change(part.title), lines: part.lines.map(change) };
      case 'waterfall': {
        const bars = part.bars.map((bar) => ({ ...bar, name: change(bar.name), state: change(bar.state) }));
        return { ...part, title: change(part.title), bars };
      }
      case 'cards': {
        const cards = part.cards.map((card) => ({
          ...card,
          name: change(card.name),
          words: change(card.words),
        }));
        return { ...part, cards };
      }
      case 'nights':
      case 'growth':
        return part;
    }
  };
  return { ...summary, title: change(summary.title), blocks: summary.blocks.map(block) };
}
