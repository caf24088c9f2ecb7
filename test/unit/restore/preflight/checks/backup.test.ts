import { suite } from 'node:test';
import { copy, request, rollback, source, target, testCases } from '../sample-facts.ts';

suite('a preflight checks the backup', () => {
  testCases([
    {
      title: 'a rollback to a backup of another database',
      facts: { ...rollback, source: { ...source, database: 'blog' } },
      problems: [/^The backup is of blog, and the database to roll back is shop$/],
    },
    {
      title: 'what is salvaged beside a sealed backup, which has no receipt that says so',
      facts: {
        ...rollback,
        source: { ...source, isSealed: true, receipt: undefined },
        request: { ...request, salvage: true },
      },
      problems: [/^salvage: the backup is sealed/],
      warnings: [/has no receipt/],
    },
    {
      title: 'a rollback to a backup of nobody knows what',
      facts: { ...rollback, source: { ...source, database: undefined } },
      warnings: [/does not say which database it is of$/],
    },
    {
      title: 'a copy of a backup of another database',
      facts: { ...copy, source: { ...source, database: 'blog' } },
      problems: [/^database: the backup is of blog, and not of shop$/],
    },
    {
      title: 'a copy of whichever backup',
      facts: { ...copy, request: { ...copy.request, source: undefined } },
    },
    {
      title: 'a copy of a backup of nobody knows what',
      facts: { ...copy, source: { ...source, database: undefined } },
    },
    {
      title: 'a copy under the name of a database that is there',
      facts: { ...copy, target: { ...copy.target, current: { bytes: 3 * 1024 ** 2 } } },
      problems: [/^target-database: copy is there already, with 3\.0 MiB$/],
      hint: /replace: true/,
    },
    {
      title: 'the same, where nobody may see its size',
      facts: { ...copy, target: { ...copy.target, current: { bytes: null } } },
      problems: [/^target-database: copy is there already, with data$/],
    },
    {
      title: 'a copy whose filestore is there without its database',
      facts: { ...copy, target: { ...copy.target, filestore: { path: '/f/copy', exists: true } } },
      problems: [/there is no database copy, but its filestore is there already: \/f\/copy$/],
    },
    {
      title: 'the same, of a backup of the database alone',
      facts: {
        ...copy,
        source: { ...source, filestore: undefined },
        target: { ...copy.target, filestore: { path: '/f/copy', exists: true } },
      },
      warnings: [/the filestore stays as it is$/],
    },
    {
      title: 'a copy that may replace what is there',
      facts: {
        ...copy,
        request: { ...copy.request, replace: true },
        target: { ...copy.target, current: { bytes: 1 } },
      },
    },
    {
      title: 'a neutralized copy in the place of its original',
      facts: {
        ...copy,
        request: { ...copy.request, replace: true, neutralize: true },
        target,
        hasProgram: true,
      },
      warnings: [/^shop has the same name as the backed-up database, and will be neutralized/],
    },
    {
      title: 'no receipt',
      facts: { ...rollback, source: { ...source, receipt: undefined } },
      warnings: [/^The backup has no receipt: .* \(allow-unverified\)$/],
    },
    {
      title: 'a backup of a newer server',
      facts: {
        ...rollback,
        source: { ...source, description: { postgres: { server: '16.1', owner: 'odoo' }, roles: [] } },
      },
      problems: [/^The backup is of PostgreSQL 16, and the host has 15\.18: dumps do not go to an older/],
    },
    {
      title: 'the same, by its receipt alone',
      facts: {
        ...rollback,
        source: { ...source, description: undefined, receipt: { postgres: { server: '99beta1' } } },
      },
      problems: [/^The backup is of PostgreSQL 99,/],
    },
  ]);
});
