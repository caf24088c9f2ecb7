import type { KeepPrevious } from '../options.ts';

const DAY_MS = 24 * 3_600_000;
const MARK =
  /^odoo-backup: replaced [\dT:.Z-]+; keep (until-healthy|always|until ([\dT:.Z-]+))(?:\n([\s\S]*))?$/;

/** The comment of a new database whose filestore has its name already: it is about to have its own. */
export const PLACED = 'odoo-backup: its filestore is in place';

/** What a replaced database says of itself in its comment, for people and for later runs. */
export interface Mark {
  /** A date: it may go from then on. */
  readonly keep: 'until-healthy' | 'always' | Date;
  /** The comment that it had before. */
  readonly comment: string | null;
}

/** The comment of a database that is being replaced. */
export function markOf(keep: KeepPrevious, now: Date, comment: string | null): string {
  const until =
    typeof keep === 'number' ? `until ${new Date(now.getTime() + keep * DAY_MS).toISOString()}` : keep;
  return `odoo-backup: replaced ${now.toISOString()}; keep ${until}${comment === null ? '' : `\n${comment}`}`;
}

/** @returns undefined for a comment of somebody else's */
export function parseMark(comment: string | null): Mark | undefined {
  const [, keep, until, before] = MARK.exec(comment ?? '') ?? [];
  if (keep === undefined) return undefined;
  return {
    keep: until === undefined ? (keep as 'until-healthy' | 'always') : new Date(until),
    comment: before ?? null,
  };
}

/** What a comment says apart from what a restore has said in it; null: nothing. */
export function ownComment(comment: string | null): string | null {
  const mark = parseMark(comment);
  if (mark) return mark.comment;
  return comment === PLACED ? null : comment;
}
