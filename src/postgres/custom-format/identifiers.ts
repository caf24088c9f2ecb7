/** Key words of PostgreSQL 13 that pg_dump quotes as names: all that are not unreserved (`kwlist.h`). */
const KEY_WORDS = `
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
case cast char character check coalesce collate collation column concurrently constraint create cross
current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
interval into is isnull join lateral leading least left like limit localtime localtimestamp national natural
nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
placing position precision primary real references returning right row select session_user setof similar
smallint some substring symmetric table tablesample then time timestamp to trailing treat trim true union
unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement
xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
`;

/** Those that came later, by the version that brought them. */
const LATER: readonly (readonly [major: number, words: string])[] = [
  [16, 'json_array json_arrayagg json_object json_objectagg system_user'],
  [17, 'json json_exists json_query json_scalar json_serialize json_table json_value merge_action'],
];

const since = new Map<string, number>();
for (const [major, words] of [[13, KEY_WORDS] as const, ...LATER]) {
  for (const word of words.trim().split(/\s+/)) since.set(word, major);
}

/**
 * A name as pg_dump writes it in SQL: quoted only where it has to be.
 * @param major version of pg_dump, which decides what is a key word
 */
export function dumpedName(name: string, major: number): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(name) && (since.get(name) ?? Infinity) > major;
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}
