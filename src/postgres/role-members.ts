import { ask } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { MAINTENANCE_DATABASE, sql } from './sql.ts';

/** The roles of the server that the login may not give things to. PostgreSQL's own roles (`pg_…`) own nothing. */
export function strangersTo(postgres: Postgres): Promise<string[]> {
  // From 16 on a member may be one without SET ROLE, which is what ALTER … OWNER TO asks for.
  const right = postgres.version.isAtLeast(16) ? 'SET' : 'MEMBER';
  return ask(
    postgres,
    MAINTENANCE_DATABASE,
    sql`SELECT rolname FROM pg_catalog.pg_roles
         WHERE rolname !~ '^pg_' AND rolname !~ '[[:cntrl:]]'
           AND NOT pg_catalog.pg_has_role(session_user, oid, ${right}) ORDER BY 1`,
  );
}
