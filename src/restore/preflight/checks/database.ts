import { localeClauses } from '../../../postgres/create-database.ts';
import { identifier } from '../../../postgres/sql.ts';
import { type Check, problem, problemsOf } from '../check.ts';
import { sessionName } from '../findings.ts';

/** What loads a dump starts with options of its own, which a pooler refuses or forgets. */
export const isReachedDirectly: Check = ({ target: { postgres, admin } }) => {
  if (!postgres.isPooled && !admin.isPooled) return {};
  return problem(
    'PostgreSQL is reached through a connection pooler such as pgbouncer: no dump can be loaded through it',
    'Set db-host and db-port to the PostgreSQL server itself.',
  );
};

export const isPrimary: Check = ({ isStandby }) =>
  isStandby
    ? problem(
        'The PostgreSQL server is a standby, on which nothing can be written',
        'Set db-host and db-port to the primary.',
      )
    : {};

export const mayCreateDatabases: Check = ({ target: { admin }, owner, missingRights }) => {
  if (missingRights.length === 0) {
    return { passed: [`${admin.role} may create and rename databases of ${owner}`] };
  }
  const hint = 'Give the role that right, or name a role that has it in db-admin-user.';
  return { problems: missingRights.map((message) => ({ message, hint })) };
};

/** A rollback gives everything back to whom it belonged. */
export const hasRoles: Check = ({ source: { description }, request, missingRoles }) => {
  if (!request.inPlace) return {};
  if (missingRoles.length > 0) {
    return problem(
      `The backup refers to roles that do not exist on this server: ${missingRoles.join(', ')}`,
      `Create them: ${missingRoles.map((role) => `CREATE ROLE ${identifier(role).text} NOLOGIN`).join('; ')}`,
    );
  }
  const roles = description?.roles ?? [];
  return roles.length > 0 ? { passed: [`the roles of the backup are there: ${roles.join(', ')}`] } : {};
};

export const hasLocales: Check = ({ target: { admin }, traits, missingLocales }) => {
  const problems = problemsOf(() => localeClauses(traits, admin.version));
  if (missingLocales.length === 0) return { problems };
  const missing = {
    message: `The database server does not have the locale of the backup’s database: ${missingLocales.join(', ')}`,
    hint: `Generate it there, then restart PostgreSQL: locale-gen ${missingLocales.join(' ')}`,
  };
  return { problems: [...problems, missing] };
};

export const mayReplaceSlots: Check = ({ target: { database }, request: { dropSlots }, slots }) => {
  if (slots.length === 0 || dropSlots) return {};
  const names = slots.map(({ name, active }) => (active ? `${name} (in use)` : name)).join(', ');
  return problem(
    `Logical replication slots belong to the database ${database}, and go with it when it is replaced: ${names}`,
    'What reads from them has to begin anew, from the restored database. If that is right, set drop-slots: true; or drop them first: SELECT pg_drop_replication_slot(…).',
  );
};

export const mayEndSessions: Check = ({ target: { admin }, sessions }) => {
  const staying = sessions.filter(({ mayEnd }) => !mayEnd).map(sessionName);
  if (staying.length === 0) return {};
  return problem(
    `Sessions that ${admin.role} cannot terminate would block the swap: ${staying.join(', ')}`,
    'Disconnect them, or set db-admin-user to a role that may terminate their sessions.',
  );
};

export const isNotLocked: Check = ({ lock }) => (lock ? { problems: [lock] } : {});

/** A superuser loads a dump only where it owns the database: then there is nothing to gain for who made the dump. */
export const isLoadedWithoutPower: Check = ({ owner, isLoginSuperuser }) =>
  isLoginSuperuser
    ? {
        warnings: [
          `The database belongs to ${owner}, a superuser, who loads the dump: code in it could do anything on the database server. A role of its own for Odoo, without SUPERUSER, is better`,
        ],
      }
    : {};
