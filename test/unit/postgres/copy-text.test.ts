import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnReader, copyColumns, copyRows } from '../../../src/postgres/copy-text.ts';
import { inChunks } from '../../support/dump-pieces.ts';

test('the columns of a COPY are those that it names', () => {
  const cases: [statement: string, columns: string[] | undefined][] = [
    ['COPY public.t (id, name) FROM stdin;\n', ['id', 'name']],
    [
      'COPY public."a (b) FROM stdin" (id, "Na me", "c""d", "e, f") FROM stdin;\n',
      ['id', 'Na me', 'c"d', 'e, f'],
    ],
    ['COPY t ("a)b") FROM stdin;', ['a)b']],
    ['COPY t () FROM stdin;', []],
    ['COPY t FROM stdin;', undefined],
  ];
  for (const [statement, columns] of cases) assert.deepEqual(copyColumns(statement), columns, statement);
});

async function read(data: string | Buffer, chunk = 7, longest = 1000) {
  const rows = [];
  for await (const row of copyRows(inChunks(Buffer.from(data), chunk), longest)) rows.push({ ...row });
  return rows;
}

test('rows end with the line of a backslash and a dot, wherever chunks end', async () => {
  for (let chunk = 1; chunk < 12; chunk++) {
    const rows = await read('1\ta\n2\t\\\\.\n\n3\t\\.x\n\\.\n4\tno row\n', chunk);
    assert.deepEqual(
      rows.map(({ bytes }) => bytes.toString()),
      ['1\ta', '2\t\\\\.', '', '3\t\\.x'],
    );
  }
  assert.equal((await read('1\n\\.\r\n2\n')).length, 1);
  assert.equal((await read('1\n2')).length, 2, 'and with the end of the data');
});

test('of a long row only the beginning is held', async () => {
  const [long, next] = await read(`7\t${'x'.repeat(5000)}\tend\n8\ty\tend\n`, 100, 1000);
  assert.deepEqual([long?.bytes.length, long?.isCut, next?.bytes.toString()], [1000, true, '8\ty\tend']);
  const valuesOf = columnReader(['id', 'big', 'last'], ['id', 'last', 'big']);
  assert.ok(long && next);
  assert.deepEqual(valuesOf(long), { id: '7' }, 'a value that was cut is none');
  assert.deepEqual(valuesOf(next), { id: '8', last: 'end', big: 'y' });
});

/** As PostgreSQL writes a value: CopyAttributeOutText of copyto.c. */
const written = (value: string | undefined): string =>
  value === undefined
    ? '\\N'
    : value.replaceAll(
        /[\b\f\n\r\t\v\\]/g,
        (sign) => `\\${{ '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' }[sign] ?? sign}`,
      );

test('what PostgreSQL writes is what is read', async () => {
  const text = fc.string({ unit: fc.constantFrom(...'a\\N.x\t\n\r\b\f\vé,"'), maxLength: 8 });
  const row = fc.array(fc.option(text, { nil: undefined }), { minLength: 3, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 5 }),
      fc.integer({ min: 1, max: 20 }),
      async (rows, chunk) => {
        const data = `${rows.map((values) => `${values.map(written).join('\t')}\n`).join('')}\\.\n\n\n`;
        const valuesOf = columnReader(['a', 'b', 'c'], ['c', 'a', 'gone', 'b']);
        const found = (await read(data, chunk)).map(valuesOf);
        assert.deepEqual(
          found.map(({ a, b, c }) => [a, b, c]),
          rows,
        );
      },
    ),
  );
});
