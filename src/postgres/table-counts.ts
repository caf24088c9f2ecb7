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

interface CountableTable {
  readonly schema: string;
  readonly table: string;
  /** Ours to dump, rows and all: no extension's, and no partitioned table, whose rows lie in its partitions. */
  readonly own: boolean;
  /** One that it has, its number where there is one; null: it has none. */
  readonly column: string | null;
}

/** How many tables one query counts: PostgreSQL plans each as a part of its own, and locks it with its indexes. */
const AT_ONCE = 50;

/** Rows a table, of those that are there. @throws UserError when the role may not read one of them */
export async function countTables(
  snapshot: Snapshot,
  which: CountedTables,
): Promise<Readonly<Record<string, number>>> {
  const tables = await snapshot.rows<CountableTable>(
    sql`SELECT nspname AS schema, relname AS table,
            relkind = 'r' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
              AND d.objid = c.oid AND d.deptype = 'e') AS own,
            (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                ORDER BY attname <> 'id', atthasdef, attnum LIMIT 1) AS column
       FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE relkind IN ('r', 'p') AND nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY 1, 2`,
  );
  const names = new Set(which === 'core' ? CORE_TABLES : which);
  const wanted = tables.filter((table) => (which === 'all' ? table.own : names.has(nameOf(table))));
  if (snapshot.onlyCopies) return countCopied(snapshot, wanted);
  const queries = inChunks(wanted.map(countOf), AT_ONCE).map((parts) => join(parts, sql` UNION ALL `));
  const counted = await Promise.all(
    queries.map((query) => snapshot.rows<{ table: string; rows: number }>(query)),
  );
  return Object.fromEntries(counted.flat().map(({ table, rows }) => [table, rows]));
}

/** Where a query would evaluate what the owner has planted. */
async function countCopied(
  snapshot: Snapshot,
  tables: readonly CountableTable[],
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    if (table.column === null) continue;
    let rows = 0;
    await snapshot.eachCopied([table.schema, table.table], [table.column], () => {
      rows++;
    });
    counts[nameOf(table)] = rows;
  }
  return counts;
}

const nameOf = ({ schema, table }: CountableTable): string =>
  schema === 'public' ? table : `${schema}.${table}`;

const countOf = (table: CountableTable): Sql =>
  sql`SELECT ${nameOf(table)} AS table, count(*) AS rows FROM ${qualified(table.schema, table.table)}`;
