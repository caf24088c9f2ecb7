import { longText } from '../postgres/rows.ts';
import { queryRows, runSql } from '../postgres/run-sql.ts';
import type { Postgres } from '../postgres/server.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import { type Sql, sql } from '../postgres/sql.ts';
import { type Decoder, integer, object, text } from '../util/decode.ts';
import { tablesPresent } from './database.ts';

/**
 * How far a sequence of Odoo (`ir.sequence`) has come: `sql:ir_sequence_012`, one of PostgreSQL's behind it, or
 * `row:ir_sequence:12`, the row itself where no number may be left out. From Odoo 14 on, invoices take their numbers from
 * the invoice before, and are none of them.
 */
export interface NumberGiven {
  readonly key: string;
  /** In decimal digits: the last one that was given, or of a row the next one. */
  readonly last: string;
  /** `Sales Order`; empty: it has no name. */
  readonly label: string;
}

export const numberKey: Decoder<string> = text(
  'a sequence of Odoo',
  100,
  /^(?:sql:ir_sequence_\d{3,18}(?:_\d{3,18})?|row:ir_sequence(?:_date_range)?:\d{1,18})$/,
);

const decodeNumber = object<NumberGiven>({ key: numberKey, last: integer, label: longText });

/** More sequences than a database of Odoo has. */
export const MOST_SEQUENCES = 20_000;

const SQL_ONES = sql`SELECT 'sql:' || s.sequencename AS key, s.last_value::text AS last, coalesce(q.name, '') AS label
  FROM pg_sequences s LEFT JOIN public.ir_sequence q
    ON q.id = substring(s.sequencename FROM '^ir_sequence_0*([0-9]{1,9})(?:_|$)')::bigint
 WHERE s.schemaname = 'public' AND s.sequencename ~ '^ir_sequence_[0-9]{3,18}(_[0-9]{3,18})?$'
   AND s.last_value IS NOT NULL AND s.increment_by > 0`;
const ROWS = sql`SELECT 'row:ir_sequence:' || id, number_next::text, coalesce(name, '') FROM public.ir_sequence
 WHERE implementation = 'no_gap' AND number_increment > 0`;
const RANGES = sql`SELECT 'row:ir_sequence_date_range:' || r.id, r.number_next::text, coalesce(q.name, '')
  FROM public.ir_sequence_date_range r JOIN public.ir_sequence q ON q.id = r.sequence_id
 WHERE q.implementation = 'no_gap' AND q.number_increment > 0`;

/** Query: all of them; undefined where the database has none. */
function numbersGiven(present: readonly string[]): Sql | undefined {
  if (!present.includes('ir_sequence')) return undefined;
  const ranges = present.includes('ir_sequence_date_range') ? sql` UNION ALL ${RANGES}` : sql``;
  return sql`${SQL_ONES} UNION ALL ${ROWS}${ranges} ORDER BY 1 LIMIT ${MOST_SEQUENCES}`;
}

const TABLES = tablesPresent(['ir_sequence', 'ir_sequence_date_range']);

/** How far all sequences have come. Not of the snapshot's instant, but of now: sequences know no transactions. */
export async function numbersOf(snapshot: Snapshot): Promise<NumberGiven[] | undefined> {
  if (snapshot.onlyCopies) return undefined;
  const query = numbersGiven(await snapshot.lines(TABLES));
  return query ? snapshot.rows(decodeNumber, query) : [];
}

async function numbersIn(postgres: Postgres, database: string): Promise<NumberGiven[]> {
  const query = numbersGiven(await runSql(postgres, database, TABLES));
  return query ? queryRows(postgres, database, decodeNumber, query) : [];
}

/** Those that have come further than `before`. */
export const furtherThan = (
  before: ReadonlyMap<string, string>,
  now: readonly NumberGiven[],
): NumberGiven[] =>
  now.filter(({ key, last }) => {
    const then = before.get(key);
    return then !== undefined && BigInt(last) > BigInt(then);
  });

/**
 * Moves the sequences of one database on to where those of another are, so that no number is given twice. Those that
 * only one of them has stay as they are.
 *
 * @returns those that were moved
 */
export async function moveNumbersOn(
  postgres: Postgres,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<NumberGiven[]> {
  const [live, built] = await Promise.all([numbersIn(postgres, from), numbersIn(postgres, to)]);
  const ahead = furtherThan(new Map(built.map(({ key, last }) => [key, last])), live);
  await runSql(postgres, to, ...ahead.map(moving));
  return ahead;
}

function moving({ key, last }: NumberGiven): Sql {
  const [, name] = /^sql:(\w+)$/.exec(key) ?? [];
  if (name !== undefined) return sql`SELECT setval(to_regclass(${`public.${name}`}), ${last}::bigint, true)`;
  const [, table, id = '0'] = /^row:(\w+):(\d+)$/.exec(key) ?? [];
  return table === 'ir_sequence'
    ? sql`UPDATE public.ir_sequence SET number_next = ${last}::bigint WHERE id = ${id}::bigint`
    : sql`UPDATE public.ir_sequence_date_range SET number_next = ${last}::bigint WHERE id = ${id}::bigint`;
}

/** `Sales Order: 1234` */
export const numberWords = ({ key, last, label }: NumberGiven): string =>
  `${label === '' ? key.replace(/^\w+:/, '') : label}: ${last}`;
