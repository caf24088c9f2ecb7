import { count, type Decoded, nullable, object, optional } from '../util/decode.ts';
import type { AdminGrants } from './admin-grants.ts';
import { type RefusedStatement, refusalsOf } from './refusal.ts';
import { catalogName, longText, manyOf } from './rows.ts';
import { queryRows, runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import type { Snapshot } from './snapshot.ts';
import { identifier, list, MAINTENANCE_DATABASE, qualified, type Sql, sql } from './sql.ts';

const decodeTraits = object({
  owner: catalogName,
  encoding: catalogName,
  collate: longText,
  ctype: longText,
  /** `libc`, `icu` or `builtin`; servers before 15 know libc only. */
  localeProvider: catalogName,
  locale: nullable(longText),
  /** The database's own privileges, as `pg_database.datacl` has them. */
  privileges: manyOf(longText),
  /** `ALTER DATABASE … SET`, and those for one role in this database. */
  settings: manyOf(object({ role: nullable(catalogName), setting: longText })),
  /** Sessions at once; null: no limit. Absent in older archives. */
  connectionLimit: optional(nullable(count)),
});

/** What a restore has to put back and a plain pg_dump leaves out. */
export interface DatabaseTraits extends Decoded<typeof decodeTraits> {}

const decodeExtension = object({
  name: catalogName,
  version: longText,
  schema: catalogName,
  /** The role that made it, and that owns its objects. Absent where the backup does not say. */
  owner: optional(catalogName),
});

export interface Extension extends Decoded<typeof decodeExtension> {}

const EXTENSIONS = sql`SELECT extname AS name, extversion AS version, nspname AS schema,
       pg_get_userbyid(extowner) AS owner
  FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace ORDER BY 1`;

/** The extensions of the database of a snapshot. */
export const databaseExtensions = (snapshot: Snapshot): Promise<Extension[]> =>
  snapshot.rows(decodeExtension, EXTENSIONS);

/** The extensions of a database, as a session of its own finds them. */
export const extensionsNow = (postgres: Postgres, database: string): Promise<Extension[]> =>
  queryRows(postgres, database, decodeExtension, EXTENSIONS);

/** @throws UserError when the server refuses */
export async function databaseTraits(snapshot: Snapshot): Promise<DatabaseTraits> {
  // The locale columns grew over time: datlocprovider in 15, daticulocale became datlocale in 17.
  const { version } = snapshot.postgres;
  const provider = version.isAtLeast(15)
    ? sql`CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END`
    : sql`'libc'`;
  const locale = version.isAtLeast(17)
    ? sql`datlocale`
    : version.isAtLeast(15)
      ? sql`daticulocale`
      : sql`NULL::text`;
  const [traits] = await snapshot.rows(
    decodeTraits,
    sql`SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding,
            datcollate AS collate, datctype AS ctype, ${provider} AS "localeProvider", ${locale} AS locale,
            coalesce(to_json(datacl::text[]), '[]') AS privileges,
            coalesce((SELECT json_agg(json_build_object('role', nullif(pg_get_userbyid(setrole), 'unknown (OID=0)'),
                        'setting', s)) FROM pg_db_role_setting, unnest(setconfig) s
                        WHERE setdatabase = d.oid), '[]') AS settings,
            CASE WHEN datconnlimit >= 0 THEN datconnlimit END AS "connectionLimit"
       FROM pg_database d WHERE datname = current_database()`,
  );
  if (!traits) throw new Error('pg_database has no row of the current database');
  return traits;
}

/** The logins that put back the traits of a database. */
export interface TraitsBy {
  /** The login of the owner, as far as there is one. */
  readonly app: Postgres;
  readonly admin: Postgres;
}

/**
 * Puts back who may connect to a database, which a pg_dump of it leaves out: the owner may give all of that. What
 * cannot be given, or names a role that is not there, is left out and returned.
 *
 * @param owner of the database; takes the place of its owner in the backup
 */
export async function applyPrivileges(
  { app, admin }: TraitsBy,
  database: string,
  traits: Pick<DatabaseTraits, 'owner' | 'privileges'>,
  owner: string,
): Promise<RefusedStatement[]> {
  const by = app.login === owner ? app : admin;
  return refusalsOf([by], MAINTENANCE_DATABASE, privilegeStatements(database, traits, owner));
}

/**
 * Puts back its settings and its limit of connections. From then on they hold for every session: a database that is
 * read only, or ends long statements, has to be loaded before.
 *
 * The owner's own login does it, so that PostgreSQL decides what an owner may set. An admin role sets only what is of
 * no use to an owner who would abuse it, or what an admin had set for the database that is replaced.
 *
 * @param given settings of the database that is replaced
 */
export async function applySettings(
  { app, admin }: TraitsBy,
  database: string,
  traits: Pick<DatabaseTraits, 'owner' | 'settings' | 'connectionLimit'>,
  owner: string,
  given: AdminGrants['settings'],
): Promise<RefusedStatement[]> {
  const { connectionLimit } = traits;
  const there = new Set(
    (
      await queryRows(
        app,
        MAINTENANCE_DATABASE,
        object({ name: catalogName }),
        sql`SELECT rolname AS name FROM pg_catalog.pg_roles`,
      )
    ).map(({ name }) => name),
  );
  const asOwner = app.login === owner ? [app] : [];
  const refusals: RefusedStatement[] = [];
  for (const each of traits.settings) {
    const role = each.role === traits.owner ? owner : each.role;
    const [statement] = settingStatements(database, { owner: traits.owner, settings: [each] }, owner);
    if (!statement) continue;
    const refuse = (reason: string) => refusals.push({ statement: statement.text, reason });
    if (role !== null && !there.has(role)) {
      refuse(`role "${role}" does not exist`);
      continue;
    }
    const wasGiven = given.some(({ role: whose, setting }) => whose === role && setting === each.setting);
    const isOwners = role === null || role === owner;
    const byAdmin = wasGiven || (isOwners && (await mayBeSetByAdmin(admin, each.setting)));
    const logins = [...(isOwners ? asOwner : []), ...(byAdmin ? [admin] : [])];
    if (logins.length === 0) {
      refuse(
        isOwners
          ? 'only a superuser may set it, and none does because a backup says so'
          : `a backup sets nothing for other roles than the owner of its database`,
      );
      continue;
    }
    refusals.push(...(await refusalsOf(logins, MAINTENANCE_DATABASE, [statement])));
  }
  if (connectionLimit != null) {
    const limit = connectionLimit < 0 ? sql`-1` : connectionLimit;
    const statement = sql`ALTER DATABASE ${identifier(database)} CONNECTION LIMIT ${limit}`;
    refusals.push(...(await refusalsOf([...asOwner, admin], MAINTENANCE_DATABASE, [statement])));
  }
  return refusals;
}

/** Settings that only a superuser may change, and that neither hide what an owner does nor give him anything. */
const HARMLESS_SETTINGS: ReadonlySet<string> = new Set([
  'deadlock_timeout',
  'log_lock_waits',
  'log_min_duration_statement',
  'log_temp_files',
  'track_functions',
  'track_io_timing',
]);

/** Whether an admin role may set it where the owner's login cannot: what any user may set, or one of a short list. */
async function mayBeSetByAdmin(admin: Postgres, setting: string): Promise<boolean> {
  const name = setting.slice(0, setting.indexOf('=')).toLowerCase();
  if (HARMLESS_SETTINGS.has(name)) return true;
  const query = sql`SELECT context FROM pg_catalog.pg_settings WHERE pg_catalog.lower(name) = ${name}`;
  return (await runSql(admin, MAINTENANCE_DATABASE, query))[0] === 'user';
}

/** Takes all settings of a database away, except those for single roles. @throws CommandError */
export async function resetSettings(admin: Postgres, database: string): Promise<void> {
  await runSql(admin, MAINTENANCE_DATABASE, sql`ALTER DATABASE ${identifier(database)} RESET ALL`);
}

/** Settings whose value is a list of names, each quoted by itself: those that PostgreSQL marks GUC_LIST_QUOTE. */
const NAME_LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/** `ALTER … SET` for what pg_db_role_setting holds. As pg_dumpall's makeAlterConfigCommand does. */
export function settingStatements(
  database: string,
  { owner: oldOwner, settings }: Pick<DatabaseTraits, 'owner' | 'settings'>,
  owner: string,
): Sql[] {
  return settings.map(({ role, setting }) => {
    const equals = setting.indexOf('=');
    const name = setting.slice(0, equals);
    const value = setting.slice(equals + 1);
    const whose =
      role === null
        ? sql`DATABASE ${identifier(database)}`
        : sql`ROLE ${identifier(role === oldOwner ? owner : role)} IN DATABASE ${identifier(database)}`;
    const values = NAME_LISTS.has(name.toLowerCase()) ? splitNames(value) : [value];
    // A setting of an extension has a dot in its name: two identifiers.
    return sql`ALTER ${whose} SET ${qualified(...name.split('.'))} TO ${list(values)}`;
  });
}

/** `"$user", public` → `$user`, `public` */
function splitNames(list: string): string[] {
  const names = list.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",]+))\s*(?:,|$)/g);
  const split = [...names].map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.trim());
  return split.length > 0 ? split : [''];
}

const PRIVILEGES: ReadonlyMap<string, Sql> = new Map([
  ['C', sql`CREATE`],
  ['T', sql`TEMPORARY`],
  ['c', sql`CONNECT`],
]);

/**
 * `GRANT` for what `pg_database.datacl` holds (https://www.postgresql.org/docs/current/ddl-priv.html). Empty
 * privileges are PostgreSQL's own: nothing to do.
 */
export function privilegeStatements(
  database: string,
  { owner: oldOwner, privileges }: Pick<DatabaseTraits, 'owner' | 'privileges'>,
  owner: string,
): Sql[] {
  if (privileges.length === 0) return [];
  const on = sql`ON DATABASE ${identifier(database)}`;
  const grants = privileges.flatMap((item) => {
    const [, quoted, plain = '', letters = ''] = /^(?:"((?:[^"]|"")*)"|([^"=]*))=([^/]*)/.exec(item) ?? [];
    const name = quoted?.replaceAll('""', '"') ?? plain;
    const grantee = name === '' ? sql`PUBLIC` : identifier(name === oldOwner ? owner : name);
    return [...letters.matchAll(/(.)(\*?)/g)].flatMap(([, letter = '', option]) => {
      const privilege = PRIVILEGES.get(letter);
      return privilege
        ? [sql`GRANT ${privilege} ${on} TO ${grantee}${option ? sql` WITH GRANT OPTION` : sql``}`]
        : [];
    });
  });
  return [sql`REVOKE ALL ${on} FROM PUBLIC`, ...grants];
}
