import { nullable, object } from '../util/decode.ts';
import type { ExtensionPrivilege } from './extensions/privileges.ts';
import { memberPrivileges } from './extensions/state.ts';
import { catalogName, longText } from './rows.ts';
import { queryRows } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { MAINTENANCE_DATABASE, sql } from './sql.ts';

/**
 * What an admin of the server has given to a database: no owner of a database can give it to himself. A restore that
 * replaces the database may give it again, whatever a backup says.
 */
export interface AdminGrants {
  readonly extensions: ReadonlySet<string>;
  readonly settings: readonly { readonly role: string | null; readonly setting: string }[];
  readonly privileges: readonly ExtensionPrivilege[];
}

export const NO_GRANTS: AdminGrants = { extensions: new Set(), settings: [], privileges: [] };

/**
 * Reads what the admin of a server has given to a database.
 *
 * @throws CommandError when the role may not connect to it
 */
export async function adminGrants(postgres: Postgres, database: string): Promise<AdminGrants> {
  const [extensions, settings, privileges] = await Promise.all([
    queryRows(
      postgres,
      database,
      object({ name: catalogName }),
      sql`SELECT extname AS name FROM pg_catalog.pg_extension`,
    ),
    queryRows(
      postgres,
      MAINTENANCE_DATABASE,
      object({ role: nullable(catalogName), setting: longText }),
      sql`SELECT r.rolname AS role, s.setting
            FROM pg_catalog.pg_db_role_setting c
              JOIN pg_catalog.pg_database d ON d.oid = c.setdatabase
              LEFT JOIN pg_catalog.pg_roles r ON r.oid = c.setrole,
            LATERAL pg_catalog.unnest(c.setconfig) AS s(setting)
           WHERE d.datname = ${database}`,
    ),
    memberPrivileges(postgres, database),
  ]);
  return { extensions: new Set(extensions.map(({ name }) => name)), settings, privileges };
}
