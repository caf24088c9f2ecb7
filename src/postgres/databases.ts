import { count, type Decoded, flag, nullable, object } from '../util/decode.ts';
import { type Derivation, parseDerivedName } from './derived-names.ts';
import { APPLICATION_NAME } from './psql.ts';
import { catalogName, longText } from './rows.ts';
import { ask, queryRows } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { list, MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';

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

/** What databases keep under whatever name: the OID of the one of this name, or of all. */
export const databaseOids = (postgres: Postgres, name?: string): Promise<string[]> =>
  ask(
    postgres,
    MAINTENANCE_DATABASE,
    sql`SELECT oid FROM pg_database WHERE ${name === undefined ? sql`true` : sql`datname = ${name}`}`,
  );

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

/** Who is connected to a database, without this program. */
export function listSessions(postgres: Postgres, database: string): Promise<SessionGroup[]> {
  return queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    decodeSessions,
    sql`SELECT usename AS role, application_name AS application, ${MAY_END} AS "mayEnd", count(*) AS count
       FROM pg_stat_activity JOIN pg_roles r ON r.oid = usesysid
      WHERE datname = ${database} AND application_name <> ${APPLICATION_NAME}
      GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2`,
  );
}

/** Ends the sessions of databases, as far as the role may. */
export const terminateSessions = (databases: readonly string[]): Sql =>
  sql`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity JOIN pg_roles r ON r.oid = usesysid
    WHERE datname IN (${list(databases)}) AND pid <> pg_backend_pid() AND ${MAY_END}`;
