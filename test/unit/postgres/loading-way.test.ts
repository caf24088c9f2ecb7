import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { waysToLoad } from '../../../src/postgres/loading-way.ts';

const own = '215; 1259 16386 TABLE public a odoo\n4300; 0 16386 TABLE DATA public a odoo\n';
const ofExtension = `${own}4301; 0 16800 TABLE DATA public spatial_ref_sys admin\n`;

suite('the ways to load a dump, the best first', () => {
  for (const [kind, jobs, list, expected] of [
    ['custom', 1, own, 'arriving, file, stream'],
    ['custom', 2, own, 'arriving, file, stream'],
    ['custom', 3, own, 'file, arriving, stream'],
    ['custom', 2, ofExtension, 'file, arriving, stream'],
    ['custom', 2, undefined, 'file, stream'],
    ['custom', 3, undefined, 'file, stream'],
    ['directory', 2, own, 'file'],
    ['plain', 4, undefined, 'stream'],
  ] as const) {
    const what =
      list === ofExtension ? 'with rows of an extension' : list ? 'of one table' : 'of an unknown format';
    test(`${kind}, ${jobs} jobs, ${what}: ${expected}`, () => {
      assert.equal(waysToLoad({ kind }, jobs, list).join(', '), expected);
    });
  }
});
