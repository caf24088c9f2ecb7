import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { FileNames, Marks } from '../../src/archive/file-names.ts';
import { FileList } from '../../src/host/file-list.ts';

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');
const named = (text: string): string => `${sha1(text).slice(0, 2)}/${sha1(text)}`;

suite('names of a filestore', () => {
  // Of each form that a filestore may hold, and of forms that come near.
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

  test('come back by their numbers, whatever their form, each once', () => {
    const all = [...Array.from({ length: 5000 }, (_, i) => named(`file ${i}`)), one, ...odd];
    const shuffled = all.toSorted((a, b) => (sha1(a) < sha1(b) ? -1 : 1));
    const names = new FileNames(shuffled);
    for (const name of all) assert.equal(names.add(name), shuffled.indexOf(name), name);
    assert.equal(names.length, all.length);
    assert.deepEqual([...names], shuffled);
    for (const name of all) assert.equal(names.indexOf(name), shuffled.indexOf(name), name);
    for (const name of [named('another'), 'b', `${one}1`]) assert.equal(names.has(name), false, name);
    for (const number of [-1, all.length, Number.NaN]) assert.throws(() => names.at(number), RangeError);
  });

  test('that begin with the same bytes are told apart', () => {
    const like = Array.from({ length: 3000 }, (_, i) => `abcdef01${sha1(`${i}`).slice(8)}`);
    const names = new FileNames(like.map((sum) => `ab/${sum}`));
    assert.equal(names.length, like.length);
    for (const [i, sum] of like.entries()) assert.equal(names.indexOf(`ab/${sum}`), i);
    assert.equal(names.at(7), `ab/${like[7]}`);
  });

  test('and sizes make a list', () => {
    const files = Array.from({ length: 3000 }, (_, i) => ({ name: named(`${i}`), size: i * 2 ** 33 }));
    const list = new FileList(files);
    list.add({ name: named('5'), size: 1 });
    assert.equal(list.length, 3000);
    assert.deepEqual([...list], files);
    assert.equal(
      list.bytes,
      files.reduce((sum, { size }) => sum + size, 0),
    );
    assert.equal(list.sizeAt(list.indexOf(named('2999'))), 2999 * 2 ** 33);
    assert.throws(() => list.sizeAt(3000), RangeError);
  });
});

test('marks are a set of numbers', () => {
  const marks = new Marks(20);
  for (const number of [0, 7, 8, 19, 8]) marks.add(number);
  marks.delete(7);
  marks.delete(7);
  assert.deepEqual([...marks], [0, 8, 19]);
  assert.equal(marks.count, 3);
  assert.deepEqual([marks.has(8), marks.has(7), marks.has(-1), marks.has(1000)], [true, false, false, false]);
});
