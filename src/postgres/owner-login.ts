import { type Decoded, flag, object } from '../util/decode.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { catalogName } from './rows.ts';
import { queryRows } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { MAINTENANCE_DATABASE, sql } from './sql.ts';

/** The role that Odoo itself uses: from odoo.conf or its environment, whatever the input db-user says. */
export interface OdooRole {
  readonly name: string;
  /** Its password, from odoo.conf. */
  readonly password?: string;
}

const decodeRole = object({
  name: catalogName,
  superuser: flag,
  /** May make roles, replicate, or pass over row security. */
  special: flag,
  /** Whether the role that bounds the rights is a member of it, directly or not. */
  within: flag,
  /** Whether it may make things that belong to that role. */
  member: flag,
});

interface RoleFacts extends Decoded<typeof decodeRole> {}

/**
 * Finds the login that loads a dump: what is in a dump runs with the rights of the role that loads it, in CHECK
 * constraints, defaults, indexes and triggers. So it has no more rights than the owner of the database; where that is a
 * superuser, no more than the role of Odoo, which has written what is in the dump.
 *
 * `SET ROLE` is no boundary: `RESET ROLE` in a function undoes it.
 *
 * @param postgres the login that inputs and odoo.conf give
 * @throws UserError when no such login is possible
 */
export async function ownerLogin(
  postgres: Postgres,
  owner: string,
  odoo: OdooRole | undefined,
): Promise<Postgres> {
  const [isOwnerSuper, isOdooOrdinary, fitsOwner] = await Promise.all([
    isSuperRole(postgres, owner),
    isOrdinary(postgres, odoo?.name),
    fits(postgres, owner, odoo),
  ]);
  const role = (isOwnerSuper && isOdooOrdinary ? odoo?.name : undefined) ?? owner;
  if (role === owner ? fitsOwner : await fits(postgres, role, odoo)) return postgres;
  const failures: string[] = [];
  for (const name of new Set([role, ...(odoo ? [odoo.name] : [])])) {
    try {
      const password = name === odoo?.name ? odoo.password : undefined;
      const other = await postgres.asRole(name, password);
      if (await fits(other, role, odoo)) return other;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(messageOf(error).replace(/^db-admin-user: /, ''));
    }
  }
  const what = (await isSuperRole(postgres, postgres.login)) ? 'a superuser' : 'a role with other rights';
  throw new UserError(
    [
      `The dump would be loaded as ${postgres.login}, ${what}, and not as ${role}: what is in a dump runs with the rights of the role that loads it`,
      ...failures,
    ].join('\n  '),
    `Let this run log in as ${role}: set db-user to ${role} and db-password to its password (and db-admin-user to ${postgres.login}, for what only that role may); or let peer authentication work, by a line in pg_hba.conf such as: local all ${role} peer. ${postgres.at.accounts.sudoersHint([role])}`,
  );
}

/**
 * Whether a login has no more rights than a role, or is the role of Odoo itself, a member of it, without special
 * rights.
 */
async function fits(postgres: Postgres, role: string, odoo: OdooRole | undefined): Promise<boolean> {
  const facts = await rightsOf(postgres, postgres.login, role);
  if (!facts) return false;
  if (facts.name === role) return true;
  return !facts.superuser && !facts.special && (facts.within || (facts.member && facts.name === odoo?.name));
}

/** Whether a role of the server is a superuser. */
export const isSuperRole = async (postgres: Postgres, name: string): Promise<boolean> =>
  (await rightsOf(postgres, name, name))?.superuser === true;

/** Whether a login may make things that belong to another role. */
export async function mayMakeFor(postgres: Postgres, name: string): Promise<boolean> {
  const [may] = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    object({ may: flag }),
    sql`SELECT pg_catalog.pg_has_role(oid, 'MEMBER') AND NOT rolsuper AS may
          FROM pg_catalog.pg_roles WHERE rolname = ${name}`,
  );
  return may?.may === true;
}

async function isOrdinary(postgres: Postgres, name: string | undefined): Promise<boolean> {
  return name !== undefined && (await rightsOf(postgres, name, name))?.superuser === false;
}

/** @returns undefined where there is no such role */
async function rightsOf(postgres: Postgres, name: string, bound: string): Promise<RoleFacts | undefined> {
  const [facts] = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    decodeRole,
    sql`SELECT r.rolname AS name, r.rolsuper AS superuser,
            r.rolcreaterole OR r.rolreplication OR r.rolbypassrls AS special,
            coalesce((SELECT b.rolsuper OR pg_catalog.pg_has_role(b.oid, r.oid, 'MEMBER')
                        FROM pg_catalog.pg_roles b WHERE b.rolname = ${bound}), false) AS within,
            coalesce((SELECT pg_catalog.pg_has_role(r.oid, b.oid, 'MEMBER')
                        FROM pg_catalog.pg_roles b WHERE b.rolname = ${bound}), false) AS member
       FROM pg_catalog.pg_roles r WHERE r.rolname = ${name}`,
  );
  return facts;
}
