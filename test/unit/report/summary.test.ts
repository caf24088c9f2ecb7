import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { markdownOf } from '../../../src/report/markdown.ts';
import { plainFacts, plainText } from '../../../src/report/plain.ts';
import { code, type Summary, type Text } from '../../../src/report/summary.ts';

const backups: Summary = {
  outcome: 'flawed',
  title: '2 backups of prod, 1 without a receipt',
  blocks: [
    {
      kind: 'table',
      columns: [{ name: 'Backup' }, { name: 'Size', align: 'right' }, { name: '' }],
      rows: [
        [code('prod_2026-11-21_03-04-05.zip'), '1.0 GiB', ''],
        [code('prod_été.zip'), '950.5 MiB', ['see ', code('prune')]],
      ],
    },
    { kind: 'facts', rows: [['Host', ['postgres@127.0.0.1 ', code('<a>')]]] },
    { kind: 'steps', title: 'Taken back', items: ['Start Odoo', code('mv a b')] },
    { kind: 'note', text: ['The oldest is ', code('prod_été.zip'), '.'] },
    { kind: 'printed', title: 'Its last lines', lines: ['Traceback:', '    </pre>  `x`'] },
  ],
};

test('a summary in Markdown', () => {
  assert.equal(
    markdownOf(backups),
    `### ⚠️ 2 backups of prod, 1 without a receipt

| Backup | Size | |
| --- | ---: | --- |
| \`prod_2026-11-21_03-04-05.zip\` | 1.0 GiB | |
| \`prod_été.zip\` | 950.5 MiB | see \`prune\` |

<table>
<tr><th align="left" scope="row">Host</th><td>postgres@127.0.0.1 <code>&lt;a&gt;</code></td></tr>
</table>

**Taken back**

1. Start Odoo
2. \`mv a b\`

The oldest is \`prod_été.zip\`.

**Its last lines**

<pre>
Traceback:
    &lt;/pre&gt;  \`x\`
</pre>
`,
  );
});

test('columns in plain text are as wide as a terminal shows them', () => {
  const rows = [
    ['東京', '2'],
    ['✅ e\u0301', '1'],
  ].map(([name = '', value = '']) => [name, value] as const);
  assert.equal(plainFacts(rows), '東京  2\n✅ e\u0301  1');
});

test('a summary in plain text: columns aligned', () => {
  assert.equal(
    plainText(backups),
    `⚠️ 2 backups of prod, 1 without a receipt

Backup                             Size
prod_2026-11-21_03-04-05.zip    1.0 GiB
prod_été.zip                  950.5 MiB  see prune

Host  postgres@127.0.0.1 <a>

Taken back:
  1. Start Odoo
  2. mv a b

The oldest is prod_été.zip.

Its last lines:
  Traceback:
      </pre>  \`x\``,
  );
});

describe('text that looks like markup stays text', () => {
  const cases: [text: Text, markdown: string, plain: string][] = [
    ['a | b', 'a \\| b', 'a | b'],
    ['*b* _i_ ~s~', '\\*b\\* \\_i\\_ \\~s\\~', '*b* _i_ ~s~'],
    ['<img src=x> &lt; [l](u)', '\\<img src=x\\> \\&lt; \\[l\\](u)', '<img src=x> &lt; [l](u)'],
    ['postgres@127.0.0.1', 'postgres@<!-- -->127.0.0.1', 'postgres@127.0.0.1'],
    ['a\\b `c`', 'a\\\\b \\`c\\`', 'a\\b `c`'],
    ['two\nlines', 'two lines', 'two lines'],
    [code('a|b'), '`a\\|b`', 'a|b'],
    [code('a`b'), '``a`b``', 'a`b'],
    [code('`a``'), '``` `a`` ```', '`a``'],
    [code('*b* <i>'), '`*b* <i>`', '*b* <i>'],
    [code('two\nlines'), '`two lines`', 'two lines'],
    [[], '', ''],
  ];
  for (const [text, markdown, plain] of cases) {
    test(JSON.stringify(text), () => {
      const summary: Summary = { outcome: 'failed', title: 'x', blocks: [{ kind: 'note', text }] };
      assert.equal(markdownOf(summary), `### ❌ x\n\n${markdown}\n`);
      assert.equal(plainText(summary), `❌ x\n\n${plain}`);
    });
  }
});
