import { CommandError } from './host.ts';
import type { DatabaseTraits } from './odoo-database.ts';
import type { Postgres } from './postgres.ts';
import type { Refusal } from './refusal.ts';
import { runSql } from './run-sql.ts';
import { identifier, list, MAINTENANCE_DATABASE, qualified, type Sql, sql } from './sql.ts';

/**
 * Puts back who may connect to a database, which a pg_dump of it leaves out. What the role may not grant, or names a role
 * that is not there, is left out and returned.
 *
 * @param owner of the database; takes the place of its owner in the backup
 */
export const applyPrivileges = (
  admin: Postgres,
  database: string,
  traits: Pick<DatabaseTraits, 'owner' | 'privileges'>,
  owner: string,
): Promise<Refusal[]> => applyAll(admin, privilegeStatements(database, traits, owner));

/**
 * Puts back its settings and its limit of connections, likewise. From then on they hold for whoever connects: a database
 * that is read only, or ends long statements, is to be loaded before.
 */
export const applySettings = (
  admin: Postgres,
  database: string,
  traits: Pick<DatabaseTraits, 'owner' | 'settings' | 'connectionLimit'>,
  owner: string,
): Promise<Refusal[]> => {
  const { connectionLimit } = traits;
  const limit =
    connectionLimit == null
      ? []
      : [
          sql`ALTER DATABASE ${identifier(database)} CONNECTION LIMIT ${connectionLimit < 0 ? sql`-1` : connectionLimit}`,
        ];
  return applyAll(admin, [...settingStatements(database, traits, owner), ...limit]);
};

async function applyAll(admin: Postgres, statements: readonly Sql[]): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  for (const statement of statements) {
    try {
      await runSql(admin, MAINTENANCE_DATABASE, statement);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      refusals.push({ statement: statement.text, reason: error.exit.stderr });
    }
  }
  return refusals;
}

/** Takes all settings of a database away, those for single roles apart. @throws CommandError */
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
