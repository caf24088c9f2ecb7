import { type Decoded, flag, nullable, object } from '../../util/decode.ts';
import type { RefusedStatement } from '../refusal.ts';
import { catalogName, longText, manyOf } from '../rows.ts';
import { identifier, type Sql, serverName, sql } from '../sql.ts';

export const decodePrivilege = object({
  /** As GRANT names it: `TABLE public.spatial_ref_sys`. */
  object: longText,
  /** null: on the whole object. */
  column: nullable(catalogName),
  /** `SELECT` */
  privilege: catalogName,
  /** null: PUBLIC. */
  role: nullable(catalogName),
  /** Whether it has the grant option. */
  grantable: flag,
  /** false: taken away. */
  granted: flag,
});

/** A privilege on an object of an extension that was given, or taken away, after that has made it; or on a schema. */
export interface ExtensionPrivilege extends Decoded<typeof decodePrivilege> {}

export const decodeMemberObject = object({
  object: longText,
  owner: catalogName,
  /** Privileges that everybody has on it as its extension has made it. */
  everybodys: manyOf(catalogName),
});

/** An object of an extension. */
export interface MemberObject extends Decoded<typeof decodeMemberObject> {}

/** What makes privileges on the objects of extensions what they were. */
export interface PrivilegeChanges {
  /** Statements, in this order. */
  readonly possible: readonly Sql[];
  /** On what is not there. */
  readonly impossible: readonly RefusedStatement[];
  /** What no admin gives because a backup says so. */
  readonly forbidden: readonly RefusedStatement[];
}

/** What privileges may be given without anybody gaining by a forged backup. */
export interface PrivilegeRules {
  /** The owner of the database. */
  readonly owner: string;
  /** Privileges on the database that is replaced. */
  readonly given: readonly ExtensionPrivilege[];
}

/**
 * Compares the privileges of a backup with those of a database.
 *
 * @param objects that the database has. No other name of a backup gets into a statement.
 */
export function privilegeChanges(
  wanted: readonly ExtensionPrivilege[],
  found: readonly ExtensionPrivilege[],
  objects: readonly MemberObject[],
  rules: PrivilegeRules,
): PrivilegeChanges {
  const there = new Map(objects.map((each) => [each.object, each]));
  // The owner of an object needs no privilege on it.
  const lacking = without(wanted, found).filter(
    ({ object, role }) => role === null || there.get(object)?.owner !== role,
  );
  const added = without(found, wanted).filter(({ privilege }) => PRIVILEGES.has(privilege));
  const isPossible = ({ object, privilege }: ExtensionPrivilege) =>
    there.has(object) && PRIVILEGES.has(privilege);
  const isAllowed = (each: ExtensionPrivilege) =>
    !each.granted || mayBeGiven(each, there.get(each.object), rules);
  const possible = lacking.filter((each) => isPossible(each) && isAllowed(each));
  const forbidden = lacking.filter((each) => isPossible(each) && !isAllowed(each));
  const changes = [
    ...added.filter(({ granted }) => granted).map(revoke),
    ...possible.filter(({ granted }) => !granted).map(revoke),
    ...possible.filter(({ granted }) => granted).map(grant),
    ...added.filter(({ granted }) => !granted).map(grant),
  ];
  return {
    possible: [...new Map(changes.map((change) => [change.text, change])).values()],
    impossible: lacking
      .filter((each) => !isPossible(each))
      .map((each) => ({
        statement: shown(each),
        reason: 'the extensions of this server have no such thing',
      })),
    forbidden: forbidden.map((each) => ({
      statement: grant(each).text,
      reason: 'no admin role grants it only because a backup names it; grant it by hand if it is right',
    })),
  };
}

/**
 * Rights on the rows of an extension's table, which its owner may have. TRIGGER and REFERENCES run code as the table's
 * owner.
 */
const ON_ROWS: ReadonlySet<string> = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']);

/** Whether giving a privilege gives nobody more than the owner of a database may have, or than an admin had given. */
function mayBeGiven(
  wanted: ExtensionPrivilege,
  object: MemberObject | undefined,
  { owner, given }: PrivilegeRules,
): boolean {
  if (!object) return false;
  if (without([wanted], given).length === 0) return true;
  // Everybody has it from the extension itself: to grant it to one role adds nothing.
  if (object.everybodys.includes(wanted.privilege) && !wanted.grantable) return true;
  if (wanted.role !== owner) return false;
  switch (wanted.object.split(' ', 1)[0]) {
    case 'TABLE':
      return ON_ROWS.has(wanted.privilege);
    case 'SEQUENCE':
    case 'SCHEMA':
      return true;
    default:
      return false;
  }
}

/** What can be granted on an object of an extension (https://www.postgresql.org/docs/current/ddl-priv.html). */
const PRIVILEGES: ReadonlyMap<string, Sql> = new Map(
  [
    ...[sql`SELECT`, sql`INSERT`, sql`UPDATE`, sql`DELETE`, sql`TRUNCATE`, sql`REFERENCES`, sql`TRIGGER`],
    ...[sql`MAINTAIN`, sql`USAGE`, sql`CREATE`, sql`EXECUTE`],
  ].map((privilege) => [privilege.text, privilege]),
);

/** Those of the first list that are not in the second. */
function without(
  these: readonly ExtensionPrivilege[],
  those: readonly ExtensionPrivilege[],
): ExtensionPrivilege[] {
  const keyOf = ({ object, column, privilege, role, grantable, granted }: ExtensionPrivilege) =>
    JSON.stringify([object, column, privilege, role, grantable, granted]);
  const keys = new Set(those.map(keyOf));
  return these.filter((each) => !keys.has(keyOf(each)));
}

const grant = (each: ExtensionPrivilege): Sql => {
  const option = each.granted && each.grantable ? sql` WITH GRANT OPTION` : sql``;
  return sql`GRANT ${what(each)} TO ${whom(each)}${option}`;
};

const revoke = (each: ExtensionPrivilege): Sql => sql`REVOKE ${what(each)} FROM ${whom(each)}`;

function what({ object, column, privilege }: ExtensionPrivilege): Sql {
  const word = PRIVILEGES.get(privilege);
  if (!word) throw new TypeError(`Not a privilege: ${privilege}`);
  const of = column === null ? sql`` : sql` (${identifier(column)})`;
  return sql`${word}${of} ON ${serverName(object)}`;
}

const whom = ({ role }: ExtensionPrivilege): Sql => (role === null ? sql`PUBLIC` : identifier(role));

/** What cannot be said in SQL, for people. */
const shown = ({ object, column, privilege, role, granted }: ExtensionPrivilege): string =>
  `${granted ? 'GRANT' : 'REVOKE'} ${privilege}${column === null ? '' : ` ("${column}")`} ON ${object} ${granted ? 'TO' : 'FROM'} ${role === null ? 'PUBLIC' : `"${role}"`}`;
