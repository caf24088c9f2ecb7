import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { growthCharts, nightsOf } from '../../../src/catalog/charts.ts';
import type { Condition, Entry } from '../../../src/catalog/entries.ts';
import { decide, protect } from '../../../src/catalog/retention.ts';
import { databasesOverview, listSummary, pruneSummary } from '../../../src/catalog/summary.ts';
import { entriesJson } from '../../../src/catalog/words.ts';
import { markdownOf } from '../../../src/report/markdown.ts';
import { plainText } from '../../../src/report/plain.ts';
import { legendOf } from '../../../src/report/summary.ts';
import { guidesPolicy, policyOf } from '../../support/catalogs.ts';
import { sampleEntries, entryOf as sampleEntry } from '../../support/sample-summaries.ts';
import { nights } from '../../support/stored-backups.ts';

const now = new Date('2026-11-21T08:00:00Z');

const entryOf = (time: string, condition: Condition, size?: number): Entry =>
  sampleEntry(time, condition, size, 'prod');

const verified: Condition = { kind: 'verified', level: 'upload' };

const odd: Condition[] = [
  { kind: 'failed', why: 'contents: dump.sql is cut' },
  { kind: 'mismatched', why: 'it has 5 bytes, its receipt says 7' },
  { kind: 'unreadable', why: 'not JSON' },
  { kind: 'without-receipt' },
  { kind: 'without-archive' },
];

/** The newest and the others, of every condition. */
const entries = nights(odd.length + 1, '2026-11-21').map((time, night) =>
  entryOf(time, odd[night - 1] ?? verified),
);

suite('the summary of a list', () => {
  test('shows everything as what it is, and what retention would do', () => {
    const summary = listSummary('prod', decide(entries, policyOf()), now, { notes: ['A note.'] });
    assert.equal(
      plainText(summary),
      `⚠️ prod: 1 verified backup, 1 failed

Newest  acme/backups/prod_2026-11-21_02-00-00.zip, 6 hours ago
Size    5.0 GiB

Last 6 nights:
2026-11-16  ???XX+
+ arrived, ? no verified backup, X failed

Backup (UTC)                 Age     Size  Verified                                     Odoo  Commit    Retention
2026-11-21_02-00-00  6 hours ago  1.0 GiB  upload                                       17.0  c0ffee01  keep: newest
2026-11-20_02-00-00    1 day ago  1.0 GiB  failed, contents: dump.sql is cut            17.0  c0ffee01  delete: failed verification
2026-11-19_02-00-00   2 days ago  1.0 GiB  changed: it has 5 bytes, its receipt says 7  17.0  c0ffee01  keep: its receipt is for another archive
2026-11-18_02-00-00   3 days ago  1.0 GiB  receipt cannot be read                                       keep: its receipt cannot be read
2026-11-17_02-00-00   4 days ago  1.0 GiB  archive without receipt                                      delete: without receipt
2026-11-16_02-00-00   5 days ago           receipt without archive                      17.0  c0ffee01  delete: without archive

A note.`,
    );
  });

  test('has a sign for each night, in which what is missing is seen', () => {
    const { blocks } = listSummary(
      'shop',
      decide(sampleEntries(), guidesPolicy),
      new Date('2026-11-29T16:00:00Z'),
    );
    const strip = blocks.find((block) => block.kind === 'nights');
    assert.equal(strip?.title, 'Last 60 nights');
    assert.deepEqual(
      strip?.nights.slice(-7).map(({ day, state }) => `${day} ${state}`),
      [
        '2026-11-23 upload',
        '2026-11-24 none',
        '2026-11-25 none',
        '2026-11-26 upload',
        '2026-11-27 upload',
        '2026-11-28 upload',
        '2026-11-29 restore',
      ],
    );
  });

  test('knows nights since the newest backup, and this one once it has its own', () => {
    const old = [entryOf('2026-11-18_02-00-00', verified)];
    assert.deepEqual(
      nightsOf(old, now).map(({ day, state }) => [day.slice(8), state]),
      [
        ['18', 'upload'],
        ['19', 'none'],
        ['20', 'none'],
      ],
    );
    assert.equal(nightsOf([entryOf('2026-11-21_02-00-00', verified), ...old], now).at(-1)?.day, '2026-11-21');
    assert.deepEqual(nightsOf([], now), []);
  });

  test('shows the deepest level of a night', () => {
    const [one, two] = ['2026-11-20_02-00-00', '2026-11-20_12-00-00'].map((time, i) =>
      entryOf(time, { kind: 'verified', level: i === 0 ? 'boot' : 'restore' }),
    ) as [Entry, Entry];
    const strip = nightsOf([two, one], now);
    assert.deepEqual(strip, [{ day: '2026-11-20', state: 'boot' }]);
    assert.deepEqual(legendOf(strip), [{ sign: '🟣', means: 'Odoo answered on it', state: 'boot' }]);
  });

  test('has charts of size and duration, one bar a night, and none for one that is missing', () => {
    const many = nights(30, '2026-11-21').flatMap((time, night) =>
      night === 2 ? [] : [entryOf(time, verified, (60 - night) * 2 ** 28)],
    );
    const [size, time] = growthCharts(many, now);
    assert.ok(size && time);
    assert.deepEqual([size.unit, time.unit, size.points.length], ['GiB', 'min', 20]);
    assert.deepEqual(size.points.slice(-4), [
      { label: '18', value: 14.25 },
      { label: '19', value: undefined },
      { label: '20', value: 14.75 },
      { label: '21', value: 15 },
    ]);
    assert.equal(size.points[0]?.label, '2 Nov');
    const markdown = markdownOf(listSummary('prod', decide(many, guidesPolicy), now));
    assert.match(
      markdown,
      /```mermaid\n---\nconfig:.*xychart-beta\ntitle "Size of the last 20 nights, GiB"\n/s,
    );
    assert.match(markdown, /\ny-axis 0 --> 20\nbar \[.*, 14\.25, 0, 14\.75, 15\]\n/);
    assert.match(markdown, /<details><summary>Backups: 29<\/summary>/);
  });

  test('of several databases begins with all of them side by side', () => {
    const databases = new Map(['blog', 'shop'].map((name) => [name, sampleEntries(name)]));
    const text = markdownOf(databasesOverview(databases, new Date('2026-11-29T16:00:00Z')));
    assert.match(text, /^### ⚠️ 2 databases, 2 to be looked at\n/);
    assert.match(
      text,
      /\| ⚠️ blog \| 56 verified backups, newest 14 hours ago, .*, 1 failed \| .*🟢⬜⬜🟢🟢🟢✅ \|/,
    );
    assert.match(text, /✅ restored for a test · 🔷 read back · 🟢 arrived · ❌ failed · ⬜ no backup/);
  });

  test('of thousands of backups stays below what a job summary may hold', () => {
    const many = nights(3000, '2026-11-21').map((time) => entryOf(time, verified));
    const verdicts = decide(many, guidesPolicy);
    const markdown = markdownOf(listSummary('prod', verdicts, now));
    assert.match(markdown, /And 2,500 older ones\./);
    assert.ok(Buffer.byteLength(markdown) < 2 ** 18);
    assert.ok(JSON.stringify(entriesJson(verdicts, now)).length < 2 ** 20);
  });
});

test('the summary of a prune says what is gone, and what a dry run would have done', () => {
  const [newest, old] = decide(entries.slice(0, 2), policyOf());
  assert.ok(newest && old);
  const done = pruneSummary('prod', [newest, old], { dryRun: false, notes: [] }, now);
  assert.match(plainText(done), /^✅ prod: 1 kept, 1 deleted\n\nFreed {2}1\.0 GiB\n/);
  const dry = pruneSummary('prod', [newest, protect(old, 'legal hold')], { dryRun: true, notes: [] }, now);
  assert.match(
    plainText(dry),
    /^✅ prod: 2 would stay, 0 would be deleted; nothing was changed\n\nWould free {2}0 B\n/,
  );
  assert.match(plainText(dry), /keep: legal hold$/m);
});

test('the JSON has what a program asks of an entry', () => {
  const [newest, , , , , last] = entriesJson(decide(entries, policyOf({ last: 1 })), now);
  assert.deepEqual(newest, {
    database: 'prod',
    key: 'acme/backups/prod_2026-11-21_02-00-00.zip',
    time: '2026-11-21T02:00:00.000Z',
    ageSeconds: 6 * 3600,
    size: 2 ** 30,
    condition: 'verified',
    signedBy: null,
    sealedFor: null,
    level: 'upload',
    odooVersion: '17.0',
    backupSeconds: 90,
    restoreSeconds: null,
    recoverySeconds: null,
    commit: 'c0ffee0123456789',
    run: 'https://ci.example/1',
    code: null,
    pinned: null,
    shrunk: [],
    keep: true,
    rules: [{ kind: 'newest' }, { kind: 'last', place: 1 }],
  });
  assert.deepEqual({ ...last, size: null }, { ...last, level: null, keep: false, reason: 'without archive' });
});
