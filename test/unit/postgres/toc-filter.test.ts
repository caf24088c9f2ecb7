import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { partsOf } from '../../../src/postgres/custom-format/parts.ts';
import { filterToc, hasExtensionRows, splitAtRows, splitToc } from '../../../src/postgres/toc-filter.ts';
import { opened } from '../../support/dump-pieces.ts';

/** As `pg_restore --list` of PostgreSQL 15 prints them. */
const header = ';\n; Archive created at 2026-11-21 03:41:00 UTC\n;     Format: CUSTOM\n;\n';
const entries = {
  publicSchema: '5; 2615 2200 SCHEMA - public postgres',
  publicComment: '4012; 0 0 COMMENT - SCHEMA public postgres',
  publicAcl: '4013; 0 0 ACL - SCHEMA public postgres',
  schema: '6; 2615 16390 SCHEMA - extensions odoo',
  oddSchema: '7; 2615 16391 SCHEMA - my public odoo',
  extension: '2; 3079 16391 EXTENSION - unaccent ',
  extensionComment: '4014; 0 0 COMMENT - EXTENSION unaccent ',
  table: '215; 1259 16386 TABLE public res_users odoo',
  tableComment: '4015; 0 0 COMMENT public TABLE res_users odoo',
  columnComment: '4016; 0 0 COMMENT public COLUMN res_users."EXTENSION " odoo',
  data: '4001; 0 16386 TABLE DATA public res_users odoo',
};
const toc = `${header}${Object.values(entries).join('\n')}\n`;

suite('the table of contents', () => {
  const own = { superuser: false, schemas: [] };
  for (const [title, rights, skipped] of [
    ['of a superuser is whole', { superuser: true, schemas: [] }, []],
    [
      'of another role lacks what it may not do',
      own,
      [entries.publicSchema, entries.publicComment, entries.extensionComment],
    ],
    ['lacks the schemas that are there', { superuser: true, schemas: ['extensions'] }, [entries.schema]],
    ['knows schemas by their whole names', { superuser: true, schemas: ['my public'] }, [entries.oddSchema]],
  ] as const) {
    test(title, () => {
      const filtered = filterToc(toc, rights);
      assert.deepEqual(filtered.skipped, skipped);
      const expected = skipped.reduce(
        (list: string, line) => list.replace(`\n${line}\n`, `\n;${line}\n`),
        toc,
      );
      assert.equal(filtered.list, expected);
    });
  }
});

suite('privileges on what belongs to an extension', () => {
  const members = [
    { entry: 'public TABLE spatial_ref_sys', object: 'TABLE public.spatial_ref_sys' },
    { entry: 'public FUNCTION st_area(public.geometry)', object: 'FUNCTION public.st_area(public.geometry)' },
    { entry: '- SCHEMA cron', object: 'SCHEMA cron' },
  ];
  const ofExtensions = [
    '4785; 0 0 ACL public FUNCTION st_area(public.geometry) admin',
    '4788; 0 0 ACL public COLUMN spatial_ref_sys.srid admin',
    '4789; 0 0 ACL public TABLE spatial_ref_sys admin',
    '4790; 0 0 ACL - SCHEMA cron admin',
  ];
  const others = [
    '4791; 0 0 ACL public TABLE spatial_ref_sys_own odoo',
    '4792; 0 0 ACL public COLUMN spatial_ref_sys_own.srid odoo',
    '4793; 0 0 ACL public FUNCTION st_area(integer) odoo',
    '4794; 0 0 ACL other TABLE spatial_ref_sys odoo',
    '4795; 0 0 ACL - LARGE OBJECT 4242 odoo',
    '4796; 0 0 ACL - SCHEMA public odoo',
  ];
  const list = [...ofExtensions, ...others].join('\n');

  test('are left out, which only its owner may give', () => {
    assert.deepEqual(filterToc(list, { superuser: false, schemas: [], members }).skipped, ofExtensions);
  });
  test('are loaded by a superuser', () => {
    assert.deepEqual(filterToc(list, { superuser: true, schemas: [], members }).skipped, []);
  });
});

test('rows of tables that the dump does not create come first, with what they lie in, in the order of the dump', () => {
  const lines = [
    ';',
    '12; 2615 16500 SCHEMA - topology odoo',
    '2; 3079 16385 EXTENSION - postgis ',
    '5100; 0 0 COMMENT - EXTENSION postgis ',
    '215; 1259 16386 TABLE public res users odoo',
    '216; 1259 16390 TABLE public plain odoo',
    '4300; 0 16386 TABLE DATA public res users odoo',
    '4302; 0 16800 TABLE DATA public spatial_ref_sys admin',
    '4303; 0 16900 TABLE DATA topology topology admin',
    '4304; 0 16901 TABLE DATA topology layer admin',
    '4305; 0 16390 TABLE DATA public plain odoo',
    '4400; 0 0 SEQUENCE SET public res_users_id_seq odoo',
  ];
  const { ahead, rest } = splitToc(lines.join('\n'));
  const first = [1, 2, 7, 8, 9];
  const at = (wanted: boolean) =>
    lines.filter((_, i) => first.includes(i) === wanted).map((line) => `${line}\n`);
  assert.equal(ahead, at(true).join(''));
  assert.equal(rest, at(false).join(''));
  assert.ok(hasExtensionRows(lines.join('\n')));
});

test('without such tables there is nothing to come first', () => {
  const list = '215; 1259 16386 TABLE public a odoo\n4300; 0 16386 TABLE DATA public a odoo\n';
  assert.deepEqual(splitToc(list), { ahead: undefined, rest: list });
  assert.ok(!hasExtensionRows(list));
});

test('all up to the last rows comes with them, apart from privileges; what is behind, later', () => {
  const lines = [
    '215; 1259 16386 TABLE public a odoo',
    '4799; 0 0 ACL public TABLE a odoo',
    '4798; 826 16400 DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES odoo',
    '4797; 0 0 COMMENT public TABLE a odoo',
    ';4300; 0 16386 TABLE DATA public left_out odoo',
    '4301; 0 16386 TABLE DATA public a odoo',
    '4400; 0 0 SEQUENCE SET public a_id_seq odoo',
    ';4302; 0 16390 TABLE DATA public left_out_too odoo',
    '4500; 1259 16500 INDEX public a_index odoo',
    '4501; 2606 16501 FK CONSTRAINT public a a_fkey odoo',
    '4502; 0 16600 MATERIALIZED VIEW DATA public v odoo',
  ];
  const { upToRows, behind } = splitAtRows(lines.join('\n'));
  const at = (...wanted: number[]) => wanted.map((i) => `${lines[i]}\n`).join('');
  assert.equal(upToRows, at(0, 3, 4, 5, 6));
  assert.equal(behind, at(1, 2, 7, 8, 9, 10));
});

test('names may have what JavaScript takes for the end of a line', () => {
  const lines = [
    '214; 2615 16380 SCHEMA - a\u2028b odoo',
    '215; 1259 16386 TABLE public a\u2028b odoo',
    '4301; 0 16386 TABLE DATA public a\u2028b odoo',
  ];
  const list = lines.join('\n');
  assert.equal(splitAtRows(list).upToRows, `${list}\n`);
  assert.ok(!hasExtensionRows(list));
  assert.ok(hasExtensionRows(lines.slice(2).join('\n')));
  assert.deepEqual(filterToc(list, { superuser: false, schemas: ['a\u2028b'] }).skipped, lines.slice(0, 1));
});

test('a foreign table, whose rows pg_dump takes along where it is told to, is no extension’s', () => {
  const list = '215; 1259 16386 FOREIGN TABLE public a odoo\n4301; 0 16386 TABLE DATA public a odoo\n';
  assert.ok(!hasExtensionRows(list));
});

test('without rows, everything is behind them', () => {
  assert.deepEqual(splitAtRows('215; 1259 16386 TABLE public a odoo'), {
    upToRows: '',
    behind: '215; 1259 16386 TABLE public a odoo\n',
  });
});

for (const version of ['13', '15', '17', '17-zstd', '18', '18-statistics']) {
  test(`the dump of every kind of object, by PostgreSQL ${version}: all rows come first, and nothing too soon`, async () => {
    const packed = readFileSync(new URL(`../../fixtures/custom-format/${version}.dump.gz`, import.meta.url));
    const { contents } = await opened(gunzipSync(packed));
    const entries = new Map([...contents.lines()].map(({ line, entry }) => [line, entry]));
    const { upToRows, behind } = splitAtRows([...entries.keys()].join('\n'));
    const [first, later] = [upToRows, behind].map((list) => list.split('\n').filter((line) => line !== ''));
    assert.ok(first && later);
    assert.deepEqual([...first, ...later].toSorted(), [...entries.keys()].toSorted());
    for (const list of [first, later]) {
      assert.deepEqual(
        list,
        [...entries.keys()].filter((line) => list.includes(line)),
        'another order',
      );
    }
    for (const line of first) {
      const entry = entries.get(line);
      assert.ok(entry);
      assert.equal(partsOf(entry, contents.head)?.pass, 'main', line);
      assert.ok(!entry.isPostData, line);
    }
    for (const line of later) assert.ok(!entries.get(line)?.hasBlock, line);
  });
}
