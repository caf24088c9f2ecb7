import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Condition, Entry } from '../../../src/catalog/entries.ts';
import { decide, protect } from '../../../src/catalog/retention.ts';
import { listSummary, pruneSummary } from '../../../src/catalog/summary.ts';
import { entriesJson } from '../../../src/catalog/words.ts';
import { markdownOf } from '../../../src/report/markdown.ts';
import { plainText } from '../../../src/report/plain.ts';
import type { Summary } from '../../../src/report/summary.ts';
import { guidesPolicy, policyOf } from '../../support/catalogs.ts';
import { keyOf, nights, sampleReceipt } from '../../support/stored-backups.ts';

const now = new Date('2026-11-21T08:00:00Z');

function entryOf(time: string, condition: Condition, size = 2 ** 30): Entry {
  const key = keyOf({ time });
  const at = new Date(`${time.slice(0, 10)}T${time.slice(11).replaceAll('-', ':')}Z`);
  const archive = condition.kind === 'without-archive' ? undefined : { key, size, modified: at };
  const receipt = {
    ...sampleReceipt('backups', key, 'prod', size),
    startedAt: at.toISOString(),
    finishedAt: new Date(at.getTime() + 90_000).toISOString(),
    odoo: { version: '17.0', modules: 60 },
    run: { platform: 'github', commit: 'c0ffee0123456789', url: 'https://ci.example/1' },
  } as const;
  const hasReceipt = condition.kind !== 'without-receipt' && condition.kind !== 'unreadable';
  return {
    key,
    database: 'prod',
    at,
    archive,
    receiptObject: hasReceipt ? { key: key.replace('.zip', '.json'), size: 1, modified: at } : undefined,
    receipt: hasReceipt ? receipt : undefined,
    condition,
  };
}

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

const diagrams = ({ blocks }: Summary): string[] =>
  blocks.flatMap((block) => (block.kind === 'diagram' ? [block.mermaid] : []));

suite('the summary of a list', () => {
  test('shows everything as what it is, and what retention would do', () => {
    const summary = listSummary('prod', decide(entries, policyOf()), ['A note.'], now);
    assert.equal(
      plainText(summary),
      `⚠️ prod: 1 verified backup, 1 failed

Newest  acme/backups/prod_2026-11-21_02-00-00.zip, 6 hours ago
Size    5.0 GiB

Backup (UTC)                 Age     Size  Verified                                     Odoo  Restore  Commit    Retention
2026-11-21_02-00-00  6 hours ago  1.0 GiB  upload                                       17.0           c0ffee01  keep: newest
2026-11-20_02-00-00    1 day ago  1.0 GiB  failed, contents: dump.sql is cut            17.0           c0ffee01  delete: failed verification
2026-11-19_02-00-00   2 days ago  1.0 GiB  changed: it has 5 bytes, its receipt says 7  17.0           c0ffee01  keep: its receipt speaks of something else
2026-11-18_02-00-00   3 days ago  1.0 GiB  receipt cannot be read                                                keep: its receipt cannot be read
2026-11-17_02-00-00   4 days ago  1.0 GiB  archive without receipt                                               delete: without receipt
2026-11-16_02-00-00   5 days ago           receipt without archive                      17.0           c0ffee01  delete: without archive

A note.`,
    );
  });

  test('has pictures of size, duration, and the slots that are filled', () => {
    const many = nights(60, '2026-11-21').map((time, night) =>
      entryOf(time, verified, (60 - night) * 2 ** 28),
    );
    const summary = listSummary(
      'prod',
      decide(many, { ...guidesPolicy, daily: 3, weekly: 2, yearly: 1 }),
      [],
      now,
    );
    const [size = '', time = '', days = '', months = ''] = diagrams(summary);
    assert.match(
      size,
      /^xychart-beta\ntitle "Size in GiB"\nx-axis \["11-02", .*, "11-21"\]\ny-axis 0 --> 17\n/,
    );
    assert.match(size, /\nbar \[10\.25, 10\.5, .*, 14\.75, 15\]$/);
    assert.match(time, /^xychart-beta\ntitle "Duration in min"\n.*\ny-axis 0 --> 1\.7\nbar \[1\.5, 1\.5, /s);
    assert.equal(
      days,
      `---
displayMode: compact
---
gantt
dateFormat YYYY-MM-DD
axisFormat %d %b
section Days
19 :2026-11-19, 1d
20 :2026-11-20, 1d
21 :2026-11-21, 1d
section Weeks
W46 :2026-11-09, 7d
W47 :2026-11-16, 7d`,
    );
    assert.match(
      months,
      /section Months\n2026-09 :2026-09-01, 2026-10-01\n.*\n2026-11 :2026-11-01, 2026-12-01\n/s,
    );
    assert.match(months, /\nsection Years\n2026 :2026-01-01, 2027-01-01$/);
    assert.match(markdownOf(summary), /```mermaid\nxychart-beta\n/);
  });

  test('tells several backups of one day apart', () => {
    const hourly = ['02', '01', '00'].map((hour) => entryOf(`2026-11-21_${hour}-30-00`, verified));
    const [size] = diagrams(listSummary('prod', decide(hourly, guidesPolicy), [], now));
    assert.match(size ?? '', /x-axis \["11-21 00:30", "11-21 01:30", "11-21 02:30"\]/);
  });

  test('of thousands of backups stays below what a job summary may hold', () => {
    const many = nights(3000, '2026-11-21').map((time) => entryOf(time, verified));
    const verdicts = decide(many, guidesPolicy);
    const markdown = markdownOf(listSummary('prod', verdicts, [], now));
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
