import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { count, type Decoded, flag, nullable, object } from '../util/decode.ts';
import { UserError } from '../util/errors.ts';
import { type Derivation, isTestName, parseDerivedName } from './derived-names.ts';
import { catalogName, longText } from './rows.ts';
import { queryRows, runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { identifier, join, list, MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';
import { LOCALE_REFUSED, SqlError } from './sql-error.ts';
import type { DatabaseTraits } from './traits.ts';
import { settingStatements } from './traits.ts';
import type { PgVersion } from './version.ts';

/** What a database must be created with: all that cannot be changed later. */
export type CreationTraits = Pick<
  DatabaseTraits,
  'encoding' | 'collate' | 'ctype' | 'localeProvider' | 'locale'
>;

const decodeState = object({
  name: catalogName,
  owner: catalogName,
  tablespace: catalogName,
  allowsConnections: flag,
  /** null: this role may not connect to it, and so may not know. */
  bytes: nullable(count),
  comment: nullable(longText),
  /** Its DROP was cut: it takes no connection and no ALTER DATABASE any more, only another DROP. */
  isBroken: flag,
});

/** A database of the server, as everybody may see it. */
export interface DatabaseState extends Decoded<typeof decodeState> {}

/** Size in bytes of a database of `pg_database d`; null: this role may not connect to it, and so may not know. */
const BYTES = sql`CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) END`;

/** DATCONNLIMIT_INVALID_DB (https://www.postgresql.org/docs/current/catalog-pg-database.html). */
const IS_BROKEN = sql`datconnlimit = -2`;

/** @returns undefined when there is no database of that name */
export async function findDatabase(postgres: Postgres, name: string): Promise<DatabaseState | undefined> {
  const [state] = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    decodeState,
    sql`SELECT datname AS name, pg_get_userbyid(datdba) AS owner, spcname AS tablespace,
            datallowconn AS "allowsConnections",
            ${BYTES} AS bytes, shobj_description(d.oid, 'pg_database') AS comment, ${IS_BROKEN} AS "isBroken"
       FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = ${name}`,
  );
  return state;
}

const decodeDerived = object({
  name: catalogName,
  comment: nullable(longText),
  /** Size in bytes; null: this role may not know it. */
  bytes: nullable(count),
  /** Its DROP was cut. */
  isBroken: flag,
});

/** A database that this run, or an earlier one that was killed, has made beside the one of its name. */
export interface DerivedDatabase extends Decoded<typeof decodeDerived> {
  readonly derivation: Derivation;
  /** Time of that run: YYYYMMDDHHMMSS, UTC. */
  readonly timestamp: string;
}

/**
 * The databases that restores of `database` have left, the oldest first. Any role that may create databases on the
 * server could give one such a name: it counts only where it belongs to a superuser or to the owner of the one it is
 * named after.
 */
export async function listDerivedDatabases(postgres: Postgres, database: string): Promise<DerivedDatabase[]> {
  const rows = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    decodeDerived,
    sql`SELECT datname AS name, shobj_description(d.oid, 'pg_database') AS comment, ${BYTES} AS bytes,
            ${IS_BROKEN} AS "isBroken" FROM pg_database d
      WHERE datname ~ '__(new|old)_[0-9]{14}$'
        AND ((SELECT rolsuper FROM pg_roles r WHERE r.oid = datdba)
          OR datdba IN (SELECT datdba FROM pg_database WHERE datname = ${database})
          OR NOT EXISTS (SELECT FROM pg_database WHERE datname = ${database}))`,
  );
  return rows
    .flatMap((row) => {
      const parsed = parseDerivedName(row.name, database);
      return parsed ? [{ ...row, ...parsed }] : [];
    })
    .toSorted((a, b) => a.timestamp.localeCompare(b.timestamp));
}

const decodeSessions = object({
  role: catalogName,
  /** As the client calls itself; may be empty. */
  application: catalogName,
  /** false: their sessions would hold up a swap; an admin role may end them. */
  mayEnd: flag,
  count,
});

/** Sessions of one role and application that are connected to a database. */
export interface SessionGroup extends Decoded<typeof decodeSessions> {}

/** Whether this login may end the session of a row of pg_stat_activity. */
const MAY_END = sql`(pg_has_role(usesysid, 'MEMBER') OR NOT rolsuper AND pg_has_role('pg_signal_backend', 'MEMBER'))`;

export function listSessions(postgres: Postgres, database: string): Promise<SessionGroup[]> {
  return queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    decodeSessions,
    sql`SELECT usename AS role, application_name AS application, ${MAY_END} AS "mayEnd", count(*) AS count
       FROM pg_stat_activity JOIN pg_roles r ON r.oid = usesysid
      WHERE datname = ${database} AND pid <> pg_backend_pid()
      GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2`,
  );
}

/**
 * Creates an empty database. It is marked as a template until it is swapped in: Odoo offers every database of its
 * role that is no template (`odoo.service.db.list_dbs`) and runs the crons of each; a copy being built must not be
 * among them.
 *
 * What a superuser creates stays the superuser's, and lets nobody else in, until `handOver`: its owner, or a role that
 * may create objects in `public`, could otherwise put names there which the scripts of extensions then take for
 * PostgreSQL's. A limit of connections alone would not do, for an owner may lift it.
 *
 * @param tablespace of the database that it will take the place of
 * @throws UserError when the server cannot make one with these traits, or the role may not
 */
export async function createDatabase(
  admin: Postgres,
  name: string,
  owner: string,
  traits: CreationTraits,
  tablespace = 'pg_default',
): Promise<void> {
  // Naming even the default one takes a right that few roles have.
  const inTablespace = tablespace === 'pg_default' ? sql`` : sql`TABLESPACE ${identifier(tablespace)}`;
  const access = (await isSuperuser(admin)) ? sql`CONNECTION LIMIT 0` : sql`OWNER ${identifier(owner)}`;
  const statement = sql`CREATE DATABASE ${identifier(name)} TEMPLATE template0
    ${localeClauses(traits, admin.version)} ${inTablespace} IS_TEMPLATE true ${access}`;
  try {
    await runSql(admin, MAINTENANCE_DATABASE, signed(name), statement);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const { encoding, collate, ctype, locale } = traits;
    const locales = [...new Set([collate, ctype, locale])].filter((each) => each !== null).join(', ');
    throw new UserError(
      `PostgreSQL cannot create ${name} (${encoding}, ${locales}): ${error.exit.stderr}`,
      LOCALE_REFUSED.has(error.sqlState)
        ? `Generate the locale on the host, then restart PostgreSQL: locale-gen ${collate}`
        : 'The role needs CREATEDB, and membership of the owner’s role; or name one that has them in db-admin-user.',
      { cause: error },
    );
  }
}

/** Gives a database that a superuser has created to its owner, and lets others in. @throws SqlError */
export async function handOver(admin: Postgres, name: string, owner: string): Promise<void> {
  if (!(await isSuperuser(admin))) return;
  await runSql(
    admin,
    MAINTENANCE_DATABASE,
    sql`ALTER DATABASE ${identifier(name)} OWNER TO ${identifier(owner)}`,
    sql`ALTER DATABASE ${identifier(name)} CONNECTION LIMIT -1`,
  );
}

/** Whether the role that logs in is a superuser. */
export async function isSuperuser(postgres: Postgres): Promise<boolean> {
  const query = sql`SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user`;
  return (await runSql(postgres, MAINTENANCE_DATABASE, query))[0] === 't';
}

/**
 * The traits in the words of a server (https://www.postgresql.org/docs/current/sql-createdatabase.html).
 *
 * @param version of the server
 * @throws UserError when that has no such locale provider yet
 */
export function localeClauses(traits: CreationTraits, version: PgVersion): Sql {
  const { encoding, collate, ctype, localeProvider, locale } = traits;
  const clauses = [sql`ENCODING ${encoding}`, sql`LC_COLLATE ${collate}`, sql`LC_CTYPE ${ctype}`];
  const provider = LOCALE_PROVIDERS.get(localeProvider);
  if (!provider) {
    throw new UserError(
      `The backup’s database sorts by a locale provider that PostgreSQL does not have: ${JSON.stringify(localeProvider)}`,
      `PostgreSQL has ${[...LOCALE_PROVIDERS.keys()].join(', ')}. A backup of this program names one of them: choose another backup.`,
    );
  }
  const { since, name, locale: own } = provider;
  if (own) {
    if (!version.isAtLeast(since)) {
      throw new UserError(
        `The backup’s database sorts by locale provider ${localeProvider}, which PostgreSQL has from ${since} on`,
        `Restore it to a server of PostgreSQL ${since} or newer.`,
      );
    }
    clauses.push(sql`LOCALE_PROVIDER ${name}`);
    if (locale !== null) clauses.push(sql`${own} ${locale}`);
  } else if (version.isAtLeast(since)) {
    clauses.push(sql`LOCALE_PROVIDER ${name}`);
  }
  return join(clauses, sql` `);
}

interface LocaleProvider {
  readonly name: Sql;
  /** The major version of PostgreSQL that has it by name. */
  readonly since: number;
  /** The clause that names its locale, where that is another than LC_COLLATE. */
  readonly locale?: Sql;
}

const LOCALE_PROVIDERS: ReadonlyMap<string, LocaleProvider> = new Map([
  ['libc', { name: sql`libc`, since: 15 }],
  ['icu', { name: sql`icu`, since: 15, locale: sql`ICU_LOCALE` }],
  ['builtin', { name: sql`builtin`, since: 17, locale: sql`BUILTIN_LOCALE` }],
]);

/** Statement: has the session say which new database it works for, so that `endWorkOn` finds it. */
export const signed = (newName: string): Sql => sql`SET application_name TO ${signature(newName)}`;

/** PostgreSQL keeps of an application_name what is ASCII. */
const signature = (newName: string): string =>
  `odoo-backup ${createHash('sha256').update(newName).digest('hex').slice(0, 16)}`;

/** How long a session takes to end, at most. */
const ENDING_MS = 10_000;

/**
 * Ends what a connection that broke has left at work on a new database: psql there continues with what it was given,
 * and would create or rename the database after the undo. Does nothing where no such session is left.
 *
 * @throws UserError when somebody does not end
 */
export async function endWorkOn(admin: Postgres, newName: string): Promise<void> {
  const sessions = sql`FROM pg_stat_activity
    WHERE application_name = ${signature(newName)} AND usename = current_user AND pid <> pg_backend_pid()`;
  for (const until = Date.now() + ENDING_MS; ; await sleep(50)) {
    const [left] = await runSql(
      admin,
      MAINTENANCE_DATABASE,
      sql`SELECT count(pg_terminate_backend(pid)) ${sessions}`,
    );
    if (left === '0') return;
    if (Date.now() < until) continue;
    throw new UserError(
      `A session that creates or renames ${newName} does not end`,
      `End it by hand: pg_stat_activity has it, with the application_name ${signature(newName)}.`,
    );
  }
}

/**
 * Drops a database that a restore or a test of one has made, even while sessions are connected to it. Does nothing when
 * it is not there. Not WITH (FORCE): that fails for an owner who is no superuser while autovacuum is at work, which a
 * plain DROP sends away.
 */
export async function dropDerivedDatabase(admin: Postgres, name: string, database: string): Promise<void> {
  if (!parseDerivedName(name, database) && !isTestName(name, database))
    throw new TypeError(`Not derived from ${database}: ${name}`);
  await endWorkOn(admin, name);
  const state = await findDatabase(admin, name);
  if (!state) return;
  await runSql(
    admin,
    MAINTENANCE_DATABASE,
    ...(state.isBroken
      ? []
      : [
          sql`ALTER DATABASE ${identifier(name)} IS_TEMPLATE false`, // PostgreSQL drops no template
          sql`ALTER DATABASE ${identifier(name)} ALLOW_CONNECTIONS false`,
          terminateSessions([name]),
        ]),
    sql`DROP DATABASE IF EXISTS ${identifier(name)}`,
  );
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

/** Ends the sessions of databases, as far as the role may. */
export const terminateSessions = (databases: readonly string[]): Sql =>
  sql`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity JOIN pg_roles r ON r.oid = usesysid
    WHERE datname IN (${list(databases)}) AND pid <> pg_backend_pid() AND ${MAY_END}`;

/** What a restore is about to do and its role may not, each with the statement that lets it; read only. */
export async function missingRights(admin: Postgres, owner: string, database: string): Promise<string[]> {
  const [rights] = await queryRows(
    admin,
    MAINTENANCE_DATABASE,
    object({ role: catalogName, creates: flag, exists: flag, owns: flag, stranger: nullable(catalogName) }),
    sql`SELECT current_user AS role, rolcreatedb OR rolsuper AS creates,
            EXISTS (SELECT FROM pg_roles WHERE rolname = ${owner}) AS exists,
            EXISTS (SELECT FROM pg_roles o WHERE o.rolname = ${owner}
              AND pg_has_role(o.oid, 'MEMBER')) AS owns,
            (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = ${database}
              AND NOT pg_has_role(datdba, 'MEMBER')) AS stranger
       FROM pg_roles WHERE rolname = current_user`,
  );
  if (!rights) throw new Error('pg_roles has no row of the current role');
  const { role, creates, exists, owns, stranger } = rights;
  const joins = (other: string) => `GRANT ${identifier(other).text} TO ${identifier(role).text}`;
  return [
    ...(creates ? [] : [`${role} may not create databases: ALTER ROLE ${identifier(role).text} CREATEDB`]),
    ...(exists ? [] : [`There is no role ${owner}: CREATE ROLE ${identifier(owner).text} LOGIN`]),
    ...(owns || !exists ? [] : [`${role} may not create databases that belong to ${owner}: ${joins(owner)}`]),
    ...(stranger === null
      ? []
      : [`${role} may not rename ${database}, which belongs to ${stranger}: ${joins(stranger)}`]),
  ];
}

/**
 * The locales of a database that the server's machine does not have, read only. Setting a locale shows whether it
 * exists.
 */
export async function missingLocales(
  postgres: Postgres,
  { collate, ctype }: Pick<CreationTraits, 'collate' | 'ctype'>,
): Promise<string[]> {
  const missing: string[] = [];
  for (const locale of new Set([collate, ctype])) {
    try {
      await runSql(postgres, MAINTENANCE_DATABASE, sql`SET lc_monetary TO ${locale}`);
    } catch (error) {
      if (!(error instanceof SqlError && LOCALE_REFUSED.has(error.sqlState))) throw error;
      missing.push(locale);
    }
  }
  return missing;
}

/** The given roles that the server does not have: granting to one of them fails a restore. */
export async function missingRoles(postgres: Postgres, roles: readonly string[]): Promise<string[]> {
  const present = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    object({ name: catalogName }),
    sql`SELECT rolname AS name FROM pg_roles`,
  );
  const names = new Set(present.map(({ name }) => name));
  return roles.filter((role) => !names.has(role));
}
