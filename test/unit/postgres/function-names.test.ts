import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type FunctionSource, unqualifiedUses } from '../../../src/postgres/function-names.ts';

const known = {
  functions: new Set(['inner_f', 'unaccent']),
  relations: new Set(['res_lang']),
  types: new Set(['color']),
};
const made = (source: string, more: Partial<FunctionSource> = {}): FunctionSource => ({
  signature: 'public.f(text)',
  name: 'f',
  source,
  hasPath: false,
  used: true,
  ...more,
});

suite('names without a schema', () => {
  for (const [title, source, expected] of [
    ['a function', 'SELECT inner_f($1)', ['inner_f']],
    ['in other letters', 'select Unaccent (lower($1))', ['unaccent']],
    ['a function with its schema', 'SELECT public.inner_f($1)', []],
    ['a table', 'SELECT count(*) FROM res_lang', ['res_lang']],
    ['a table with its schema', 'SELECT count(*) FROM public.res_lang', []],
    ['a type', "SELECT 'red'::color", ['color']],
    ['one of PostgreSQL', 'SELECT upper($1)', []],
    ['in a comment and in a text', "SELECT 'inner_f(1)' /* inner_f(1) */ -- FROM res_lang", []],
  ] as const) {
    test(title, () => {
      assert.deepEqual(
        unqualifiedUses([made(source)], known).map(({ name }) => name),
        expected,
      );
    });
  }

  test('matter where a restore calls the function, also through another one', () => {
    const inner = made('SELECT count(*) FROM res_lang', {
      name: 'inner_f',
      signature: 'inner_f()',
      used: false,
    });
    assert.deepEqual(unqualifiedUses([inner], known), []);
    assert.deepEqual(unqualifiedUses([made('SELECT public.inner_f()'), inner], known), [
      { user: 'inner_f()', name: 'res_lang' },
    ]);
  });

  test('are found where the function says where to look', () => {
    assert.deepEqual(unqualifiedUses([made('SELECT inner_f($1)', { hasPath: true })], known), []);
  });
});
