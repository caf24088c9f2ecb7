import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SqlText } from '../../../src/verify/contents/sql-text.ts';

const END = '--\n-- PostgreSQL database dump complete\n--\n\n';
const BEGIN = '--\n-- PostgreSQL database dump\n--\n\n';
const HEAD = '-- Data for Name: ir_attachment; Type: TABLE DATA; Schema: public; Owner: ';

/** The rows of ir_attachment, as pg_dump writes them. */
const rows = (columns: string, lines: readonly string[], owner = 'odoo'): string =>
  `--\n${HEAD}${owner}\n--\n\nCOPY public.ir_attachment (${columns}) FROM stdin;\n${lines.map((line) => `${line}\n`).join('')}\\.\n\n\n`;

/** What is found, whatever chunks it comes in. */
function read(sql: string, chunk = sql.length): SqlText {
  const text = new SqlText('dump.sql');
  const bytes = Buffer.from(sql);
  for (let at = 0; at < bytes.length; at += chunk) text.update(bytes.subarray(at, at + chunk));
  return text;
}

suite('the attachments of a plain dump', () => {
  const cases: [what: string, sql: string, names: string[] | undefined][] = [
    ['no table', 'SELECT 1;\n', undefined],
    ['no rows', rows('id, store_fname', []), []],
    [
      'NULL, nothing, and the same twice',
      rows('id, store_fname', ['1\t\\N', '2\t', '3\taa/aa1', '4\taa/aa1']),
      ['aa/aa1'],
    ],
    ['the first column', rows('store_fname, id', ['aa/aa1\t1', 'bb/bb2\t2']), ['aa/aa1', 'bb/bb2']],
    ['the last of many, in quotes', rows('id, "Name", x, "store_fname"', ['1\ta\tb\taa/aa1']), ['aa/aa1']],
    ['escapes', rows('id, store_fname', ['1\ta\\\\b\\tc\\n']), ['a\\b\tc\n']],
    [
      'a value that looks like the end',
      rows('id, name, store_fname', ['1\t\\\\.\taa/aa1', '2\tx\tbb/bb2']),
      ['aa/aa1', 'bb/bb2'],
    ],
    ['rows that other tables have', `COPY public.x (store_fname) FROM stdin;\naa/aa1\n\\.\n`, undefined],
    ['of pg_restore', rows('id, store_fname', ['1\taa/aa1'], '-'), ['aa/aa1']],
    [
      'a long value before it',
      rows('id, db_datas, store_fname', [`1\t\\\\x${'00'.repeat(9000)}\taa/aa1`]),
      ['aa/aa1'],
    ],
  ];
  for (const [what, sql, names] of cases) {
    test(what, () => {
      const whole = `${BEGIN}${sql}-- more\n${END}`;
      for (const chunk of [whole.length, 1, 7, 64, 1000]) {
        const text = read(whole, chunk);
        assert.deepEqual(text.files && [...text.files.absent()], names, `chunks of ${chunk}`);
        text.finish();
      }
    });
  }

  test('come from every part of the table', () => {
    const text = read(BEGIN + rows('id, store_fname', ['1\ta']) + rows('id, store_fname', ['2\tb']) + END);
    assert.deepEqual([...(text.files?.absent() ?? [])], ['a', 'b']);
  });

  test('go on behind what only looks like the table', () => {
    const text = read(`${HEAD}x\n${'-'.repeat(70_000)}\n${rows('id, store_fname', ['1\ta'])}${END}`, 100);
    assert.deepEqual([...(text.files?.absent() ?? [])], ['a']);
  });
});

suite('the end of a plain dump', () => {
  const restrict = `${BEGIN}\\restrict abc123\n\n`;
  const cases: [what: string, sql: string, complete: boolean][] = [
    ['as it was before 15.14', BEGIN + END, true],
    ['as it is', `${restrict}${END}\\unrestrict abc123\n\n`, true],
    ['with the line ends of Windows', (BEGIN + END).replaceAll('\n', '\r\n'), true],
    ['without the last line', restrict + END, false],
    ['with that of another dump', `${restrict}${END}\\unrestrict abc124\n\n`, false],
    ['cut in the last words', (BEGIN + END).slice(0, -8), false],
    ['cut in the last line', `${restrict}${END}\\unrestrict abc12`, false],
    ['followed by something', `${BEGIN}${END}SELECT 1;\n`, false],
    ['nothing at all', '', false],
  ];
  for (const [what, sql, complete] of cases) {
    test(what, () => {
      for (const chunk of [sql.length || 1, 1, 100]) {
        const finish = () => read(sql, chunk).finish();
        if (complete) finish();
        else assert.throws(finish, /^ContentError: "dump\.sql" is not complete/);
      }
    });
  }
});
