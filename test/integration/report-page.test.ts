import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { htmlOf } from '../../src/report/html.ts';
import { Browser, type Look } from '../support/browser.ts';
import { samples } from '../support/sample-summaries.ts';

const looks: Readonly<Record<string, Look>> = {
  'light and wide': { width: 1280, height: 800, scheme: 'light' },
  'dark and wide': { width: 1280, height: 800, scheme: 'dark' },
  'light, on a phone': { width: 390, height: 844, scheme: 'light', phone: true },
  'dark, on a phone': { width: 390, height: 844, scheme: 'dark', phone: true },
};

/** What axe finds: its rule and where. https://github.com/dequelabs/axe-core */
const violations = `axe.run().then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`;

describe('the page of a run, in Chromium', () => {
  let browser: Browser;
  let folder: string;
  let axe: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pages-'));
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    for (const [name, summaries] of Object.entries(samples)) {
      await writeFile(join(folder, `${name}.html`), htmlOf(name, summaries));
    }
    browser = await Browser.open();
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  for (const name of Object.keys(samples)) {
    for (const [title, look] of Object.entries(looks)) {
      test(`${name}: ${title}`, async () => {
        await browser.show(`file://${join(folder, `${name}.html`)}`, look);
        await browser.evaluate("for (const each of document.querySelectorAll('details')) each.open = true;");
        await browser.evaluate(`${axe}; 0`);
        assert.deepEqual(await browser.evaluate<string[]>(violations), []);

        const [wide = 0, room = 0] = await browser.evaluate<number[]>(
          '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
        );
        assert.ok(wide <= room, `${wide} columns of pixels, of which ${room} are shown`);

        const broken = await browser.evaluate<string[]>(
          "[...document.querySelectorAll('.whole')].filter((each) => each.getClientRects().length > 1).map((each) => each.textContent)",
        );
        assert.deepEqual(broken, [], 'dates and commits in one piece');

        const paper = await browser.evaluate<string>('getComputedStyle(document.body).backgroundColor');
        assert.equal(paper, look.scheme === 'dark' ? 'rgb(13, 17, 23)' : 'rgb(255, 255, 255)');
      });
    }
  }

  test('tells when Odoo was down without its colour, and every night without its place', async () => {
    await browser.show(`file://${join(folder, 'rollback.html')}`, looks['light and wide'] as Look);
    const text = await browser.evaluate<string>('document.body.innerText');
    assert.match(text, /Odoo is down: 600 ms/);
    await browser.show(`file://${join(folder, 'list.html')}`, looks['light and wide'] as Look);
    const nights = await browser.evaluate<string[]>(
      "[...document.querySelectorAll('.nights .hidden')].map((each) => each.textContent)",
    );
    assert.equal(nights.length, 60);
    assert.ok(nights.includes('2026-11-24: no backup'));
  });
});
