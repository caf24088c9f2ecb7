import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Page, pagesOf } from '../../../src/s3/pages.ts';

type Given = readonly [items: string, truncated: boolean | undefined, next: string | undefined];

/** Lists what a server gives page by page; where it is asked for more, the last page again. */
function list(...pages: readonly Given[]): Promise<string[]> {
  let asked = 0;
  const ask = async (): Promise<Page<string>> => {
    const [items = '', truncated, next] = pages[Math.min(asked++, pages.length - 1)] ?? [];
    return { items: [...items], truncated, next: [next] };
  };
  return Array.fromAsync(pagesOf('things', ask, (item) => item));
}

suite('a listing', () => {
  for (const [what, pages, items] of [
    ['of one page', [['ab', false, undefined]], 'ab'],
    ['that does not say whether there is more', [['ab', undefined, undefined]], 'ab'],
    ['that has an empty place for more', [['ab', undefined, '']], 'ab'],
    [
      'that says where more is, and not that there is more',
      [
        ['ab', undefined, 'b'],
        ['c', undefined, undefined],
      ],
      'abc',
    ],
    ['that names its end as a place', [['ab', false, 'b']], 'ab'],
    [
      'with an empty page',
      [
        ['a', true, 'a'],
        ['', true, 'b'],
        ['c', false, undefined],
      ],
      'ac',
    ],
  ] as const) {
    test(`${what} is whole`, async () => assert.equal((await list(...pages)).join(''), items));
  }

  for (const [what, pages, error] of [
    ['is cut', [['ab', true, undefined]], /not whole: .* but not where$/],
    [
      'is cut later',
      [
        ['ab', true, 'b'],
        ['c', true, ''],
      ],
      /not whole: .* but not where$/,
    ],
    [
      'repeats its place',
      [
        ['a', true, 'x'],
        ['b', true, 'x'],
      ],
      /the same page again and again$/,
    ],
    [
      'goes round in circles',
      [
        ['a', true, 'x'],
        ['b', true, 'y'],
        ['a', true, 'z'],
      ],
      /the same page again and again$/,
    ],
    ['gives empty pages for ever', [['', true, undefined]], /but not where$/],
  ] as const) {
    test(`that ${what} is refused`, () => assert.rejects(list(...pages), error));
  }
});
