import { type ExtensionState, extensionState } from '../postgres/extensions/state.ts';
import { longText } from '../postgres/rows.ts';
import { checkSequences } from '../postgres/sequences.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import { list, type Sql, sql } from '../postgres/sql.ts';
import { type CountedTables, countTables } from '../postgres/table-counts.ts';
import {
  type DatabaseTraits,
  databaseExtensions,
  databaseTraits,
  type Extension,
} from '../postgres/traits.ts';
import { count, nullable, object } from '../util/decode.ts';
import { UserError } from '../util/errors.ts';
import { attachmentsElsewhere, type Elsewhere } from './attachments-elsewhere.ts';
import { FileList } from './file-list.ts';

/** Facts of an Odoo database, all from one snapshot. */
export interface OdooDatabase {
  readonly traits: DatabaseTraits;
  readonly extensions: readonly Extension[];
  readonly extensionState: ExtensionState;
  /** Roles that own or may use something in this database. */
  readonly roles: readonly string[];
  /** Installed modules and their versions, as in Odoo's manifest.json. */
  readonly modules: Readonly<Record<string, string>>;
  /** `17.0`, or `saas~17.2`: from the version of the module base. */
  readonly odooVersion: string;
  /** Number of rows of each table that was to be counted and exists. */
  readonly counts: Readonly<Record<string, number>>;
  /** Bytes of all tables without their indexes: the order of magnitude of a dump. */
  readonly tableBytes: number;
  /** Size of the database on the server's disk in bytes, with its indexes. */
  readonly databaseBytes: number;
  /** Names of sequences that are behind their tables, as they should not be; undefined: they were not compared. */
  readonly sequencesBehind: readonly string[] | undefined;
  readonly attachments: AttachmentFacts;
}

export interface AttachmentFacts {
  /** Number of attachments whose content is in the database. */
  readonly inDatabase: number;
  /** `ir_config_parameter` `ir_attachment.location`: `file` (the default), `db`, or another storage's scheme. */
  readonly location: string;
  readonly elsewhere: Elsewhere;
}

/** Odoo was never initialised in it. */
export class NotOdooError extends UserError {}

/**
 * @param counted the tables whose rows are counted
 * @throws NotOdooError when it is not an Odoo database
 */
export async function describeDatabase(
  snapshot: Snapshot,
  counted: CountedTables = 'core',
): Promise<OdooDatabase> {
  // Begun first: each asks twice, and the host may be far away.
  const [counting, checking] = [countTables(snapshot, counted), checkSequences(snapshot)];
  for (const begun of [counting, checking]) begun.catch(() => {}); // awaited below
  await assertOdoo(snapshot);
  const [modules, traits, extensions, extensionFacts, roles, counts, [sizes], sequences, attachments] =
    await Promise.all([
      installedModules(snapshot),
      databaseTraits(snapshot),
      databaseExtensions(snapshot),
      extensionState(snapshot),
      snapshot.lines(
        sql`SELECT DISTINCT rolname FROM pg_shdepend JOIN pg_roles r ON r.oid = refobjid
        WHERE refclassid = 'pg_authid'::regclass
          AND (dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            OR classid = 'pg_database'::regclass
              AND objid = (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 1`,
      ),
      counting,
      snapshot.rows(
        object({ tables: count, database: count }),
        sql`SELECT coalesce(sum(pg_table_size(c.oid)), 0) AS tables,
              pg_database_size(current_database()) AS database
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema')`,
      ),
      checking,
      attachmentFacts(snapshot),
    ]);
  const odooVersion = /^(?:saas~)?\d+\.\d+/.exec(modules.base ?? '')?.[0] ?? 'unknown';
  return {
    traits,
    extensions,
    extensionState: extensionFacts,
    roles,
    modules,
    odooVersion,
    counts,
    tableBytes: sizes?.tables ?? 0,
    databaseBytes: sizes?.database ?? 0,
    sequencesBehind: sequences?.behind.map(({ sequence }) => sequence),
    attachments,
  };
}

/** @throws NotOdooError when it is not an Odoo database */
export async function assertOdoo(snapshot: Snapshot): Promise<void> {
  const present = await snapshot.lines(tablesPresent(['ir_module_module', 'ir_attachment']));
  if (present.length === 2) return;
  throw new NotOdooError(
    `${snapshot.database} is not an Odoo database: it has no table ir_module_module or ir_attachment`,
    'Check the input database. A database on which Odoo was never initialised holds nothing to back up.',
  );
}

/** Query: those of the tables that are there. */
export const tablesPresent = (tables: readonly string[]): Sql =>
  sql`SELECT t FROM unnest(ARRAY[${list(tables)}]) t WHERE to_regclass('public.' || t) IS NOT NULL`;

async function installedModules(snapshot: Snapshot): Promise<Record<string, string>> {
  if (snapshot.onlyCopies) {
    const modules: [string, string][] = [];
    const columns = ['name', 'latest_version', 'state'];
    await snapshot.eachCopied(['public', 'ir_module_module'], columns, ([name, version, state]) => {
      if (state === 'installed' && name) modules.push([name, version ?? '']);
    });
    return Object.fromEntries(modules.sort());
  }
  const rows = await snapshot.rows(
    object({ name: longText, version: nullable(longText) }),
    sql`SELECT name, latest_version AS version FROM public.ir_module_module WHERE state = 'installed' AND name <> '' ORDER BY name`,
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.version ?? '']));
}

async function attachmentFacts(snapshot: Snapshot): Promise<AttachmentFacts> {
  if (snapshot.onlyCopies) return copiedAttachmentFacts(snapshot);
  const [[facts], elsewhere] = await Promise.all([
    snapshot.rows(
      object({ inDatabase: count, location: longText }),
      sql`SELECT (SELECT count(*) FROM public.ir_attachment WHERE store_fname IS NULL AND db_datas IS NOT NULL) AS "inDatabase",
              coalesce((SELECT value FROM public.ir_config_parameter WHERE key = 'ir_attachment.location'), 'file') AS location`,
    ),
    attachmentsElsewhere(snapshot),
  ]);
  return { inDatabase: facts?.inDatabase ?? 0, location: facts?.location ?? 'file', elsewhere };
}

/** The content in the database is not read for it: where there is a size and no file, it is there. */
async function copiedAttachmentFacts(snapshot: Snapshot): Promise<AttachmentFacts> {
  let inDatabase = 0;
  let location = 'file';
  const columns = ['store_fname', 'type', 'file_size'];
  await snapshot.eachCopied(['public', 'ir_attachment'], columns, ([name, type, size]) => {
    if (name === null && type === 'binary' && Number(size) > 0) inDatabase++;
  });
  await snapshot.eachCopied(['public', 'ir_config_parameter'], ['key', 'value'], ([key, value]) => {
    if (key === 'ir_attachment.location' && value) location = value;
  });
  return { inDatabase, location, elsewhere: await attachmentsElsewhere(snapshot) };
}

/** Files that attachments name, compared with those that there are. */
export interface AttachmentComparison {
  /** How many they name. */
  readonly count: number;
  /** Names of those that are not there. */
  readonly absent: readonly string[];
}

/**
 * Compares the files that attachments name with those that there are.
 * @throws UserError when it is not an Odoo database
 */
export async function compareAttachedFiles(
  snapshot: Snapshot,
  isThere: (name: string) => boolean,
): Promise<AttachmentComparison> {
  let count = 0;
  const absent: string[] = [];
  await eachAttachedFile(snapshot, (name) => {
    count += 1;
    if (!isThere(name)) absent.push(name);
  });
  return { count, absent };
}

/**
 * Files that `ir_attachment.store_fname` names, each once. The names of other storages (`s3://…`) are none.
 *
 * @param take is given each name as it comes: there may be more of them than should be held
 */
export function eachAttachedFile(snapshot: Snapshot, take: (name: string) => void): Promise<void> {
  if (snapshot.onlyCopies) {
    const names = new FileList();
    return snapshot.eachCopied(['public', 'ir_attachment'], ['store_fname'], ([name]) => {
      if (!name || name.includes('://') || names.indexOf(name) >= 0) return;
      names.add({ name, size: 0 });
      take(name);
    });
  }
  return snapshot.each(
    sql`SELECT DISTINCT store_fname FROM public.ir_attachment WHERE store_fname <> '' AND store_fname NOT LIKE '%://%'`,
    take,
  );
}
