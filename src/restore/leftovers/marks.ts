import type { KeepPrevious } from '../options.ts';

const DAY_MS = 24 * 3_600_000;
const MARK =
  /^odoo-backup: replaced ([\dT:.Z-]+)( by a run that has not ended)?; keep (until-healthy|always|until ([\dT:.Z-]+))(?:\n([\s\S]*))?$/;

/** The comment of a new database whose filestore has its name already: it is about to have its own. */
export const PLACED = 'odoo-backup: its filestore is in place';

/** How long something that was replaced is kept; a date: it may go from then on. */
export type Keep = 'until-healthy' | 'always' | Date;

/** What a replaced database says of itself in its comment, for people and for later runs. */
export interface Mark {
  /** When it was replaced. */
  readonly at: Date;
  /** false: the run that has replaced it did not come to its end, and this may be the only copy of the live data. */
  readonly settled: boolean;
  readonly keep: Keep;
  /** The comment that it had before. */
  readonly comment: string | null;
}

/** The rule of the input `keep-previous`, for a run that began at a time. */
export const keepFrom = (rule: KeepPrevious, startedAt: Date): Keep =>
  typeof rule === 'number' ? new Date(startedAt.getTime() + rule * DAY_MS) : rule;

/** The longer one of two. */
export function longerOf(one: Keep, other: Keep): Keep {
  if (one === 'always' || other === 'until-healthy') return one;
  if (other === 'always' || one === 'until-healthy') return other;
  return one > other ? one : other;
}

/** The mark as a comment. */
export function markText({ at, settled, keep, comment }: Mark): string {
  const how = settled ? '' : ' by a run that has not ended';
  const until = keep instanceof Date ? `until ${keep.toISOString()}` : keep;
  return `odoo-backup: replaced ${at.toISOString()}${how}; keep ${until}${comment === null ? '' : `\n${comment}`}`;
}

/** @returns undefined for a comment of somebody else's */
export function parseMark(text: string | null): Mark | undefined {
  const [, replaced = '', unsettled, keep, until, comment = null] = MARK.exec(text ?? '') ?? [];
  if (keep === undefined) return undefined;
  const at = new Date(replaced);
  const rule = until === undefined ? (keep as 'until-healthy' | 'always') : new Date(until);
  if (Number.isNaN(at.getTime()) || (rule instanceof Date && Number.isNaN(rule.getTime()))) return undefined;
  // Before there was another word for it, what was to be dropped said so until it was.
  return { at, settled: unsettled === undefined && rule !== 'until-healthy', keep: rule, comment };
}

/** What a comment says apart from what a restore has said in it; null: nothing. */
export function ownComment(comment: string | null): string | null {
  const mark = parseMark(comment);
  if (mark) return mark.comment;
  return comment === PLACED ? null : comment;
}
