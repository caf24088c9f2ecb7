import { count, type Decoded, nullable, object, optional } from '../util/decode.ts';
import { type RefusedStatement, refusalsOf } from './refusal.ts';
import { catalogName, longText, manyOf } from './rows.ts';
import { queryRows } from './run-sql.ts';
import type { Postgres } from './server.ts';
import type { Snapshot } from './snapshot.ts';
import { identifier, MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';

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
