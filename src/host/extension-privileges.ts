import type { ExtensionPrivilege } from './extension-state.ts';
import type { Refusal } from './refusal.ts';
import { identifier } from './sql.ts';

/** What makes privileges on the objects of extensions what they were. */
export interface PrivilegeChanges {
  /** Statements, in this order. */
  readonly possible: readonly string[];
  /** On what is not there. */
  readonly impossible: readonly Refusal[];
}

/**
 * Compares the privileges of a backup with those of a database.
 *
 * @param owners of the objects that the database has, by their names. No other name of a backup gets into a statement.
 */
export function privilegeChanges(
  wanted: readonly ExtensionPrivilege[],
  found: readonly ExtensionPrivilege[],
  owners: ReadonlyMap<string, string>,
): PrivilegeChanges {
  // Whoever owns an object needs no privilege on it.
  const lacking = without(wanted, found).filter(
    ({ object, role }) => role === null || owners.get(object) !== role,
  );
  const added = without(found, wanted);
  const isPossible = ({ object, privilege }: ExtensionPrivilege) =>
    owners.has(object) && WORD.test(privilege);
  const possible = lacking.filter(isPossible);
  const changes = [
    ...added.filter(({ granted }) => granted).map(revoke),
    ...possible.filter(({ granted }) => !granted).map(revoke),
    ...possible.filter(({ granted }) => granted).map(grant),
    ...added.filter(({ granted }) => !granted).map(grant),
  ];
  return {
    possible: [...new Set(changes)],
    impossible: lacking
      .filter((each) => !isPossible(each))
      .map((each) => ({
        statement: each.granted ? grant(each) : revoke(each),
        reason: 'the extensions of this server have no such thing',
      })),
  };
}

/** `SELECT` */
const WORD = /^[A-Z]+$/;

/** Those of the first that the second has not. */
function without(
  these: readonly ExtensionPrivilege[],
  those: readonly ExtensionPrivilege[],
): ExtensionPrivilege[] {
  const keyOf = ({ object, column, privilege, role, grantable, granted }: ExtensionPrivilege) =>
    JSON.stringify([object, column, privilege, role, grantable, granted]);
  const keys = new Set(those.map(keyOf));
  return these.filter((each) => !keys.has(keyOf(each)));
}

const grant = (each: ExtensionPrivilege): string =>
  `GRANT ${what(each)} TO ${whom(each)}${each.granted && each.grantable ? ' WITH GRANT OPTION' : ''}`;

const revoke = (each: ExtensionPrivilege): string => `REVOKE ${what(each)} FROM ${whom(each)}`;

const what = ({ object, column, privilege }: ExtensionPrivilege): string =>
  `${privilege}${column === null ? '' : ` (${identifier(column)})`} ON ${object}`;

const whom = ({ role }: ExtensionPrivilege): string => (role === null ? 'PUBLIC' : identifier(role));
