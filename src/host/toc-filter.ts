/** What the role that restores may do, and what is there already. */
export interface RestoreRights {
  readonly superuser: boolean;
  /** Schemas that were created ahead of the dump. */
  readonly schemas: readonly string[];
}

/** A table of contents for `pg_restore --use-list`. */
export interface FilteredToc {
  readonly list: string;
  /** The lines that are left out, as pg_restore prints them. */
  readonly skipped: readonly string[];
}

/** One line of `pg_restore --list`: `215; 1259 16386 TABLE public res_users odoo`. */
const ENTRY = /^\d+; \d+ \d+ (.*)$/;

/**
 * Leaves out of a dump's table of contents what would fail for a reason that does no harm: the comment of an extension
 * or of the schema `public`, for which one must own them; the schema `public` itself, which every database has; and
 * schemas that were made already. Everything else stays: if that fails, the restore shall fail.
 */
export function filterToc(toc: string, { superuser, schemas }: RestoreRights): FilteredToc {
  const present = new Set(schemas);
  const mayBeSkipped = (entry: string): boolean => {
    const schema = /^SCHEMA - (.*) \S*$/.exec(entry)?.[1];
    if (schema !== undefined && present.has(schema)) return true;
    return !superuser && /^(SCHEMA - public |COMMENT - (SCHEMA public |EXTENSION ))/.test(entry);
  };
  const skipped: string[] = [];
  const lines = toc.split('\n').map((line) => {
    if (!mayBeSkipped(ENTRY.exec(line)?.[1] ?? '')) return line;
    skipped.push(line);
    return `;${line}`;
  });
  return { list: lines.join('\n'), skipped };
}
