import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { growthDiagram } from '../../src/report/growth.ts';
import { markdownOf } from '../../src/report/markdown.ts';
import { waterfallDiagram } from '../../src/report/waterfall.ts';
import { Browser } from '../support/browser.ts';
import { samples } from '../support/sample-summaries.ts';

/** What a diagram looks like, once it is drawn. */
interface Drawn {
  /** Every text in it. */
  readonly texts: readonly string[];
  /** Labels of its time axis, or of its nights, that lie on another one. */
  readonly overlapping: readonly string[];
}

/** Draws as GitHub does: by Mermaid, which may run nothing of what it draws. */
const draw = (diagram: string): string => `(async () => {
  mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' });
  const { svg } = await mermaid.render('drawn', ${JSON.stringify(diagram)});
  document.body.innerHTML = svg;
  const texts = [...document.querySelectorAll('svg text')];
  const labels = texts.filter((each) => each.closest('.tick, .bottom-axis .label'));
  const boxes = labels.map((each) => each.getBoundingClientRect());
  return {
    texts: texts.map((each) => each.textContent),
    overlapping: labels.filter((_, i) => i > 0 && boxes[i].left < boxes[i - 1].right && boxes[i].top === boxes[i - 1].top)
      .map((each) => each.textContent),
  };
})()`;

/** What people and databases are called where nobody thought of Mermaid. */
const hostile =
  'a: b; c # d "e" ] `f` %%{init: {}}%% <img src=x onerror=alert(1)> click x href "javascript:1"';

suite('diagrams of a summary, drawn by Mermaid', () => {
  let browser: Browser;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mermaid-'));
    const program = join(dirname(createRequire(import.meta.url).resolve('mermaid')), 'mermaid.min.js');
    await writeFile(
      join(folder, 'page.html'),
      `<!doctype html><body></body><script src="file://${program}"></script>`,
    );
    browser = await Browser.open();
    await browser.show(`file://${join(folder, 'page.html')}`, { width: 1000, height: 800, scheme: 'light' });
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  for (const [name, summaries] of Object.entries(samples)) {
    const diagrams = [
      ...summaries
        .map(markdownOf)
        .join('\n')
        .matchAll(/```mermaid\n(.*?)\n```/gs),
    ].map(([, diagram = '']) => diagram);
    if (diagrams.length === 0) continue;
    test(`of ${name}: ${diagrams.length}, with labels that can be read`, async () => {
      for (const diagram of diagrams) {
        const { texts, overlapping } = await browser.evaluate<Drawn>(draw(diagram));
        const title = /^title "?([^"\n]+)/m.exec(diagram)?.[1];
        assert.ok(
          texts.some((text) => text === title),
          `${title} in ${texts.join(' | ')}`,
        );
        assert.deepEqual(overlapping, []);
      }
    });
  }

  test('names of any kind are text in it', async () => {
    const bars = [{ name: hostile, state: hostile, startMs: 0, ms: 1000 }];
    const gantt = await browser.evaluate<Drawn>(
      draw(waterfallDiagram({ kind: 'waterfall', title: hostile, bars })),
    );
    assert.ok(
      gantt.texts.some((text) => text.startsWith('a b c d e f init')),
      gantt.texts.join(' | '),
    );
    const points = [{ label: hostile, value: 1 }];
    const chart = await browser.evaluate<Drawn>(
      draw(growthDiagram({ kind: 'growth', title: 'Size', unit: 'GiB', points })),
    );
    assert.ok(
      chart.texts.some((text) => text.startsWith('a b c d e f init')),
      chart.texts.join(' | '),
    );
    assert.equal(
      await browser.evaluate<number>(
        'document.querySelectorAll(\'img, a, script[src^="javascript"]\').length',
      ),
      0,
    );
  });
});
