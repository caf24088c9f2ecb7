import { suite } from 'node:test';
import { rollback, source, target, testCases } from '../sample-facts.ts';

suite('a preflight checks the filestore', () => {
  testCases([
    {
      title: 'a backup of the database alone',
      facts: { ...rollback, source: { ...source, filestore: undefined } },
      warnings: [/^The backup is of the database alone: the filestore stays as it is$/],
    },
    {
      title: 'filestore: false',
      facts: { ...rollback, target: { ...target, filestore: undefined } },
      warnings: [/^filestore: false: the attachments of the backup stay where they are$/],
    },
    {
      title: 'neither has one',
      facts: {
        ...rollback,
        source: { ...source, filestore: undefined },
        target: { ...target, filestore: undefined },
      },
    },
    {
      title: 'a filestore that is a mount',
      facts: { ...rollback, isFilestoreMount: true },
      problems: [/^filestore: \/var\/lib\/odoo\/filestore\/shop is a mount of its own/],
      hint: /Mount the folder above it instead, \/var\/lib\/odoo\/filestore,/,
    },
    {
      title: 'the same, where it is left alone',
      facts: { ...rollback, isFilestoreMount: true, source: { ...source, filestore: undefined } },
      warnings: [/the filestore stays as it is/],
    },
    {
      title: 'too little space',
      facts: { ...rollback, space: { problems: [{ message: 'It does not fit', hint: 'Free space.' }] } },
      problems: [/^It does not fit$/],
    },
  ]);
});
