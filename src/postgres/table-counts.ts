import { count, type Decoded, flag, nullable, object } from '../util/decode.ts';
import { catalogName, longText } from './rows.ts';
import type { Snapshot } from './snapshot.ts';
import { inChunks, join, qualified, type Sql, sql } from './sql.ts';

/** Which tables are counted; a name is `res_partner`, or `schema.table` outside of `public`. */
export type CountedTables = 'core' | 'all' | readonly string[];

/** Tables whose row counts show whether a restored database is whole: Odoo's base, then its big applications. */
const CORE_TABLES = [
  ...[
    'res_users',
    'res_company',
    'res_partner',
    'ir_attachment',
    'ir_module_module',
    'ir_model',
    'ir_model_data',
  ],
  ...['ir_ui_view', 'ir_config_parameter', 'ir_cron', 'mail_message', 'product_template', 'product_product'],
  ...[
    'sale_order',
    'sale_order_line',
    'purchase_order',
    'purchase_order_line',
    'account_move',
    'account_move_line',
  ],
  ...['stock_move', 'stock_picking', 'stock_quant', 'crm_lead', 'project_task', 'hr_employee', 'pos_order'],
];

export const isCoreTable = (name: string): boolean => CORE_TABLES.includes(name);

const tableFields = {
  schema: catalogName,
  table: catalogName,
  /** One of its columns, a number where there is one; null: it has no column. */
  column: nullable(catalogName),
} as const;

const decodeTable = object({
  ...tableFields,
  /** Ours to dump, rows and all: no extension's, and no partitioned table, whose rows lie in its partitions. */
  own: flag,
});

interface CountableTable extends Decoded<typeof decodeTable> {}

const decodeHeir = object({ ...tableFields, root: object({ schema: catalogName, table: catalogName }) });

/** A table whose rows count for another one, or for itself. */
interface Heir extends Decoded<typeof decodeHeir> {}

/** A column of the table `c`. */
const COLUMN = sql`(SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
  ORDER BY attname <> 'id', atthasdef, attnum LIMIT 1)`;

/** Query: each table that holds rows itself, once for itself and once for each that it inherits from. */
const HEIRS = sql`WITH RECURSIVE heir (root, oid) AS (
    SELECT oid, oid FROM pg_class WHERE relkind IN ('r', 'p')
    UNION SELECT root, inhrelid FROM heir JOIN pg_inherits ON inhparent = heir.oid
  )
  SELECT json_build_object('schema', rn.nspname, 'table', r.relname) AS root, n.nspname AS schema, c.relname AS table,
         ${COLUMN} AS column
    FROM heir JOIN pg_class r ON r.oid = root JOIN pg_namespace rn ON rn.oid = r.relnamespace
      JOIN pg_class c ON c.oid = heir.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'`;

/** How many tables one query counts: PostgreSQL plans each as a part of its own, and locks it with its indexes. */
const AT_ONCE = 50;

/** Number of rows of each table that exists. @throws UserError when the role may not read one of them */
export async function countTables(
  snapshot: Snapshot,
  which: CountedTables,
): Promise<Readonly<Record<string, number>>> {
  const tables = await snapshot.rows(
    decodeTable,
    sql`SELECT nspname AS schema, relname AS table,
            relkind = 'r' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
              AND d.objid = c.oid AND d.deptype = 'e') AS own,
            ${COLUMN} AS column
       FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE relkind IN ('r', 'p') AND nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY 1, 2`,
  );
  const names = new Set(which === 'core' ? CORE_TABLES : which);
  const wanted = tables.filter((table) => (which === 'all' ? table.own : names.has(nameOf(table))));
  if (snapshot.onlyCopies) return countCopied(snapshot, wanted);
  const queries = inChunks(wanted.map(countOf), AT_ONCE).map((parts) => join(parts, sql` UNION ALL `));
  const counted = await Promise.all(
    queries.map((query) => snapshot.rows(object({ table: longText, rows: count }), query)),
  );
  return Object.fromEntries(counted.flat().map(({ table, rows }) => [table, rows]));
}

/**
 * Where a query would evaluate what the owner has planted. A query of a table has the rows of those that inherit from
 * it, and of its partitions; COPY has not.
 */
async function countCopied(
  snapshot: Snapshot,
  tables: readonly CountableTable[],
): Promise<Readonly<Record<string, number>>> {
  const heirs = await snapshot.rows(decodeHeir, HEIRS);
  const rowsOf = new Map<string, number>();
  const counts: Record<string, number> = {};
  for (const wanted of tables) {
    if (wanted.column === null) continue;
    const parts = heirs.filter(({ root }) => root.schema === wanted.schema && root.table === wanted.table);
    let sum = 0;
    for (const part of parts) {
      const rows = rowsOf.get(nameOf(part)) ?? (await copiedRows(snapshot, part));
      rowsOf.set(nameOf(part), rows);
      sum += rows;
    }
    counts[nameOf(wanted)] = sum;
  }
  return counts;
}

async function copiedRows(snapshot: Snapshot, { schema, table, column }: Heir): Promise<number> {
  let rows = 0;
  if (column === null) return rows;
  await snapshot.eachCopied([schema, table], [column], () => {
    rows++;
  });
  return rows;
}

const nameOf = ({ schema, table }: Pick<CountableTable, 'schema' | 'table'>): string =>
  schema === 'public' ? table : `${schema}.${table}`;

const countOf = (table: CountableTable): Sql =>
  sql`SELECT ${nameOf(table)} AS table, count(*) AS rows FROM ${qualified(table.schema, table.table)}`;
