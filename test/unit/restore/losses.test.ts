import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ModelChanges } from '../../../src/odoo/changes-since.ts';
import { type Losses, lossTable, lossText, withoutCommonStart } from '../../../src/restore/losses.ts';

const now = new Date('2026-11-21T12:00:00Z');
const nothing: Losses & { known: true } = {
  known: true,
  models: [],
  technical: 0,
  numbers: [],
  logins: [],
  visitors: 0,
  mails: 0,
  lastAt: undefined,
  unseen: [],
  unread: [],
};
const contacts: ModelChanges = {
  model: 'res.partner',
  label: 'Contact',
  created: 4,
  changed: 2,
  deleted: 1,
  atLeast: false,
};
const invoices: ModelChanges = {
  model: 'account.move',
  label: 'Journal Entry',
  created: 37,
  changed: undefined,
  deleted: undefined,
  atLeast: true,
};

suite('what a rollback takes away, in words', () => {
  for (const [what, losses, text] of [
    ['nothing', nothing, 'nothing that people enter'],
    ['not known', { known: false, because: 'it is broken' }, 'not known: it is broken'],
    [
      'technical records alone',
      { ...nothing, technical: 3 },
      'nothing that people enter; 3 technical records',
    ],
    [
      'documents, records, people',
      {
        ...nothing,
        models: [invoices, contacts],
        numbers: [{ kind: 'customer invoices', count: 37, first: 'INV/2026/00412', last: 'INV/2026/00448' }],
        logins: ['admin', 'demo'],
        visitors: 1,
        mails: 2,
        lastAt: new Date('2026-11-21T11:57:00Z'),
        unseen: ['Stock Move'],
      },
      '37 customer invoices (INV/2026/00412 to 00448); Contact: 4 created, 2 changed, 1 deleted; 2 messages sent by e-mail; 1 person logged in; by admin, demo; last entry 3 minutes ago; not all was looked at: Stock Move',
    ],
    [
      'records without the people, for whom there was no time',
      { ...nothing, models: [contacts], logins: undefined },
      'Contact: 4 created, 2 changed, 1 deleted; by whom is not known',
    ],
    [
      'journal entries without a number are told as records',
      { ...nothing, models: [invoices] },
      'Journal Entry: at least 37 created',
    ],
    [
      'more models than a line names',
      {
        ...nothing,
        models: Array.from({ length: 8 }, (_, i) => ({
          ...contacts,
          label: `Model ${i}`,
          changed: 0,
          deleted: 0,
        })),
      },
      'Model 0: 4 created; Model 1: 4 created; Model 2: 4 created; Model 3: 4 created; Model 4: 4 created; Model 5: 4 created; and 2 other models',
    ],
  ] as [string, Losses, string][]) {
    test(what, () => assert.equal(lossText(losses, now), text));
  }

  for (const [first, last, shown] of [
    ['INV/2026/00412', 'INV/2026/00448', '00448'],
    ['S00012', 'S00013', '00013'],
    ['INV/2026/00412', 'INV/2027/00001', 'INV/2027/00001'],
    ['draft', 'draft too', 'draft too'],
  ] as const) {
    test(`${first} to ${last}`, () => assert.equal(withoutCommonStart(first, last), shown));
  }

  test('the table of a summary says what was not counted', () => {
    const [table] = lossTable({ ...nothing, models: [invoices, contacts] });
    assert.deepEqual(table?.kind === 'table' && table.rows, [
      ['Journal Entry', '≥ 37', '–', '–'],
      ['Contact', '4', '2', '1'],
    ]);
    assert.deepEqual(lossTable(nothing), []);
  });
});
