import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { DerivedFolder } from '../../../src/odoo/folder-swap.ts';
import type { DerivedDatabase } from '../../../src/postgres/databases.ts';
import { isInterrupted, type Leftovers, sortLeftovers } from '../../../src/restore/leftovers/leftovers.ts';
import { markOf, PLACED, parseMark } from '../../../src/restore/leftovers/marks.ts';

const now = new Date('2026-11-21T12:00:00Z');
const [early, late] = ['20261101000000', '20261120000000'] as const;

const built = (timestamp: string): DerivedDatabase => ({
  name: `prod__new_${timestamp}`,
  derivation: 'new',
  timestamp,
  comment: null,
});
const replaced = (timestamp: string, comment: string | null): DerivedDatabase => ({
  name: `prod__old_${timestamp}`,
  derivation: 'old',
  timestamp,
  comment,
});
const folder = (derivation: 'new' | 'old', timestamp: string): DerivedFolder => ({
  path: `/srv/filestore/prod__${derivation}_${timestamp}`,
  derivation,
  timestamp,
});
const settled = markOf('until-healthy', now, null);
const pair = (timestamp: string, withFolder = true, comment: string | null = null) => ({
  timestamp,
  database: `prod__old_${timestamp}`,
  comment,
  folder: withFolder ? `/srv/filestore/prod__old_${timestamp}` : undefined,
});

const nothing: Leftovers = {
  halfSwapped: [],
  placed: [],
  unused: { databases: [], folders: [] },
  unsettled: [],
  expired: [],
  kept: [],
};

suite('what restores have left', () => {
  const cases: [
    what: string,
    databases: DerivedDatabase[],
    folders: DerivedFolder[],
    found: Partial<Leftovers>,
  ][] = [
    ['nothing', [], [], {}],
    [
      'killed while it loaded',
      [built(late)],
      [],
      { unused: { databases: [`prod__new_${late}`], folders: [] } },
    ],
    [
      'a filestore whose database was gone before the restore',
      [],
      [folder('old', late)],
      { kept: [{ database: undefined, folder: `/srv/filestore/prod__old_${late}` }] },
    ],
    [
      'killed while it built the filestore',
      [built(late)],
      [folder('new', late)],
      { unused: { databases: [`prod__new_${late}`], folders: [`/srv/filestore/prod__new_${late}`] } },
    ],
    [
      'killed before the database of a new name came to its filestore',
      [{ ...built(late), comment: PLACED }],
      [],
      {
        placed: [{ timestamp: late, replaced: undefined }],
        unused: { databases: [`prod__new_${late}`], folders: [] },
      },
    ],
    [
      'likewise, where the filestore has replaced one without a database',
      [{ ...built(late), comment: PLACED }],
      [folder('old', late)],
      {
        placed: [{ timestamp: late, replaced: `/srv/filestore/prod__old_${late}` }],
        unused: { databases: [`prod__new_${late}`], folders: [] },
      },
    ],
    [
      'killed before the filestore of a new name was put in place',
      [{ ...built(late), comment: PLACED }],
      [folder('new', late)],
      { unused: { databases: [`prod__new_${late}`], folders: [`/srv/filestore/prod__new_${late}`] } },
    ],
    [
      'killed between the two renames',
      [replaced(late, settled)],
      [folder('new', late)],
      { halfSwapped: [pair(late, false)] },
    ],
    [
      'killed within the rename of the folders',
      [replaced(late, settled)],
      [folder('new', late), folder('old', late)],
      { halfSwapped: [pair(late)] },
    ],
    [
      'killed before Odoo was healthy',
      [replaced(late, settled)],
      [folder('old', late)],
      { unsettled: [pair(late)] },
    ],
    [
      'killed while it removed what was replaced',
      [replaced(late, settled)],
      [],
      { unsettled: [pair(late, false)] },
    ],
    [
      'kept for good',
      [replaced(late, markOf('always', now, 'Odoo of Acme'))],
      [folder('old', late)],
      { kept: [pair(late, true, 'Odoo of Acme')] },
    ],
    [
      'kept for days, some of them over',
      [
        replaced(early, markOf(7, new Date('2026-11-01T00:00:00Z'), null)),
        replaced(late, markOf(7, new Date('2026-11-20T00:00:00Z'), null)),
      ],
      [folder('old', early), folder('old', late)],
      { expired: [pair(early)], kept: [pair(late)] },
    ],
    [
      'of somebody else: a database without our comment is never touched',
      [replaced(late, null), replaced(early, 'made by hand')],
      [folder('old', late)],
      { kept: [pair(late), pair(early, false)] },
    ],
    [
      'taken back by half: the copy is a copy, and the live database is not guessed at',
      [],
      [folder('new', late)],
      { unused: { databases: [], folders: [`/srv/filestore/prod__new_${late}`] } },
    ],
  ];
  for (const [what, databases, folders, found] of cases) {
    test(what, () => assert.deepEqual(sortLeftovers(databases, folders, now), { ...nothing, ...found }));
  }

  test('tells runs that were killed from what is kept', () => {
    const sort = (databases: DerivedDatabase[]) => isInterrupted(sortLeftovers(databases, [], now));
    assert.equal(sort([]), false);
    assert.equal(sort([replaced(late, markOf('always', now, null))]), false);
    assert.equal(sort([replaced(early, markOf(1, new Date(0), null))]), false);
    assert.equal(sort([replaced(late, settled)]), true);
    assert.equal(sort([built(late)]), true);
  });
});

suite('the comment of a replaced database', () => {
  test('says what it is, for people', () => {
    assert.equal(
      markOf(7, now, null),
      'odoo-backup: replaced 2026-11-21T12:00:00.000Z; keep until 2026-11-28T12:00:00.000Z',
    );
  });

  test('says it for programs, and holds the comment of before', () => {
    for (const comment of [null, 'Odoo of Acme', 'two\nlines', '']) {
      assert.deepEqual(parseMark(markOf('always', now, comment)), { keep: 'always', comment });
      assert.deepEqual(parseMark(markOf('until-healthy', now, comment)), { keep: 'until-healthy', comment });
      assert.deepEqual(parseMark(markOf(7, now, comment)), {
        keep: new Date('2026-11-28T12:00:00Z'),
        comment,
      });
    }
  });

  test('of somebody else says nothing', () => {
    for (const comment of [null, '', 'Odoo of Acme', 'odoo-backup: replaced by hand; keep always']) {
      assert.equal(parseMark(comment), undefined);
    }
  });
});
