import { type Decoded, flag, object } from '../util/decode.ts';
import { catalogName, longText } from './rows.ts';

export const decodeFunction = object({
  /** `public.f(text)` */
  signature: longText,
  name: catalogName,
  source: longText,
  /** It says itself where names are looked up. */
  hasPath: flag,
  /** What is built while a dump is loaded calls it. */
  used: flag,
});

/** A function of a database, as text. */
export interface FunctionSource extends Decoded<typeof decodeFunction> {}

/** Names that a database has outside of pg_catalog. */
export interface KnownNames {
  readonly functions: ReadonlySet<string>;
  readonly relations: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
}

export interface UnqualifiedUse {
  /** The function's signature. */
  readonly user: string;
  /** What it names without a schema. */
  readonly name: string;
}

const COMMENTS_AND_TEXTS = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g;
const NAME = '([a-z_][\\w$]*)';
const BEFORE = '(?<![\\w.$"])';
const CALL = new RegExp(`${BEFORE}${NAME}\\s*\\(`, 'gi');
const QUALIFIED_CALL = new RegExp(`\\.${NAME}\\s*\\(`, 'gi');
const RELATION = new RegExp(`\\b(?:from|join|into|update)\\s+(?:only\\s+)?${NAME}(?![\\w.$(])`, 'gi');
const TYPE = new RegExp(`::\\s*${NAME}(?![\\w.$])`, 'gi');

/**
 * Finds functions that name something without its schema, among those that a restore will call: it looks nothing up in
 * `public`. By their text, as PostgreSQL itself knows it only when it runs.
 */
export function unqualifiedUses(functions: readonly FunctionSource[], known: KnownNames): UnqualifiedUse[] {
  const byName = Map.groupBy(functions, ({ name }) => name);
  const called = new Set(functions.filter(({ used }) => used));
  const uses: UnqualifiedUse[] = [];
  for (const each of called) {
    if (each.hasPath) continue; // what it calls looks names up as it does
    const text = each.source.replaceAll(COMMENTS_AND_TEXTS, ' ');
    const found = (pattern: RegExp, names: ReadonlySet<string>) =>
      [...text.matchAll(pattern)]
        .map(([, name = '']) => name.toLowerCase())
        .filter((name) => names.has(name));
    const names = new Set([
      ...found(CALL, known.functions),
      ...found(RELATION, known.relations),
      ...found(TYPE, known.types),
    ]);
    for (const name of names) uses.push({ user: each.signature, name });
    for (const name of found(QUALIFIED_CALL, known.functions)) {
      for (const callee of byName.get(name) ?? []) called.add(callee);
    }
  }
  return uses;
}
