import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { terminalSvg } from '../../../scripts/pictures/terminal.ts';

const size = { columns: 20, rows: 3 };
const rows = (svg: string): string[] =>
  [...svg.matchAll(/<text y="\d+">(.*)<\/text>/g)].map(([, row = '']) => row);

suite('a terminal that plays', () => {
  test('shows each line, with its colours, and as text only', () => {
    const lines = [
      { at: 0, text: '\x1b[1m\x1b[36m── One ──\x1b[39m\x1b[22m' },
      { at: 1, text: '<script>alert(1)</script>' },
      { at: 2, text: '\x1b[2m  │ \x1b[22mquoted & said' },
      { at: 3, text: '' },
    ];
    assert.deepEqual(rows(terminalSvg(lines, 'npm run demo', size)), [
      '<tspan class="c">── One ──</tspan>',
      '&lt;script&gt;alert(1)&lt;/s…',
      '<tspan class="d">  │ </tspan>quoted &amp; said',
      '',
    ]);
  });

  test('moves up by one line each time, keeps pauses short, and shows its end to who wants no motion', () => {
    const svg = terminalSvg(
      [0, 60, 60].map((at, i) => ({ at, text: `${i}` })),
      't',
      size,
    );
    assert.match(svg, /0%\{transform:translateY\(54px\)\}0\.954%\{transform:translateY\(36px\)\}/);
    assert.match(svg, /#roll\{animation:roll 7\.3s step-end infinite;transform:translateY\(0px\)\}/);
    assert.match(svg, /prefers-reduced-motion:reduce\)\{#roll\{animation:none\}/);
  });

  test('the one of the demo names nothing of a machine', () => {
    const svg = readFileSync(new URL('../../../docs/images/demo.svg', import.meta.url), 'utf8');
    assert.ok(rows(svg).some((row) => row.includes('The rollback')));
    assert.doesNotMatch(svg, /\/dev\/shm|\/tmp\/|127\.0\.0\.1:(?!8069)\d+/);
  });
});
