import { type Decoded, number, object } from '../util/decode.ts';
import { catalogName, longText } from './rows.ts';
import type { Snapshot } from './snapshot.ts';
import { identifier, inChunks, join, qualified, type Sql, sql } from './sql.ts';

const decodeOwned = object({
  schema: catalogName,
  sequence: catalogName,
  tableSchema: catalogName,
  table: catalogName,
  column: catalogName,
});

/** A sequence that makes the values of a column. */
interface OwnedSequence extends Decoded<typeof decodeOwned> {}

const decodeBehind = object({
  /** `res_users_id_seq`, or `schema.sequence` outside of `public`. */
  sequence: longText,
  /** `res_users.id` */
  column: longText,
  last: number,
  highest: number,
});

/** A sequence that would next give a value which its table has already: the next new record would fail. */
export interface BehindSequence extends Decoded<typeof decodeBehind> {}

/** How many sequences one query asks for: PostgreSQL plans each as a part of its own, and locks it with its indexes. */
const AT_ONCE = 50;

/**
 * A superuser in a database of somebody else's compares none (`Snapshot.onlyCopies`): that takes a query of each table,
 * and to copy a column of each is to read the whole database once more.
 *
 * @returns how many there are, and those of them that are behind their tables; undefined: they were not compared
 */
export async function checkSequences(
  snapshot: Snapshot,
): Promise<{ readonly count: number; readonly behind: readonly BehindSequence[] } | undefined> {
  if (snapshot.onlyCopies) return undefined;
  const sequences = await snapshot.rows(decodeOwned, OWNED);
  const queries = inChunks(sequences.map(comparison), AT_ONCE).map(
    (parts) => sql`SELECT sequence, "column", last, highest FROM (${join(parts, sql` UNION ALL `)}) c
      WHERE last < highest OR (last = highest AND NOT called)`,
  );
  const behind = await Promise.all(queries.map((query) => snapshot.rows(decodeBehind, query)));
  return { count: sequences.length, behind: behind.flat() };
}

/**
 * Those of `serial` and identity columns; a sequence that counts down or begins anew has no highest value, and one of
 * an extension is in no dump.
 */
const OWNED = sql`SELECT sn.nspname AS schema, s.relname AS sequence, tn.nspname AS "tableSchema", t.relname AS table,
    a.attname AS column
  FROM pg_class s JOIN pg_namespace sn ON sn.oid = s.relnamespace
    JOIN pg_sequence q ON q.seqrelid = s.oid
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid
      AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p')
    JOIN pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
  WHERE s.relkind = 'S' AND q.seqincrement > 0 AND NOT q.seqcycle
    AND NOT EXISTS (SELECT FROM pg_depend e
      WHERE e.classid = 'pg_class'::regclass AND e.objid = s.oid AND e.deptype = 'e')
    AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  ORDER BY 1, 2`;

function comparison({ schema, sequence, tableSchema, table, column }: OwnedSequence): Sql {
  const name = schema === 'public' ? sequence : `${schema}.${sequence}`;
  const highest = sql`SELECT max(${identifier(column)}) FROM ${qualified(tableSchema, table)}`;
  return sql`SELECT ${name} AS sequence, ${`${table}.${column}`} AS column, last_value AS last,
      is_called AS called, (${highest}) AS highest FROM ${qualified(schema, sequence)}`;
}
