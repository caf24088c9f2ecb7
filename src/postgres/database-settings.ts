import { object } from '../util/decode.ts';
import type { AdminGrants } from './admin-grants.ts';
import { type RefusedStatement, refusalsOf } from './refusal.ts';
import { catalogName } from './rows.ts';
import { queryRows, runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { identifier, list, MAINTENANCE_DATABASE, qualified, type Sql, sql } from './sql.ts';
import type { DatabaseTraits, TraitsBy } from './traits.ts';

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
  { owner, given }: { readonly owner: string; readonly given: AdminGrants['settings'] },
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
          ? 'only a superuser may set it, and none does so only because a backup names it'
          : `a backup may only change settings of the role that owns its database`,
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

/**
 * Extensions such as PostGIS's topology add their schema to the search_path of their database: to the one of the
 * session that makes them, which is ours. The usual one takes its place.
 */
export async function completeSearchPath(admin: Postgres, database: string): Promise<void> {
  const [added] = await runSql(
    admin,
    MAINTENANCE_DATABASE,
    sql`SELECT regexp_replace(s, ${OUR_PATH}, '') FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase,
      unnest(setconfig) s WHERE datname = ${database} AND setrole = 0 AND s ~ ${OUR_PATH}`,
  );
  if (added === undefined) return;
  const setting = `search_path="$user", public, ${added}`;
  const settings = [{ role: null, setting }];
  const statements = settingStatements(database, { owner: '', settings }, '');
  await runSql(admin, MAINTENANCE_DATABASE, ...statements);
}

const OUR_PATH = '^search_path=pg_catalog, (public, )?pg_temp, ';
