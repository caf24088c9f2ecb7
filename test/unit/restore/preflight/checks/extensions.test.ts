import { suite } from 'node:test';
import { rollback, testCases } from '../sample-facts.ts';

suite('a preflight checks the extensions', () => {
  testCases([
    {
      title: 'extensions that cannot be made',
      facts: {
        ...rollback,
        extensionProblems: [
          { extension: 'pg_trgm', problem: 'absent' },
          { extension: 'postgres_fdw', problem: 'refused' },
          { extension: 'vector', problem: 'admin' },
        ],
      },
      problems: [
        /^The extension pg_trgm of the backup is not installed on the database server$/,
        /^odoo does not create the extension postgres_fdw only because a backup names it/,
        /^The role odoo is not allowed to create the extension vector$/,
      ],
      hint: /such as postgresql-15-pg-trgm\.$/,
    },
    {
      title: 'unaccent that stays as it is',
      facts: { ...rollback, mayMarkUnaccent: false },
      warnings: [/^odoo may not mark unaccent IMMUTABLE, as Odoo marks it/],
    },
  ]);
});
