import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { htmlOf } from '../../../src/report/html.ts';
import { type Block, code } from '../../../src/report/summary.ts';

const page = (...blocks: readonly Block[]): string =>
  htmlOf('backup', [{ outcome: 'done', title: 'Title', blocks }], []);

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
      `<tr><th>${harmless}</th><th class="right">Size</th></tr>\n<tr><td>a</td><td class="right">1</td></tr>`,
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
    const text = page({ kind: 'diagram', mermaid: 'pie' });
    assert.doesNotMatch(text, /<(script|link|img)|https?:|pie/);
    assert.match(text, /default-src 'none'/);
  });

  test('tells why a run failed, last', () => {
    const text = htmlOf(
      'a <b>',
      [{ outcome: 'flawed', title: 'T', blocks: [] }],
      ['What <x>', 'because: y', 'Do z.'],
    );
    assert.match(text, /<h1>a &lt;b&gt;<\/h1>\n<section class="flawed">\n<h2>⚠️ T<\/h2>\n<\/section>/);
    assert.match(text, /<h2>❌ What &lt;x&gt;<\/h2>\n<pre>because: y\nDo z\.<\/pre>/);
  });
});
