import { some } from '../backup-reader/differences.ts';
import type { DumpToc } from '../backup-reader/dump-toc.ts';
import { inOneLine } from '../postgres/custom-format/contents.ts';
import type { Postgres } from '../postgres/server.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import { list, sql } from '../postgres/sql.ts';
import { countTables, isCoreTable } from '../postgres/table-counts.ts';
import { tocLines } from '../postgres/toc-entry.ts';
import type { Problem } from './problem.ts';

/** Tables of Odoo's module base: each version has them, and each of them has a primary key and rows. */
const BASE_TABLES = [
  'ir_module_module',
  'ir_attachment',
  'ir_model',
  'res_users',
  'res_partner',
  'res_company',
];
/** Odoo starts without a row of it: what users have stored is gone. */
const ATTACHMENTS = 'ir_attachment';

/** Where the tables of Odoo are. A dump may make a database that has no such schema. */
const PUBLIC = sql`(SELECT oid FROM pg_namespace WHERE nspname = 'public')`;

/**
 * Which parts of a database a dump holds. A table's name is `res_partner`, or `schema.table` outside of `public`, with
 * spaces for the line ends in it.
 */
export interface DumpedTables {
  readonly tables: ReadonlySet<string>;
  /** Tables whose rows were left out when the dump was made. */
  readonly withoutRows: readonly string[];
  /** Tables that are not there, and whose sequence is: pg_dump leaves that behind where it leaves out a table. */
  readonly lost: readonly string[];
  /** Tables that have a primary key, or another constraint of their own: at least those of Odoo's base. */
  readonly withKeys: ReadonlySet<string>;
}

/** Reads it from a table of contents: pg_dump writes an entry for the rows of each table, also of an empty one. */
export function tablesInToc({
  list: lines,
  partitioned,
}: Pick<DumpToc, 'list' | 'partitioned'>): DumpedTables {
  const entries = tocLines(lines);
  const objects = (wanted: string) =>
    entries.filter(({ kind }) => kind === wanted).map(({ object }) => object);
  const made = entries
    .filter(({ kind }) => kind === 'TABLE')
    .map((entry) => ({ ...entry, name: nameIn(entry.named) }));
  const filled = new Set(objects('TABLE DATA'));
  // Odoo itself partitions none.
  const hasRows = (line: string, name: string) => (partitioned ? !partitioned.has(line) : isCoreTable(name));
  const constraints = objects('CONSTRAINT');
  const isKeyed = (table: string) =>
    constraints.some(
      (object) => object.startsWith(`public ${table} `) || object.startsWith(`public ${table}_pkey `), // older versions name the constraint alone
    );
  const tables = new Set(made.map(({ name }) => name));
  const owned = new Set(objects('SEQUENCE OWNED BY'));
  return {
    tables,
    lost: objects('SEQUENCE').flatMap((sequence) => {
      const table = /^public (\w+)_id_seq /.exec(sequence)?.[1];
      return table === undefined || owned.has(sequence) || tables.has(table) ? [] : [table];
    }),
    withoutRows:
      filled.size === 0
        ? []
        : made.flatMap(({ line, object, name }) =>
            !filled.has(object) && hasRows(line, name) ? [name] : [],
          ),
    withKeys: new Set(BASE_TABLES.filter(isKeyed)),
  };
}

/** `res_users` of `public res_users`, `app.users` of `app users` */
const nameIn = (named: string): string =>
  named.startsWith('public ') ? named.slice('public '.length) : named.replace(' ', '.');

/**
 * Reads it from a database into which plain SQL was loaded, which has no table of contents.
 *
 * @param withoutRows of the dump, where that says it
 */
export async function tablesInDatabase(
  postgres: Postgres,
  database: string,
  withoutRows: readonly string[],
): Promise<DumpedTables> {
  await using snapshot = await Snapshot.open(postgres, database);
  const [tables, counts, withKeys, lost] = await Promise.all([
    snapshot.lines(
      sql`SELECT translate(relname, E'\\n\\r', '  ') FROM pg_class WHERE relnamespace = ${PUBLIC} AND relkind IN ('r', 'p')`,
    ),
    countTables(snapshot, BASE_TABLES),
    snapshot.lines(sql`SELECT relname FROM pg_class t
      WHERE relnamespace = ${PUBLIC} AND relname IN (${list(BASE_TABLES)})
        AND EXISTS (SELECT FROM pg_constraint WHERE conrelid = t.oid AND contype = 'p')`),
    snapshot.lines(sql`SELECT left(relname, -7) FROM pg_class s
      WHERE relnamespace = ${PUBLIC} AND relkind = 'S' AND right(relname, 7) = '_id_seq'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = s.oid AND refobjsubid > 0)
        AND NOT EXISTS (SELECT FROM pg_class t
          WHERE t.relnamespace = s.relnamespace AND t.relname = left(s.relname, -7)) ORDER BY 1`),
  ]);
  const empty = BASE_TABLES.filter((table) => counts[table] === 0);
  return {
    tables: new Set(tables),
    withoutRows: [...new Set([...empty, ...withoutRows.map(inOneLine)])],
    lost: lost.filter((table) => /^\w+$/.test(table)),
    withKeys: new Set(withKeys),
  };
}

/** What a dump lacks that may hold a part of its database alone. */
interface Completeness {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

const WHOLE =
  'Choose another backup, or make one of the whole database: pg_dump --format=custom, without such options.';

const IF_MEANT =
  'Choose another backup. If that is what you want: the command restore puts it in the place of the database (target-database, replace: true, neutralize: false, new-uuid: false).';

/**
 * Says whether a dump holds all that Odoo needs. Only for one that others have made: what this program has dumped is as the
 * database was, whatever that lacked.
 *
 * @param name of the backup, for messages
 * @param inPlace whether it is to replace the database that it is of
 */
export function judgeParts(
  { tables, withoutRows, lost, withKeys }: DumpedTables,
  name: string,
  inPlace: boolean,
): Completeness {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const refuse = (what: string, hint = WHOLE) =>
    problems.push({ message: `${name} is not restored: ${what}`, hint });
  const missing = BASE_TABLES.filter((table) => !tables.has(table));
  const keyless = BASE_TABLES.filter((table) => tables.has(table) && !withKeys.has(table));
  if (tables.size === 0) {
    refuse('its dump makes no table, as pg_dump --data-only or --section writes it.');
  } else if (missing.length > 0) {
    refuse(
      `its dump lacks tables that each Odoo database has: ${some(missing)}. It is a part of one (pg_dump --table, --exclude-table), or of another application.`,
    );
  } else if (keyless.length === BASE_TABLES.length) {
    refuse(
      'its dump holds neither primary keys nor other constraints nor indexes, as pg_dump --section=pre-data --section=data writes it.',
    );
  } else if (keyless.length > 0) {
    warnings.push(
      `The dump has no primary key of ${some(keyless)}, as each Odoo database has: Odoo would be slow, and its next update may fail`,
    );
  }
  const others = missing.length > 0 ? [] : lost;
  if (others.length > 0 && inPlace) {
    refuse(
      `its dump lacks the tables ${some(others)}, as pg_dump --exclude-table writes it: their sequences are in it.`,
      IF_MEANT,
    );
  } else if (others.length > 0) {
    warnings.push(
      `The dump lacks the tables ${some(others)}, as pg_dump --exclude-table writes it: their sequences are in it. Odoo may fail without them`,
    );
  }
  const needed = withoutRows.filter((table) => BASE_TABLES.includes(table) && table !== ATTACHMENTS);
  const core = withoutRows.filter((table) => isCoreTable(table) && !needed.includes(table));
  if (needed.length > 0) {
    refuse(
      `its dump has no rows of ${some(needed)}, as pg_dump --exclude-table-data writes it, and Odoo cannot start.`,
    );
  }
  if (inPlace && core.length > 0) {
    refuse(
      `its dump has no rows of ${some(core)}, as pg_dump --exclude-table-data writes it, and Odoo would go on without them.`,
      IF_MEANT,
    );
  }
  const spared = withoutRows.filter((table) => !needed.includes(table) && !(inPlace && core.includes(table)));
  if (spared.length > 0) {
    warnings.push(
      `The dump has no rows of ${some(spared)}, as pg_dump --exclude-table-data writes it. If rows of other tables refer to them, it cannot be loaded`,
    );
  }
  return { problems, warnings };
}
