import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { psqlScript } from '../../../src/postgres/psql.ts';
import {
  identifier,
  join,
  list,
  qualified,
  type Sql,
  type SqlValue,
  serverName,
  sql,
} from '../../../src/postgres/sql.ts';

suite('SQL', () => {
  for (const [title, fragment, text] of [
    ['text is a literal', sql`SELECT ${"it's \\ here"}`, "SELECT E'it''s \\\\ here'"],
    ['a line break stays one', sql`SELECT ${'a\n\\! id'}`, "SELECT E'a\n\\\\! id'"],
    ['numbers are their digits', sql`${1} ${2n} ${0.5}`, '1 2 0.5'],
    ['what is negative makes no comment', sql`SELECT -${-1} -${-2n}`, 'SELECT -(-1) -(-2)'],
    ['truth values are words, and null is', sql`${true} ${false} ${null}`, 'true false NULL'],
    ['names are quoted', identifier('a"b; --'), '"a""b; --"'],
    ['names of names', qualified('public', 'res.partner'), '"public"."res.partner"'],
    [
      'SQL stays SQL',
      sql`SELECT * FROM ${identifier('t')} WHERE ${sql`x = ${1}`}`,
      'SELECT * FROM "t" WHERE x = 1',
    ],
    ['lists', sql`IN (${list(['a', 2, sql`now()`])})`, "IN (E'a', 2, now())"],
    ['an empty list', list([]), ''],
    ['fragments with something between them', join([sql`a`, sql`b`], sql` UNION ALL `), 'a UNION ALL b'],
    ['names of 63 bytes', identifier('é'.repeat(31)), `"${'é'.repeat(31)}"`],
    [
      'a name that the server wrote',
      serverName('public.f(integer, "x y".z[], timestamp without time zone)'),
      'public.f(integer, "x y".z[], timestamp without time zone)',
    ],
  ] satisfies [string, Sql, string][]) {
    test(title, () => assert.equal(fragment.text, text));
  }

  test('goes to psql a statement a line', () =>
    assert.equal(psqlScript(sql`BEGIN`, sql`SELECT ${1}`), 'BEGIN;\nSELECT 1;\n'));

  for (const [title, make, message] of [
    ['a NUL in a literal', () => sql`SELECT ${'C\0'}`, /with a NUL character \(U\+0000\).*"C\\u0000"/],
    ['a NUL in a name', () => identifier('a\0'), /with a NUL character/],
    ['a NUL in a list', () => list(['a', '\0']), /with a NUL character/],
    ['half of a character', () => sql`SELECT ${'\ud800'}`, /lone surrogate.*"\\ud800"/],
    ['half of a character in a name', () => identifier('\udc00x'), /lone surrogate/],
    ['a name that PostgreSQL would cut', () => identifier('é'.repeat(32)), /^A name of 64 bytes/],
    ['a name of nothing', () => identifier(''), /^A name that is empty/],
    ['a name of the server with a quote', () => serverName("public.f('x')"), /in a way that cannot be used/],
    ['a name of the server that ends a statement', () => serverName('t; \\! id'), /cannot be used/],
    ['a name of the server with an open quote', () => serverName('public."x'), /cannot be used/],
    ['no number', () => sql`${Number.NaN}`, /Not a number that SQL has: NaN/],
    ['no bounds', () => sql`${Number.POSITIVE_INFINITY}`, /Not a number that SQL has/],
    ['nothing', () => sql`${undefined as unknown as SqlValue}`, /Not a value that SQL has: undefined/],
    [
      'what is none',
      () => sql`${{ text: 'DROP' } as unknown as SqlValue}`,
      /Not a value that SQL has: object/,
    ],
  ] satisfies [string, () => Sql, RegExp][]) {
    test(`refuses ${title}`, () => assert.throws(make, { message }));
  }

  test('a string is none, nor what looks like it', () => {
    const type = { message: 'Only SQL may be sent to psql' };
    // @ts-expect-error a string
    assert.throws(() => psqlScript('SELECT 1'), type);
    // @ts-expect-error what has its shape
    assert.throws(() => psqlScript({ text: 'SELECT 1' }), type);
  });
});
