import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { DerivedFolder } from '../../../src/odoo/folder-swap.ts';
import type { DerivedDatabase } from '../../../src/postgres/databases.ts';
import { isInterrupted, type Leftovers, sortLeftovers } from '../../../src/restore/leftovers/leftovers.ts';
import {
  type Keep,
  keepFrom,
  longerOf,
  markText,
  PLACED,
  parseMark,
} from '../../../src/restore/leftovers/marks.ts';
import { noLeftovers } from '../../support/no-leftovers.ts';

const now = new Date('2026-11-21T12:00:00Z');
const [early, late] = ['20261101000000', '20261120000000'] as const;

const built = (timestamp: string): DerivedDatabase => ({
  name: `prod__new_${timestamp}`,
  derivation: 'new',
  timestamp,
  comment: null,
  bytes: 7,
  isBroken: false,
});
const replaced = (timestamp: string, comment: string | null): DerivedDatabase => ({
  name: `prod__old_${timestamp}`,
  derivation: 'old',
  timestamp,
  comment,
  bytes: 7,
  isBroken: false,
});
const folder = (derivation: 'new' | 'old', timestamp: string, note: string | null = null): DerivedFolder => ({
  path: `/srv/filestore/prod__${derivation}_${timestamp}`,
  derivation,
  timestamp,
  note,
});
const days = (count: number, from: Date) => keepFrom(count, from);
const mark = (keep: Keep, settled = true, at = now, comment: string | null = null) =>
  markText({ at, settled, keep, comment });
const cut = mark(days(3, now), false);
const pair = (timestamp: string, text: string | null, withFolder = true) => ({
  database: `prod__old_${timestamp}`,
  folder: withFolder ? `/srv/filestore/prod__old_${timestamp}` : undefined,
  mark: parseMark(text),
  bytes: 7,
});
const alone = (timestamp: string, text: string | null) => ({
  database: undefined,
  folder: `/srv/filestore/prod__old_${timestamp}`,
  mark: parseMark(text),
  bytes: 0,
});

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
      'a filestore whose database was gone before the restore, of which nothing is noted',
      [],
      [folder('old', late)],
      { kept: [alone(late, null)] },
    ],
    [
      'likewise, noted: kept for days, some of them over, and by a run that was killed',
      [],
      [folder('old', early, mark(days(3, new Date('2026-11-01T00:00:00Z')))), folder('old', late, cut)],
      {
        expired: [alone(early, mark(days(3, new Date('2026-11-01T00:00:00Z'))))],
        interrupted: [alone(late, cut)],
      },
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
      [replaced(late, cut)],
      [folder('new', late)],
      { halfSwapped: [{ ...pair(late, cut, false), timestamp: late }] },
    ],
    [
      'killed within the rename of the folders',
      [replaced(late, cut)],
      [folder('new', late), folder('old', late)],
      { halfSwapped: [{ ...pair(late, cut), timestamp: late }] },
    ],
    [
      'killed before Odoo was healthy, whatever was to become of it',
      [replaced(early, mark('always', false)), replaced(late, cut)],
      [folder('old', late)],
      { interrupted: [pair(early, mark('always', false), false), pair(late, cut)] },
    ],
    [
      'killed while it removed what was replaced',
      [replaced(late, mark(now))],
      [],
      { expired: [pair(late, mark(now), false)] },
    ],
    [
      'killed while it dropped a database: nothing can be done with it but a DROP',
      [{ ...replaced(late, mark('always')), isBroken: true }],
      [],
      { unused: { databases: [`prod__old_${late}`], folders: [] } },
    ],
    [
      'replaced by a version that had no word for a run that was killed',
      [replaced(late, 'odoo-backup: replaced 2026-11-21T12:00:00.000Z; keep until-healthy')],
      [folder('old', late)],
      { interrupted: [pair(late, mark('until-healthy'))] },
    ],
    [
      'kept for good',
      [replaced(late, mark('always', true, now, 'Odoo of Acme'))],
      [folder('old', late)],
      { kept: [pair(late, mark('always', true, now, 'Odoo of Acme'))] },
    ],
    [
      'kept for days, some of them over',
      [
        replaced(early, mark(days(7, new Date('2026-11-01T00:00:00Z')))),
        replaced(late, mark(days(7, new Date('2026-11-20T00:00:00Z')))),
      ],
      [folder('old', early), folder('old', late)],
      {
        expired: [pair(early, mark(days(7, new Date('2026-11-01T00:00:00Z'))))],
        kept: [pair(late, mark(days(7, new Date('2026-11-20T00:00:00Z'))))],
      },
    ],
    [
      'of somebody else: a database without our comment is never touched',
      [
        replaced(late, null),
        replaced(early, 'made by hand'),
        replaced('20261119000000', 'odoo-backup: replaced 2026-11-21T12:00:00.000Z; keep until 99-99-99'),
      ],
      [folder('old', late)],
      { kept: [pair(late, null), pair(early, null, false), pair('20261119000000', null, false)] },
    ],
    [
      'taken back by half: the copy is a copy, and the live database is not guessed at',
      [],
      [folder('new', late)],
      { unused: { databases: [], folders: [`/srv/filestore/prod__new_${late}`] } },
    ],
  ];
  for (const [what, databases, folders, found] of cases) {
    test(what, () => assert.deepEqual(sortLeftovers(databases, folders, now), { ...noLeftovers, ...found }));
  }

  test('tells runs that were killed from what is kept', () => {
    const sort = (databases: DerivedDatabase[]) => isInterrupted(sortLeftovers(databases, [], now));
    assert.equal(sort([]), false);
    assert.equal(sort([replaced(late, mark('always'))]), false);
    assert.equal(sort([replaced(early, mark(new Date(0)))]), false);
    assert.equal(sort([replaced(late, cut)]), true);
    assert.equal(sort([built(late)]), true);
  });
});

suite('the comment of a replaced database', () => {
  test('says what it is, for people', () => {
    assert.equal(
      mark(days(7, now)),
      'odoo-backup: replaced 2026-11-21T12:00:00.000Z; keep until 2026-11-28T12:00:00.000Z',
    );
    assert.equal(
      mark('always', false),
      'odoo-backup: replaced 2026-11-21T12:00:00.000Z by a run that has not ended; keep always',
    );
  });

  test('says it for programs, and holds the comment of before', () => {
    for (const comment of [null, 'Odoo of Acme', 'two\nlines', '']) {
      for (const settled of [true, false]) {
        for (const keep of ['always', days(7, now)] as const) {
          const given = { at: now, settled, keep, comment };
          assert.deepEqual(parseMark(markText(given)), given);
        }
      }
    }
  });

  test('of somebody else says nothing', () => {
    for (const comment of [null, '', 'Odoo of Acme', 'odoo-backup: replaced by hand; keep always']) {
      assert.equal(parseMark(comment), undefined);
    }
  });

  test('of two promises the longer one counts', () => {
    const [soon, later] = [new Date(0), now];
    for (const [one, other, longer] of [
      ['until-healthy', 'until-healthy', 'until-healthy'],
      ['until-healthy', soon, soon],
      [later, soon, later],
      [soon, 'always', 'always'],
    ] as const) {
      assert.equal(longerOf(one, other), longer);
      assert.equal(longerOf(other, one), longer);
    }
  });
});
