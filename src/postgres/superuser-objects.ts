import { tocLine } from './toc-entry.ts';

/**
 * Kinds of objects that PostgreSQL lets only a superuser make, or a role that a superuser has given a privilege for it:
 * as `pg_restore --list` and a CREATE statement name them.
 */
const ALWAYS = [
  'EVENT TRIGGER',
  'FOREIGN DATA WRAPPER',
  'SERVER',
  'USER MAPPING',
  'SUBSCRIPTION',
  'PROCEDURAL LANGUAGE',
  'ACCESS METHOD',
  'TEXT SEARCH PARSER',
  'TEXT SEARCH TEMPLATE',
  'OPERATOR CLASS',
  'OPERATOR FAMILY',
  'TRANSFORM',
] as const;

/** Kinds of objects of which only some need a superuser, as their definition says. */
const SOMETIMES = ['FUNCTION', 'PROCEDURE', 'TYPE', 'PUBLICATION', 'PUBLICATION TABLES IN SCHEMA'] as const;

const either = (kinds: readonly string[]): string => kinds.join('|');

const MADE = new RegExp(
  `^CREATE (?:OR REPLACE )?(?:TRUSTED )?(?:PROCEDURAL )?(${either([...ALWAYS, ...SOMETIMES, 'LANGUAGE'])}) (?:IF NOT EXISTS )?([^\\s(;]+)`,
  'i',
);

/** An object of a dump. */
export interface DumpedObject {
  /** `EVENT TRIGGER` */
  readonly kind: string;
  /** `-` where the kind has none. */
  readonly schema: string;
  /** `f(integer)` for functions. */
  readonly name: string;
}

/**
 * The object of a dump that only a superuser may be allowed to make.
 *
 * @param at a line of the table of contents, or the beginning of a statement
 * @returns its kind and name, `EVENT TRIGGER et`; undefined: it is nothing of the sort
 */
export function superuserObject(at: string): string | undefined {
  const object = alwaysSuperusers(at) ?? sometimesSuperusers(at);
  if (object) return nameOf(object);
  const [, kind, name] = MADE.exec(at) ?? [];
  return kind === undefined ? undefined : `${kind.toUpperCase()} ${name}`;
}

/** `EVENT TRIGGER et`, `FUNCTION public.f()` */
export const nameOf = ({ kind, schema, name }: DumpedObject): string =>
  `${kind} ${schema === '-' ? '' : `${schema}.`}${name.replace(/^USER MAPPING /, '')}`;

/** The object of a line, if it is of one of these kinds. */
const objectOf = (line: string, kinds: readonly string[]): DumpedObject | undefined => {
  const { kind, named } = tocLine(line) ?? {};
  if (kind === undefined || named === undefined || !kinds.includes(kind)) return undefined;
  const [schema = '', ...name] = named.split(' ');
  return { kind, schema, name: name.join(' ') };
};

/** The object of a line, where its kind alone says that only a superuser makes it. */
export const alwaysSuperusers = (line: string): DumpedObject | undefined => objectOf(line, ALWAYS);

/** The object of a line whose definition decides. */
export const sometimesSuperusers = (line: string): DumpedObject | undefined => objectOf(line, SOMETIMES);

/**
 * A function in a language that no owner of a database may use; a type that has functions in C; a publication of
 * everything.
 */
const DEFINED = [
  /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) [\s\S]*?\sLANGUAGE (?:c|internal|pl(?:perl|python\d?|tcl)u|plpython2u)\s/,
  /^CREATE TYPE [\s\S]*?\(\s*INTERNALLENGTH = /,
  /^CREATE PUBLICATION \S+ FOR (?:ALL TABLES|TABLES IN SCHEMA)/,
];

/** Whether only a superuser may make what this statement makes, by what pg_dump writes. */
export const isSuperusers = (statement: string): boolean => {
  if (DEFINED.some((definition) => definition.test(statement))) return true;
  const kind = MADE.exec(statement)?.[1]?.toUpperCase() ?? '';
  return (ALWAYS as readonly string[]).includes(kind);
};
