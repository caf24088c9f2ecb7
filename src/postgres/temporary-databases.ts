import { findDatabase } from './databases.ts';
import { derivedName, type Temporary, temporaryTimestamp, timestampOf } from './derived-names.ts';
import { dropDerivedDatabase } from './drop-database.ts';
import { acquireLock, HeldLockError, type Lock } from './lock.ts';
import { ask } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';

/**
 * The temporary databases that runs have made of `database`, as far as this role may drop them: they are in use, or the run
 * was killed.
 */
export async function listTemporaryDatabases(
  postgres: Postgres,
  database: string,
  kind: Temporary,
): Promise<string[]> {
  const names = await ask(
    postgres,
    MAINTENANCE_DATABASE,
    sql`SELECT datname FROM pg_database WHERE datname ~ '__(test|rehearsal)_[0-9]{14}$'
        AND pg_has_role(datdba, 'MEMBER') AND ${kind === 'rehearsal' ? isOfOwner(database) : sql`true`}`,
  );
  return names.filter((name) => temporaryTimestamp(name, database, kind) !== undefined).toSorted();
}

/**
 * Any role that may create databases on the server could give one such a name: a copy belongs to a superuser while it is
 * created, and then to the owner of the one that it is a copy of.
 */
const isOfOwner = (database: string): Sql =>
  sql`((SELECT rolsuper FROM pg_roles r WHERE r.oid = datdba)
    OR datdba IN (SELECT datdba FROM pg_database WHERE datname = ${database})
    OR NOT EXISTS (SELECT FROM pg_database WHERE datname = ${database}))`;

/** A name that is kept for one run. */
export interface ReservedName {
  readonly name: string;
  /** YYYYMMDDHHMMSS, UTC: the end of the name. */
  readonly timestamp: string;
  /** While it is held, no sweep drops the database. */
  readonly lock: Lock;
}

/** An unused name for a temporary database, and a lock on it. */
export async function reserveName(admin: Postgres, database: string, kind: Temporary): Promise<ReservedName> {
  // Runs of the same second take the seconds that follow.
  for (let at = Date.now(); ; at += 1000) {
    const timestamp = timestampOf(new Date(at));
    const name = derivedName(database, kind, timestamp);
    if (await findDatabase(admin, name)) continue;
    const lock = await lockIfFree(admin, name, kind);
    if (lock) return { name, timestamp, lock };
  }
}

/** Drops what restore tests that were killed have left. @returns the names of what was dropped */
export async function sweepTestDatabases(admin: Postgres, database: string): Promise<string[]> {
  const dropped: string[] = [];
  for (const name of await listTemporaryDatabases(admin, database, 'test')) {
    await using lock = await lockIfFree(admin, name, 'test');
    if (!lock) continue;
    await dropDerivedDatabase(admin, name, database);
    dropped.push(name);
  }
  return dropped;
}

const purposes: Readonly<Record<Temporary, string>> = { test: 'restore test', rehearsal: 'rehearsal' };

/** The lock of a temporary name; undefined: it is in use. */
export async function lockIfFree(admin: Postgres, name: string, kind: Temporary): Promise<Lock | undefined> {
  try {
    return await acquireLock(admin, name, purposes[kind]);
  } catch (error) {
    if (error instanceof HeldLockError) return undefined;
    throw error;
  }
}
