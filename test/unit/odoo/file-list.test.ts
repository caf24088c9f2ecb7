import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { FileList } from '../../../src/odoo/file-list.ts';
import { BitSet } from '../../../src/util/bit-set.ts';

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');
const named = (text: string): string => `${sha1(text).slice(0, 2)}/${sha1(text)}`;

suite('a list of a filestore', () => {
  // Names of each form that a filestore may hold, and of similar forms.
  const one = named('one');
  const odd = [
    '',
    'a',
    'checklist/ab',
    `${one}0`,
    one.slice(0, -1),
    one.toUpperCase(),
    `00/${sha1('x').replace(/^../, '11')}`,
    `${sha1('old').slice(0, 3)}/${sha1('old')}`,
    `${sha1('z').slice(0, 2)}/${sha1('z')}\n`,
    'ünïcode/🙂',
  ];

  test('gives files back by their numbers, whatever the form of their names, each once', () => {
    const all = [...Array.from({ length: 5000 }, (_, i) => named(`file ${i}`)), one, ...odd];
    const files = all
      .toSorted((a, b) => (sha1(a) < sha1(b) ? -1 : 1))
      .map((name, i) => ({ name, size: i * 2 ** 30 }));
    const list = new FileList(files);
    for (const { name } of files) list.add({ name, size: 1 });
    assert.equal(list.length, all.length);
    assert.deepEqual([...list], files);
    assert.equal(
      list.bytes,
      files.reduce((sum, { size }) => sum + size, 0),
    );
    for (const [i, { name, size }] of files.entries()) {
      assert.deepEqual([list.indexOf(name), list.nameAt(i), list.sizeAt(i)], [i, name, size]);
    }
    for (const name of [named('another'), 'b', `${one}1`]) assert.equal(list.indexOf(name), -1, name);
    for (const number of [-1, all.length, Number.NaN]) {
      assert.throws(() => list.nameAt(number), RangeError);
      assert.throws(() => list.sizeAt(number), RangeError);
    }
  });

  test('tells names apart that begin with the same bytes', () => {
    const like = Array.from({ length: 3000 }, (_, i) => `ab/abcdef01${sha1(`${i}`).slice(8)}`);
    const list = new FileList(like.map((name) => ({ name, size: 1 })));
    assert.equal(list.length, like.length);
    for (const [i, name] of like.entries()) assert.equal(list.indexOf(name), i);
    assert.deepEqual([...list.numbers()], [...like.keys()]);
  });

  test('has no memory of files that are forgotten, and keeps the numbers of the others', () => {
    const names = [...Array.from({ length: 20_000 }, (_, i) => named(`file ${i}`)), ...odd];
    const list = new FileList(names.map((name, size) => ({ name, size })));
    const kept = new Set([names.length - 1, 19_000, 9_000]);
    for (const number of names.keys()) if (!kept.has(number)) list.forget(number);
    assert.equal(list.indexOf(named('file 0')), -1);
    assert.throws(() => list.nameAt(0), RangeError);
    assert.throws(() => list.sizeAt(8000), RangeError);
    for (const number of kept) {
      const name = names[number] ?? '';
      assert.deepEqual(
        [list.indexOf(name), list.nameAt(number), list.sizeAt(number)],
        [number, name, number],
      );
    }
    const more = Array.from({ length: 20_000 }, (_, i) => named(`more ${i}`)); // which needs more slots
    for (const name of more) list.add({ name, size: 3 });
    for (const [i, name] of more.entries()) assert.equal(list.indexOf(name), names.length + i);
    assert.equal(list.indexOf(names[9_000] ?? ''), 9_000);
  });
});

test('marks are a set of numbers', () => {
  const marks = new BitSet(20);
  for (const number of [0, 7, 8, 19, 8]) marks.add(number);
  marks.delete(7);
  marks.delete(7);
  assert.deepEqual([...marks], [0, 8, 19]);
  assert.equal(marks.count, 3);
  assert.deepEqual([marks.has(8), marks.has(7), marks.has(-1), marks.has(1000)], [true, false, false, false]);
});
