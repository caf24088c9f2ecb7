// Writes the pictures of the documentation anew: pages of runs, as Chromium shows them (docs/pictures/), and a terminal
// that plays the demo (docs/images/demo.svg). A picture is not the same on every machine, which has other fonts and other
// times, so that nothing compares them.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { htmlOf } from '../src/report/html.ts';
import { Browser, type Look } from '../test/support/browser.ts';
import { samples } from '../test/support/sample-summaries.ts';
import { chapters, recordDemo } from './pictures/demo.ts';
import { terminalSvg } from './pictures/terminal.ts';

const wide = { width: 1000, height: 100 } as const;
const pictures: readonly (readonly [file: string, sample: keyof typeof samples, look: Look])[] = [
  ['rollback-light', 'rollback', { ...wide, scheme: 'light' }],
  ['rollback-dark', 'rollback', { ...wide, scheme: 'dark' }],
  ['list-light', 'list', { ...wide, scheme: 'light' }],
  ['list-dark', 'list', { ...wide, scheme: 'dark' }],
  ['databases-light', 'databases', { ...wide, scheme: 'light' }],
  ['failure-light', 'failure', { ...wide, scheme: 'light' }],
  ['list-phone', 'list', { width: 390, height: 100, scheme: 'light', phone: true }],
];

const folder = fileURLToPath(new URL('../docs/pictures/', import.meta.url));
const pages = await mkdtemp(join(tmpdir(), 'pictures-'));
await mkdir(folder, { recursive: true });
await using browser = await Browser.open();
try {
  for (const [file, sample, look] of pictures) {
    const page = join(pages, `${file}.html`);
    await writeFile(page, htmlOf(`odoo-backup ${sample}`, samples[sample]));
    await browser.show(`file://${page}`, look);
    await writeFile(join(folder, `${file}.png`), await browser.picture());
  }
} finally {
  await rm(pages, { recursive: true });
}

const played = chapters(await recordDemo(), 'The next backup', 'The same deploy, rehearsed first');
const terminal = fileURLToPath(new URL('../docs/images/demo.svg', import.meta.url));
await writeFile(terminal, terminalSvg(played, 'npm run demo', { columns: 110, rows: 28 }));
