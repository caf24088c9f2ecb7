import { flag, nullable, object } from '../util/decode.ts';
import { catalogName } from './rows.ts';
import { queryRows } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { identifier, MAINTENANCE_DATABASE, sql } from './sql.ts';

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
