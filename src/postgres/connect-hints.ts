import { CommandError } from '../host/host.ts';
import { flag, number, object } from '../util/decode.ts';
import { catalogName } from './rows.ts';
import { queryRows } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { identifier, MAINTENANCE_DATABASE, sql } from './sql.ts';

/**
 * Why a role that the server knows is not let into one of its databases. The server says that in its own language and
 * before there is a session that could tell the SQLSTATE: so the catalogs are asked, by the maintenance database.
 *
 * @returns what helps; undefined: nothing there is the reason, or the role is not let in there either
 */
export async function connectHint(postgres: Postgres, database: string): Promise<string | undefined> {
  const [facts] = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    object({ role: catalogName, may: flag, open: flag, full: flag, limit: number }),
    sql`SELECT session_user AS role, has_database_privilege(session_user, d.oid, 'CONNECT') AS may,
               datallowconn AS open, datconnlimit AS "limit",
               datconnlimit >= 0 AND (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid) >= datconnlimit AS full
          FROM pg_database d WHERE datname = ${database}`,
  ).catch((error: unknown) => {
    if (error instanceof CommandError) return [];
    throw error;
  });
  if (!facts) return undefined;
  const { role, may, open, full, limit } = facts;
  if (!open)
    return `The database lets nobody in: ALTER DATABASE ${identifier(database).text} ALLOW_CONNECTIONS true.`;
  if (!may)
    return `The role ${role} may not connect to it: GRANT CONNECT ON DATABASE ${identifier(database).text} TO ${identifier(role).text}.`;
  if (full) {
    return `The database takes ${limit} sessions at once, and has them: ALTER DATABASE ${identifier(database).text} CONNECTION LIMIT with a larger number.`;
  }
  return undefined;
}
