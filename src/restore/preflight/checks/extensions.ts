import { type ExtensionProblem, packageOf } from '../../../postgres/extensions/create.ts';
import type { Problem } from '../../problem.ts';
import type { Check } from '../check.ts';
import type { PreflightFacts } from '../facts.ts';

export const mayCreateExtensions: Check = (facts) => {
  const { extensions, extensionProblems } = facts;
  if (extensionProblems.length > 0) {
    return { problems: extensionProblems.map((each) => described(each, facts)) };
  }
  const names = extensions.map(({ name }) => name).filter((name) => name !== 'plpgsql');
  return names.length > 0 ? { passed: [`its extensions can be made: ${names.join(', ')}`] } : {};
};

function described({ extension, problem }: ExtensionProblem, { login, target }: PreflightFacts): Problem {
  const { admin, database } = target;
  switch (problem) {
    case 'absent':
      return {
        message: `The extension ${extension} of the backup is not installed on the database server`,
        hint: `Install its package there, such as ${packageOf(extension, login.version.major)}.`,
      };
    case 'refused':
      return {
        message: `${admin.role} does not create the extension ${extension} only because a backup names it: it can give the owner of a database access beyond the database`,
        hint: `If it is right, let an admin create it beforehand in the database that is replaced: CREATE DATABASE ${database} (where there is none; then set replace: true for the command restore), and in it CREATE EXTENSION ${extension}.`,
      };
    case 'admin':
      return {
        message: `The role ${admin.role} is not allowed to create the extension ${extension}`,
        hint: 'Name a superuser in db-admin-user.',
      };
  }
}

export const mayMarkUnaccent: Check = ({ target: { admin }, mayMarkUnaccent }) =>
  mayMarkUnaccent
    ? {}
    : {
        warnings: [
          `${admin.role} may not mark unaccent IMMUTABLE, as Odoo marks it: if the backup has an index on it, that cannot be restored. A superuser may: db-admin-user`,
        ],
      };
