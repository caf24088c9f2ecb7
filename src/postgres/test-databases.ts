import { findDatabase } from './databases.ts';
import { isTestName, testName, timestampOf } from './derived-names.ts';
import { dropDerivedDatabase } from './drop-database.ts';
import { acquireLock, HeldLockError, type Lock } from './lock.ts';
import { ask } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { MAINTENANCE_DATABASE, sql } from './sql.ts';

/** The databases that restore tests of backups of `database` have made: they are in use, or the test was killed. */
export async function listTestDatabases(postgres: Postgres, database: string): Promise<string[]> {
  const names = await ask(
    postgres,
    MAINTENANCE_DATABASE,
    sql`SELECT datname FROM pg_database WHERE datname ~ '__test_[0-9]{14}$'`,
  );
  return names.filter((name) => isTestName(name, database)).toSorted();
}

/** An unused name for a test's database, and a lock on it: while the lock is held, no sweep drops the database. */
export async function reserveTestName(
  admin: Postgres,
  database: string,
): Promise<{ readonly name: string; readonly lock: Lock }> {
  // Tests of the same second take the seconds that follow.
  for (let at = Date.now(); ; at += 1000) {
    const name = testName(database, timestampOf(new Date(at)));
    if (await findDatabase(admin, name)) continue;
    const lock = await lockIfFree(admin, name);
    if (lock) return { name, lock };
  }
}

/** Drops what tests that were killed have left. @returns the names of what was dropped */
export async function sweepTestDatabases(admin: Postgres, database: string): Promise<string[]> {
  const dropped: string[] = [];
  for (const name of await listTestDatabases(admin, database)) {
    await using lock = await lockIfFree(admin, name);
    if (!lock) continue;
    await dropDerivedDatabase(admin, name, database);
    dropped.push(name);
  }
  return dropped;
}

/** undefined: it is in use. */
async function lockIfFree(admin: Postgres, name: string): Promise<Lock | undefined> {
  try {
    return await acquireLock(admin, name, 'restore test');
  } catch (error) {
    if (error instanceof HeldLockError) return undefined;
    throw error;
  }
}
