/** What one line of `pg_restore --list` says: `215; 1259 16386 TABLE public res_users odoo`. */
export interface TocLine {
  /** As pg_restore prints it. */
  readonly line: string;
  /** `TABLE`, `TABLE DATA`, `FK CONSTRAINT` */
  readonly kind: string;
  /**
   * Schema, name and owner: `public res_users odoo`. The schema is a dash where the kind has none, and the owner may be
   * empty. Each may have spaces in it, so a line does not tell where one ends: two lines are about the same where they
   * have the same words.
   */
  readonly object: string;
  /** The same without its last word, which is the owner unless that has spaces in its name: `public res_users`. */
  readonly named: string;
}

/**
 * The kinds of pg_dump 9 to 18. Where one begins as another does, the number of the catalog tells them apart, which is the
 * first of the two before the kind: `TABLE DATA x` is a table `x` of a schema `DATA`, unless that number is 0. Kinds
 * without a schema need no number: a dash comes behind them. A name may have in it what JavaScript takes for the end of
 * a line.
 */
const ENTRY = new RegExp(
  `^\\d+; \\d+ \\d+ (${[
    String.raw`(?<=; 0 \d+ )(?:TABLE DATA|TABLE ATTACH|SEQUENCE SET|SEQUENCE OWNED BY|MATERIALIZED VIEW DATA|INDEX ATTACH|STATISTICS DATA)`,
    String.raw`(?<=; 826 \d+ )DEFAULT ACL|(?<=; 2616 \d+ )OPERATOR CLASS|(?<=; 2753 \d+ )OPERATOR FAMILY`,
    '(?:FOREIGN )?TABLE|(?:MATERIALIZED )?VIEW|SEQUENCE|INDEX|STATISTICS|DEFAULT|OPERATOR|(?:CHECK |FK )?CONSTRAINT',
    '(?:SHELL )?TYPE|DOMAIN|FUNCTION|PROCEDURE|AGGREGATE|COLLATION|CONVERSION|TEXT SEARCH (?:CONFIGURATION|DICTIONARY|PARSER|TEMPLATE)',
    '(?:EVENT )?TRIGGER|RULE|POLICY|ROW SECURITY|CAST|TRANSFORM|ACCESS METHOD|(?:PROCEDURAL )?LANGUAGE',
    'SCHEMA|EXTENSION|FOREIGN DATA WRAPPER|SERVER|USER MAPPING|PUBLICATION(?: TABLES IN SCHEMA| TABLE)?|SUBSCRIPTION(?: TABLE)?',
    'ACL|COMMENT|SECURITY LABEL|BLOBS|BLOB(?: METADATA| COMMENTS)?|DATABASE(?: PROPERTIES)?|TABLESPACE|ENCODING|STDSTRINGS|SEARCHPATH',
  ].join('|')}) (.*)$`,
  's',
);

/** @returns undefined for a comment, and for a kind of a newer pg_dump */
export function tocLine(line: string): TocLine | undefined {
  const [, kind, object] = ENTRY.exec(line) ?? [];
  if (kind === undefined || object === undefined) return undefined;
  return { line, kind, object, named: object.slice(0, Math.max(0, object.lastIndexOf(' '))) };
}

/** The entries of a table of contents, as `pg_restore --list` prints it. */
export const tocLines = (list: string): TocLine[] => list.split('\n').flatMap((line) => tocLine(line) ?? []);
