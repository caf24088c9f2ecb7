import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { runSql } from '../../../postgres/run-sql.ts';
import type { Postgres } from '../../../postgres/server.ts';
import { identifier, MAINTENANCE_DATABASE, sql } from '../../../postgres/sql.ts';

/** A role without any rights that loads one dump. Dropped when it is disposed of. */
export interface TestRole extends AsyncDisposable {
  readonly name: string;
  readonly password: string;
}

const PREFIX = 'odoo_backup_test_';

/**
 * Makes a role for a restore test, so that what is in the dump does not run as the superuser whom the test was given.
 * Roles of tests that were killed are dropped when they have expired.
 *
 * @throws CommandError when the server refuses
 */
export async function makeTestRole(admin: Postgres): Promise<TestRole> {
  await dropExpired(admin);
  const name = `${PREFIX}${randomBytes(8).toString('hex')}`;
  const password = randomBytes(24).toString('base64url');
  const until = new Date(Date.now() + 7 * 24 * 3_600_000).toISOString();
  const create = sql`CREATE ROLE ${identifier(name)} LOGIN PASSWORD ${scramVerifier(password)} VALID UNTIL ${until}`;
  await runSql(admin, MAINTENANCE_DATABASE, create);
  return {
    name,
    password,
    async [Symbol.asyncDispose]() {
      await runSql(admin, MAINTENANCE_DATABASE, sql`DROP ROLE IF EXISTS ${identifier(name)}`);
    },
  };
}

/** Drops the expired roles whose databases are gone: of others, PostgreSQL says that they own something. */
async function dropExpired(admin: Postgres): Promise<void> {
  const expired = await runSql(
    admin,
    MAINTENANCE_DATABASE,
    sql`SELECT rolname FROM pg_catalog.pg_roles r WHERE pg_catalog.starts_with(rolname, ${PREFIX})
          AND rolvaliduntil < pg_catalog.now()
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend WHERE refobjid = r.oid)`,
  );
  for (const name of expired) {
    await runSql(admin, MAINTENANCE_DATABASE, sql`DROP ROLE IF EXISTS ${identifier(name)}`);
  }
}

/**
 * What the server keeps of a password, so that the password itself gets into none of its logs
 * (https://www.postgresql.org/docs/current/catalog-pg-authid.html).
 */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyFor = (label: string) => createHmac('sha256', salted).update(label).digest();
  const stored = createHash('sha256').update(keyFor('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${keyFor('Server Key').toString('base64')}`;
}
