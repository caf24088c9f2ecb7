import type { ExtensionMember } from './extensions/members.ts';
import { type TocLine, tocLine, tocLines } from './toc-entry.ts';

/** What the role that restores may do, and what is there already. */
export interface RestoreRights {
  readonly superuser: boolean;
  /** Schemas that were created ahead of the dump. */
  readonly schemas: readonly string[];
  /** Objects of extensions that were created before the dump is loaded. Default: none. */
  readonly members?: readonly ExtensionMember[];
  /** Lines of the table of contents that are left out, whatever they are. Default: none. */
  readonly without?: readonly string[];
  /** Whether what only a superuser may make is left out of plain SQL. */
  readonly withoutSuperusers?: boolean;
}

/** A table of contents for `pg_restore --use-list`. */
export interface FilteredToc {
  readonly list: string;
  /** The lines that are left out, as pg_restore prints them. */
  readonly skipped: readonly string[];
}

/**
 * Leaves out of a dump's table of contents what would fail for a reason that does no harm: the comment of an extension
 * or of the schema `public`, for which one must own them; the schema `public` itself, which every database has; and
 * schemas that were made already. Everything else stays: if that fails, the restore shall fail.
 */
export function filterToc(
  toc: string,
  { superuser, schemas, members = [], without = [] }: RestoreRights,
): FilteredToc {
  const unwanted = new Set(without);
  const present = new Set(schemas);
  const others = new Set(superuser ? [] : members.map(({ entry }) => entry));
  const relations = superuser
    ? []
    : members.flatMap(({ entry }) =>
        /^\S+ TABLE /.test(entry) ? [entry.replace(' TABLE ', ' COLUMN ')] : [],
      );
  const isOthers = (object: string): boolean =>
    others.has(object) ||
    (object.includes(' COLUMN ') && relations.some((relation) => object.startsWith(`${relation}.`)));
  const mayBeSkipped = ({ kind, object, named }: TocLine): boolean => {
    switch (kind) {
      case 'SCHEMA':
        return present.has(named.slice('- '.length)) || (!superuser && object.startsWith('- public '));
      case 'ACL':
        return isOthers(named);
      default:
        return !superuser && kind === 'COMMENT' && /^- (SCHEMA public|EXTENSION) /.test(object);
    }
  };
  const skipped: string[] = [];
  const lines = toc.split('\n').map((line) => {
    const entry = tocLine(line);
    if (!unwanted.has(line) && !(entry && mayBeSkipped(entry))) return line;
    skipped.push(line);
    return `;${line}`;
  });
  return { list: lines.join('\n'), skipped };
}

/** One table of contents as two, to be restored one after the other. */
export interface SplitToc {
  /** undefined: nothing has to come first. */
  readonly ahead: string | undefined;
  readonly rest: string;
}

/**
 * Takes out what has to be loaded before all others, and not by several sessions at once: the rows of tables that belong
 * to extensions, which are there before the dump with all their foreign keys, of which only the order of the dump takes
 * care, and on which other tables' rows may depend (reference systems of PostGIS). A table of the dump's own has an entry
 * that creates it.
 */
export function splitToc(list: string): SplitToc {
  const entries = tocLines(list);
  const created = new Set(
    entries.filter(({ kind }) => /^(FOREIGN )?TABLE$/.test(kind)).map(({ object }) => object),
  );
  const isConfiguration = ({ kind, object }: TocLine) => kind === 'TABLE DATA' && !created.has(object);
  if (!entries.some(isConfiguration)) return { ahead: undefined, rest: list };
  const first = new Set(
    entries
      .filter((entry) => /^(SCHEMA|EXTENSION)$/.test(entry.kind) || isConfiguration(entry))
      .map(({ line }) => line),
  );
  const lines = list.split('\n');
  return {
    ahead: listOf(lines.filter((line) => first.has(line))),
    rest: listOf(lines.filter((line) => !first.has(line))),
  };
}

/** A table of contents of these lines, as `pg_restore --list` prints it. */
export const listOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** The same list in a tenth of the bytes: pg_restore reads nothing of a line but its number. */
export const numbersOf = (list: string): string =>
  listOf(list.split('\n').flatMap((line) => /^\d+;/.exec(line)?.[0] ?? []));

/** Whether a dump has rows for tables that belong to extensions. */
export const hasExtensionRows = (list: string): boolean => splitToc(list).ahead !== undefined;

/** One table of contents as two, of which the one is loaded while the dump arrives. */
export interface TocAtRows {
  /** What comes with the rows, in the order of the dump. */
  readonly upToRows: string;
  /** What needs no row of the dump any more: indexes, constraints, privileges. */
  readonly behind: string;
}

/** Entries for which pg_restore reads a data block, or that lie among such ones. */
const ROWS = new Set(['TABLE DATA', 'SEQUENCE SET', 'BLOBS', 'BLOB METADATA', 'BLOB COMMENTS']);

/** Whether pg_restore needs more of a dump than its table of contents to restore what a line of that is about. */
export const hasRows = (line: string): boolean => ROWS.has(tocLine(line)?.kind ?? '');

/**
 * Divides a table of contents behind its last rows. pg_restore restores privileges behind everything else: a role that has
 * taken a right from itself could not load its rows otherwise. So they come behind.
 */
export function splitAtRows(list: string): TocAtRows {
  const lines = list.split('\n');
  const last = lines.findLastIndex(hasRows);
  const isPrivilege = (line: string) => /^(DEFAULT )?ACL$/.test(tocLine(line)?.kind ?? '');
  const comesWithRows = (line: string, at: number) => at <= last && !isPrivilege(line);
  return {
    upToRows: listOf(lines.filter(comesWithRows)),
    behind: listOf(lines.filter((line, at) => !comesWithRows(line, at))),
  };
}
