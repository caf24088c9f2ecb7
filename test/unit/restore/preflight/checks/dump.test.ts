import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { withoutObjects } from '../../../../../src/restore/preflight/checks/dump.ts';
import { copy, loading, rights, rollback, schemaOnly, testCases, toc } from '../sample-facts.ts';

suite('a preflight checks the dump', () => {
  testCases([
    {
      title: 'a dump without rows',
      facts: loading(copy, { ...schemaOnly, list: schemaOnly.list.replace(/.*EVENT.*\n/, '') }),
      problems: [/its dump holds the tables of Odoo and not one row/],
    },
    {
      title: 'a rollback of what its loader may not make',
      facts: loading(rollback),
      problems: [
        /objects that only a superuser can create, but it is loaded as odoo: EVENT TRIGGER watcher$/,
        /things of the role stranger, and is loaded as odoo, .*: VIEW public theirs$/,
      ],
    },
    {
      title: 'a copy of it goes without',
      facts: loading(copy),
      warnings: [
        /^The copy is made without objects that only a superuser can create: EVENT TRIGGER watcher\./,
      ],
    },
    {
      title: 'what others have dumped has to be whole',
      facts: loading({ ...copy, source: { ...copy.source, description: undefined, receipt: undefined } }),
      problems: [/its dump lacks tables that each Odoo database has: ir_attachment, ir_model, /],
      warnings: [/no receipt/, /^The copy is made without objects/],
    },
    {
      title: 'no table can be left out of plain SQL',
      facts: {
        ...copy,
        source: { ...copy.source, dump: { kind: 'plain' } },
        request: { ...copy.request, skipTables: ['ir_logging'] },
      },
      problems: [/^skip-table-data: .* holds plain SQL/],
    },
    {
      title: 'a superuser may make everything',
      facts: loading(rollback, toc, { ...rights, superuser: true, strangers: [] }),
    },
  ]);

  test('a rollback leaves nothing out, a copy leaves out what its loader is not allowed to create', () => {
    assert.deepEqual(withoutObjects(loading(rollback)).superusers, []);
    const { superusers, owners } = withoutObjects(loading(copy));
    assert.deepEqual([superusers, owners.size], [['EVENT TRIGGER watcher'], 0]);
  });
});
