import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { inOneLine } from '../../../src/postgres/custom-format/contents.ts';
import { superuserObject } from '../../../src/postgres/superuser-objects.ts';
import { tocLine, tocLines } from '../../../src/postgres/toc-entry.ts';
import { filterToc, hasExtensionRows, hasRows, numbersOf } from '../../../src/postgres/toc-filter.ts';
import { assertHoldsRows, unloadable } from '../../../src/restore/toc-checks.ts';
import { tablesInToc } from '../../../src/restore/whole-dump.ts';
import { opened } from '../../support/dump-pieces.ts';

const FIXTURES = new URL('../../fixtures/custom-format/', import.meta.url);

/** What pg_dump of all versions has written of each kind: the number of its catalog, and whether it has a schema. */
const written = new Map<string, { readonly kind: string; readonly catalog: number; readonly has: boolean }>();
for (const name of readdirSync(FIXTURES).filter((each) => each.endsWith('.dump.gz'))) {
  const { contents } = await opened(gunzipSync(readFileSync(new URL(name, FIXTURES))));
  for (const { kind, classOid: catalog, schema } of contents.entries()) {
    written.set(`${kind} ${schema === undefined}`, { kind, catalog, has: schema !== undefined });
  }
  test(`the lines of ${name}`, () => {
    for (const { line, entry } of contents.lines()) {
      const found = tocLine(line);
      assert.equal(found?.kind, entry.kind, line);
      assert.ok(line.endsWith(` ${found?.object}`));
    }
  });
}

/** Words that make a name look like something else. */
const WORDS = [
  ...[
    'DATA',
    'SET',
    'OWNED',
    'BY',
    'ATTACH',
    'TABLE',
    'SEQUENCE',
    'CLASS',
    'FAMILY',
    'ACL',
    'TABLES IN SCHEMA',
  ],
  ...[
    'x',
    '-',
    '"',
    "'",
    '\u2028',
    '\u2029',
    '\r',
    '\n',
    '\n9; 0 16386 TABLE DATA public y odoo',
    '\u20289; ',
  ],
];
const name = fc
  .array(fc.oneof(fc.constantFrom(...WORDS), fc.string()), { minLength: 1, maxLength: 5 })
  .map((words) => inOneLine(words.join(' ')));

test('no name makes a line one of another kind, or two of it', () => {
  const property = fc.property(fc.constantFrom(...written.values()), name, name, name, (each, ...names) => {
    const [schema, title, owner] = [each.has ? names[0] : '-', names[1], names[2]];
    const line = `9; ${each.catalog} 16386 ${each.kind} ${schema} ${title} ${owner}`;
    const object = `${schema} ${title} ${owner}`;
    assert.deepEqual(
      tocLines(`;\n${line}\n`).map((found) => ({ ...found, named: undefined })),
      [{ line, kind: each.kind, object, named: undefined }],
    );
  });
  fc.assert(property, { numRuns: 2000 });
});

suite('hostile names', () => {
  const odoos = '215; 1259 16386 TABLE public ir_module_module odoo';

  test('a table that is called as rows are has none; nor does one in a schema DATA', () => {
    for (const line of [
      '216; 1259 16390 TABLE public x TABLE DATA y odoo',
      '216; 1259 16390 TABLE DATA y odoo',
      '216; 1259 16390 SEQUENCE SET y odoo',
      '216; 1259 16390 TABLE public \u20284; 0 16386 TABLE DATA public y odoo',
    ]) {
      assert.ok(!hasRows(line), line);
      assert.ok(!hasExtensionRows(line), line);
      assert.throws(() => assertHoldsRows({ list: `${odoos}\n${line}`, superusers: new Set() }, 'it'), line);
    }
  });

  test('a table in a schema DATA is a table', () => {
    const { tables } = tablesInToc({ list: '216; 1259 16390 TABLE DATA y odoo' });
    assert.deepEqual([...tables], ['DATA.y']);
  });

  test('a table whose name has the end of a line in it does not bring back what is left out', () => {
    const list = ';7; 2615 2200 SCHEMA - public odoo\n216; 1259 16390 TABLE public a\u20287; odoo\n';
    assert.equal(numbersOf(list), '216;\n');
  });

  test('nor does one that is called as Odoo’s make it a dump of Odoo', () => {
    const list = '216; 1259 16390 TABLE public a\u2028215; 1259 16386 TABLE public ir_module_module odoo';
    assertHoldsRows({ list, superusers: new Set() }, 'it');
  });

  test('a table that is called as a foreign one is loaded, also without servers', () => {
    const lines = [
      '2061; 1417 16424 SERVER - s admin',
      '230; 1259 16500 FOREIGN TABLE public remote odoo',
      '231; 1259 16501 TABLE public x FOREIGN TABLE y odoo',
    ];
    const rights = { login: 'odoo', superuser: false, strangers: [] };
    const found = unloadable({ list: lines.join('\n'), superusers: new Set() }, rights, false, []);
    assert.deepEqual(found.lines, lines.slice(0, 2));
  });

  test('an operator in a schema CLASS needs no superuser', () => {
    assert.equal(superuserObject('9; 2617 16500 OPERATOR CLASS + odoo'), undefined);
    assert.equal(superuserObject('9; 2616 16500 OPERATOR CLASS public + odoo'), 'OPERATOR CLASS public.+');
  });

  test('a table is no privilege, comment or schema, whatever its name', () => {
    const list = [
      '216; 1259 16390 TABLE public x COMMENT - EXTENSION y odoo',
      '217; 1259 16391 TABLE public SCHEMA - public odoo',
    ].join('\n');
    assert.deepEqual(filterToc(list, { superuser: false, schemas: ['public'] }).skipped, []);
  });
});
