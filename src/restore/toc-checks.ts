import type { DumpToc } from '../backup-reader/dump-toc.ts';
import { identifier } from '../postgres/sql.ts';
import {
  alwaysSuperusers,
  type DumpedObject,
  nameOf,
  sometimesSuperusers,
} from '../postgres/superuser-objects.ts';
import { type TocLine, tocLines } from '../postgres/toc-entry.ts';
import type { Extension } from '../postgres/traits.ts';
import { ContentError } from '../util/errors.ts';
import type { Problem } from './problem.ts';

/** What the login that loads a dump may do. */
export interface LoaderRights {
  readonly login: string;
  readonly superuser: boolean;
  /** Roles of the server that it may not make things for. */
  readonly strangers: readonly string[];
}

/** What of a dump its loader may not load. */
export interface Unloadable {
  /** Objects that only a superuser may make. */
  readonly superusers: readonly string[];
  /** The lines of the table of contents that belong to them, and to what is about them. */
  readonly lines: readonly string[];
  /** Roles that something belongs to, each with one thing that does. */
  readonly owners: ReadonlyMap<string, string>;
}

export const NOTHING_UNLOADABLE: Unloadable = { superusers: [], lines: [], owners: new Map() };

/** @throws ContentError for a dump that has the tables of Odoo and no rows, as pg_dump --schema-only writes it */
export function assertHoldsRows({ list }: DumpToc, name: string): void {
  const entries = tocLines(list);
  const isOdoos = ({ kind, object }: TocLine) =>
    kind === 'TABLE' && object.startsWith('public ir_module_module ');
  if (!entries.some(isOdoos) || entries.some(({ kind }) => kind === 'TABLE DATA')) return;
  throw new ContentError(
    `${name} is not restored: its dump holds the tables of Odoo and not one row, as pg_dump --schema-only writes it.`,
    'Choose another backup, or make one without --schema-only.',
  );
}

/** Kinds that pg_restore gives to their owners; what is loaded into them has none of its own. */
const OWNED =
  /^((FOREIGN )?TABLE|(MATERIALIZED )?VIEW|SEQUENCE|SCHEMA|FUNCTION|PROCEDURE|AGGREGATE|TYPE|DOMAIN|OPERATOR|COLLATION|CONVERSION|STATISTICS|PUBLICATION|TEXT SEARCH (DICTIONARY|CONFIGURATION)|DEFAULT ACL|BLOB( METADATA)?)$/;

/** Kinds of what is about another object, and begins its name with the kind of that. */
const ABOUT = /^(COMMENT|ACL|SECURITY LABEL)$/;

/**
 * Looks for what a load would fail at.
 *
 * @param extensions are made before the dump is loaded, with their schemas: also those that only their scripts name
 */
export function unloadable(
  { list, superusers }: DumpToc,
  { superuser, strangers }: LoaderRights,
  keepOwnership: boolean,
  extensions: readonly Pick<Extension, 'schema' | 'owner'>[],
): Unloadable {
  if (superuser) return NOTHING_UNLOADABLE;
  const all = tocLines(list);
  const special = all.flatMap(({ line }) => {
    const object = alwaysSuperusers(line) ?? (superusers.has(line) ? sometimesSuperusers(line) : undefined);
    return object ? [{ line, object }] : [];
  });
  const lines = new Set(special.map(({ line }) => line));
  const about = special.flatMap(({ object }) => wordsAbout(object));
  const withoutServers = special.some(({ object }) => object.kind === 'SERVER');
  for (const { line, kind, object } of all) {
    const isAbout = ABOUT.test(kind);
    if (isAbout && about.some((beginning) => object.startsWith(beginning))) lines.add(line);
    // A foreign table is nothing without its server.
    const isForeign = kind === 'FOREIGN TABLE' || (isAbout && object.includes(' FOREIGN TABLE '));
    if (withoutServers && isForeign) lines.add(line);
  }
  const owners = new Map<string, string>();
  if (keepOwnership) {
    const schemas = new Set(['public', ...extensions.map(({ schema }) => schema)]);
    for (const { line, kind, object } of all) {
      if (lines.has(line) || !OWNED.test(kind)) continue;
      const role = strangers.find((each) => object.endsWith(` ${each}`));
      if (role === undefined || owners.has(role)) continue;
      const named = object.slice(0, -` ${role}`.length);
      const isMade =
        kind === 'SCHEMA' &&
        (schemas.has(named.slice('- '.length)) || extensions.some(({ owner = role }) => owner === role));
      if (!isMade) owners.set(role, `${kind} ${named}`);
    }
  }
  return { superusers: special.map(({ object }) => nameOf(object)), lines: [...lines], owners };
}

/** How the words of what is about an object begin: `- EVENT TRIGGER et `, `- FOREIGN SERVER s `. */
const wordsAbout = ({ kind, schema, name }: DumpedObject): string[] =>
  (kind === 'SERVER' ? ['SERVER', 'FOREIGN SERVER'] : [kind]).map((each) => `${schema} ${each} ${name} `);

/** What stands in the way of a load that is to bring back everything. */
export function tocProblems(found: Unloadable, { login }: LoaderRights): Problem[] {
  const problems: Problem[] = [];
  if (found.superusers.length > 0) {
    problems.push({
      message: `The backup contains objects that only a superuser can create, but it is loaded as ${login}: ${found.superusers.join(', ')}`,
      hint: 'The command restore, with the name of another database, leaves that out and says so; an admin makes it there, if Odoo needs it. Drop it from the database that Odoo uses, where nothing needs it: later backups can then be rolled back.',
    });
  }
  for (const [role, what] of found.owners) {
    problems.push({
      message: `The backup has things of the role ${role}, and is loaded as ${login}, which is no member of it: ${what}`,
      hint: `Let it make things for that role: GRANT ${identifier(role).text} TO ${identifier(login).text}.`,
    });
  }
  return problems;
}
