import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { judgeParts, tablesInToc } from '../../../src/restore/whole-dump.ts';

const BASE = ['ir_module_module', 'ir_attachment', 'ir_model', 'res_users', 'res_partner', 'res_company'];
const OTHERS = ['mail_message', 'bus_bus'];

/** As `pg_restore --list` of PostgreSQL 15 prints it. */
const tocOf = ({
  made = [...BASE, ...OTHERS],
  filled = made,
  keyed = made,
}: Partial<Record<'made' | 'filled' | 'keyed', readonly string[]>>): string =>
  [
    ';',
    '; Selected TOC Entries:',
    ...made.map((table, i) => `${200 + i}; 1259 16402 TABLE public ${table} odoo`),
    '350; 1259 16500 TABLE app Über uns odoo',
    '351; 0 0 TABLE ATTACH app Über uns odoo',
    ...made.map((table, i) => `${300 + i}; 1259 16450 SEQUENCE public ${table}_id_seq odoo`),
    ...made.map((table, i) => `${320 + i}; 0 0 SEQUENCE OWNED BY public ${table}_id_seq odoo`),
    '340; 1259 16451 SEQUENCE public ir_sequence_005 odoo',
    ...filled.map((table, i) => `${400 + i}; 0 16402 TABLE DATA public ${table} odoo`),
    '500; 0 16500 TABLE DATA app Über uns odoo',
    ...keyed.map((table, i) => `${600 + i}; 2606 16600 CONSTRAINT public ${table} ${table}_pkey odoo`),
    ...keyed.map((table, i) => `${700 + i}; 2606 16700 FK CONSTRAINT public ${table} ${table}_uid_fkey odoo`),
    '',
  ].join('\n');
const except = (list: readonly string[], ...names: string[]) => list.filter((name) => !names.includes(name));
const all = [...BASE, ...OTHERS];

suite('whether a dump holds a whole database', () => {
  const judged = (list: string, inPlace = false, partitioned: ReadonlySet<string> | undefined = new Set()) =>
    judgeParts(tablesInToc({ list, partitioned }), 'it', inPlace);

  test('one that does', () => {
    for (const inPlace of [false, true])
      assert.deepEqual(judged(tocOf({}), inPlace), { problems: [], warnings: [] });
  });

  test('constraints as PostgreSQL 9 lists them', () => {
    const list = tocOf({}).replaceAll(/CONSTRAINT public (\w+) (\w+_pkey)/g, 'CONSTRAINT public $2');
    assert.deepEqual(judged(list).problems, []);
  });

  const refused: readonly [what: string, list: string, words: RegExp][] = [
    [
      'rows alone',
      tocOf({ made: [], filled: all, keyed: [] }).replace(/^.*TABLE app.*\n/m, ''),
      /makes no table, as pg_dump --data-only or --section/,
    ],
    [
      'some tables',
      tocOf({ made: except(all, 'res_users', 'ir_model') }),
      /lacks tables .*: ir_model, res_users\..*--table/,
    ],
    [
      'another application',
      tocOf({ made: ['account'] }),
      /ir_module_module, ir_attachment, ir_model and 3 more.*another application/,
    ],
    ['no section post-data', tocOf({ keyed: [] }), /neither primary keys nor .*--section=pre-data/],
    [
      'no rows that Odoo needs',
      tocOf({ filled: except(all, 'res_users') }),
      /no rows of res_users, as pg_dump --exclude-table-data/,
    ],
  ];
  for (const [what, list, words] of refused) {
    test(what, () => {
      for (const inPlace of [false, true]) {
        const { problems, warnings } = judged(list, inPlace);
        assert.deepEqual([problems.length, warnings], [1, []], JSON.stringify([problems, warnings]));
        assert.match(problems[0]?.message ?? '', words);
        assert.match(problems[0]?.hint ?? '', /pg_dump --format=custom/);
      }
    });
  }

  test('a table of which only the sequence is there', () => {
    const list = tocOf({}).replaceAll(
      /^.* (?:TABLE|TABLE DATA|CONSTRAINT|SEQUENCE OWNED BY) public bus_bus.*\n/gm,
      '',
    );
    const copied = judged(list);
    assert.deepEqual(copied.problems, []);
    assert.match(copied.warnings.join(), /lacks the tables bus_bus, as pg_dump --exclude-table/);
    const back = judged(list, true);
    assert.deepEqual(back.warnings, []);
    assert.match(back.problems.map(({ message }) => message).join(), /lacks the tables bus_bus, /);
    // Of a table that was given another name.
    const renamed = tocOf({}).replaceAll(/ public bus_bus odoo/g, ' public bus odoo');
    assert.deepEqual(judged(renamed, true), { problems: [], warnings: [] });
  });

  test('a primary key that its database may have lost', () => {
    const { problems, warnings } = judged(tocOf({ keyed: except(all, 'res_partner') }), true);
    assert.deepEqual(problems, []);
    assert.match(warnings.join(), /no primary key of res_partner/);
  });

  test('rows that Odoo can do without: a copy goes without them, and a rollback only without those of no use', () => {
    const list = tocOf({ filled: except(all, ...OTHERS, 'ir_attachment') });
    const copied = judged(list);
    assert.deepEqual(copied.problems, []);
    assert.match(copied.warnings.join(), /no rows of ir_attachment, mail_message, bus_bus,/);
    const back = judged(list, true);
    assert.match(
      back.problems.map(({ message }) => message).join(),
      /no rows of ir_attachment, mail_message,/,
    );
    assert.match(back.problems.map(({ hint }) => hint).join(), /the command restore/);
    assert.match(back.warnings.join(), /no rows of bus_bus,/);
  });

  test('a partitioned table has no rows of its own; where that is not known, only tables of Odoo count', () => {
    const list = tocOf({ filled: except(all, 'bus_bus') });
    const [line] = list.split('\n').filter((each) => / TABLE public bus_bus /.test(each));
    assert.ok(line);
    assert.deepEqual(judged(list, false, new Set([line])).warnings, []);
    const unknown = tablesInToc({ list });
    assert.deepEqual(unknown.withoutRows, []);
    assert.deepEqual(tablesInToc({ list: tocOf({ filled: except(all, ...OTHERS) }) }).withoutRows, [
      'mail_message',
    ]);
  });

  test('names outside of public', () => {
    assert.ok(tablesInToc({ list: tocOf({}) }).tables.has('app.Über uns'));
    const { tables } = tablesInToc({ list: '9; 1259 16402 TABLE public two words odoo' });
    assert.deepEqual([...tables], ['two words']);
  });
});
