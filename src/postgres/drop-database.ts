import { findDatabase, terminateSessions } from './databases.ts';
import { isTemporaryName, parseDerivedName } from './derived-names.ts';
import { runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { identifier, MAINTENANCE_DATABASE, sql } from './sql.ts';
import { endWorkOn } from './unfinished-work.ts';

/**
 * Drops a database that a restore, a test of one or a rehearsal has made, even while sessions are connected to it. Does nothing when
 * it is not there. Not WITH (FORCE): that fails for an owner who is no superuser while autovacuum is at work, which a
 * plain DROP sends away.
 */
export async function dropDerivedDatabase(admin: Postgres, name: string, database: string): Promise<void> {
  if (!parseDerivedName(name, database) && !isTemporaryName(name, database))
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
