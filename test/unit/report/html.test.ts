import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { htmlOf } from '../../../src/report/html.ts';
import { type Block, code } from '../../../src/report/summary.ts';
import { samples } from '../../support/sample-summaries.ts';

const page = (...blocks: readonly Block[]): string =>
  htmlOf('backup', [{ outcome: 'done', title: 'Title', blocks }]);

describe('a summary as a page', () => {
  const hostile = '<img src=x onerror="a()"> & \n more';
  const harmless = '&lt;img src=x onerror=&quot;a()&quot;&gt; &amp; more';
  const cases: [string, Block, string][] = [
    [
      'facts',
      { kind: 'facts', rows: [[hostile, ['in ', code(hostile)]]] },
      `<tr><th scope="row">${harmless}</th><td>in <code>${harmless}</code></td></tr>`,
    ],
    [
      'a table',
      { kind: 'table', columns: [{ name: hostile }, { name: 'Size', align: 'right' }], rows: [['a', '1']] },
      `<thead>\n<tr><th scope="col">${harmless}</th><th scope="col" class="right">Size</th></tr>\n</thead>\n<tbody>\n<tr><td>a</td><td class="right">1</td></tr>`,
    ],
    [
      'steps',
      { kind: 'steps', title: hostile, items: [hostile] },
      `<h3>${harmless}</h3>\n<ol>\n<li>${harmless}</li>`,
    ],
    [
      'what a program has printed',
      { kind: 'printed', title: hostile, lines: ['    raise  it', hostile] },
      `aria-label="${harmless}">\n    raise  it\n&lt;img src=x onerror=&quot;a()&quot;&gt; &amp;   more\n</pre>`,
    ],
    [
      'a waterfall',
      { kind: 'waterfall', title: hostile, bars: [{ name: hostile, state: hostile, startMs: 0, ms: 5 }] },
      `<th scope="row">${harmless}</th>`,
    ],
    [
      'cards',
      { kind: 'cards', cards: [{ name: hostile, outcome: 'done', words: hostile, nights: [] }] },
      `<h3>✅ ${harmless}</h3>\n<p>${harmless}</p>`,
    ],
    ['a note', { kind: 'note', text: hostile }, `<p>${harmless}</p>`],
  ];
  for (const [title, block, expected] of cases) {
    test(title, () => {
      assert.ok(page(block).includes(expected), page(block));
      assert.ok(!page(block).includes('<img'));
    });
  }

  test('needs nothing else, and runs nothing', () => {
    const text = htmlOf('all', Object.values(samples).flat());
    assert.doesNotMatch(text, /<(script|link|img|iframe)|(src|href)=|url\(|@import| on\w+=/);
    assert.match(text, /default-src 'none'/);
  });

  test('folds a long table, and breaks no date', () => {
    const rows = Array.from({ length: 57 }, (_, i) => [`2026-11-21 03:04:05 UTC ${i}`]);
    const text = page({ kind: 'table', name: 'Backups', columns: [{ name: 'Time' }], rows });
    assert.match(text, /<details>\n<summary>Backups: 57<\/summary>/);
    assert.match(text, /<td><span class="whole">2026-11-21 03:04:05 UTC<\/span> 0<\/td>/);
  });
});
