import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { RestoreSource } from '../../../src/backup-reader/open.ts';
import { markdownOf } from '../../../src/report/markdown.ts';
import { plainText } from '../../../src/report/plain.ts';
import { type Step, StrandedError } from '../../../src/restore/plan.ts';
import {
  failureSummary,
  outcomeOutputs,
  outcomeSummary,
  type RestoreOutcome,
  refusalSummary,
} from '../../../src/restore/summary.ts';
import { UserError } from '../../../src/util/errors.ts';

const source: RestoreSource = {
  uri: 's3://backups/acme/backups/shop_2026-11-21_03-04-05.zip',
  key: 'acme/backups/shop_2026-11-21_03-04-05.zip',
  size: 3 * 2 ** 30,
  receipt: undefined,
  authorship: undefined,
  isSealed: false,
  passedOver: [],
  createdAt: new Date(Date.now() - 3 * 3_600_000),
  database: 'shop',
  odooVersion: '17.0',
  description: undefined,
  manifest: undefined,
  dump: { kind: 'directory', files: [], size: 0, readFiles: async function* () {} },
  filestore: undefined,
  leftOut: [],
  members: undefined,
  member: () => undefined,
  readFiles: async function* () {},
  assertDump: async () => {},
};
const made = `${source.createdAt?.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
const matter = { source, database: 'shop', host: 'deploy@odoo.example.com:22', inPlace: true };
const step = (title: string, undo?: string): Step => ({
  name: title,
  title,
  details: [],
  run: async () => {},
  ...(undo === undefined ? {} : { undo: { title: undo, run: async () => {}, byHand: [] } }),
});
const stop = step('Stop Odoo', 'Start Odoo again');
const outcome: RestoreOutcome = {
  ...matter,
  facts: [['Replaces', 'the database shop']],
  losses: undefined,
  code: undefined,
  dryRun: false,
  steps: [stop, step('Compare')],
  neutralize: true,
  newUuid: false,
  leftOut: [],
  kept: [],
  downtimeSeconds: 1.25,
  seconds: 61,
  spans: [
    { name: 'load', title: 'Load the dump: 10.0 MiB, custom format', startMs: 0, ms: 50_500 },
    { name: 'stop', title: 'Stop Odoo', startMs: 50_500, ms: 500 },
    { name: 'health', title: 'Wait until Odoo is healthy', startMs: 51_000, ms: 750 },
    { name: 'keep', title: 'Keep what was replaced', startMs: 51_750, ms: 9000 },
  ],
};

suite('the summary of a rollback', () => {
  test('says how far back the database is, for how long Odoo was away, and what it took', () => {
    assert.equal(
      plainText(outcomeSummary(outcome), 100),
      `✅ shop is back to ${made}

Database  shop on deploy@odoo.example.com:22
Backup    s3://backups/acme/backups/shop_2026-11-21_03-04-05.zip
Made      ${made}, 3 hours ago
Content   shop, Odoo 17.0, 3.0 GiB; not verified: it has no receipt
Downtime  1.3 s, from the stop of Odoo until it was healthy
Time      1 min 01 s

Load the dump               ████████████████████      50.5 s
Stop Odoo                                      ▒      500 ms  Odoo is down
Wait until Odoo is healthy                      ▒     750 ms  Odoo is down
Keep what was replaced                          ████   9.0 s`,
    );
  });

  test('shows on GitHub when Odoo was down, as a Gantt chart', () => {
    assert.match(
      markdownOf(outcomeSummary(outcome)),
      /```mermaid\ngantt\ntitle Rollback of shop 1 min 01 s, Odoo away for 1\.3 s\n.*section Odoo is down\nStop Odoo 500 ms :crit, 2000-01-01 00:00:50\.500, 500ms\n/s,
    );
  });

  test('says what was kept, and nothing of a downtime where Odoo was not stopped', () => {
    const text = plainText(
      outcomeSummary({
        ...outcome,
        kept: ['the database shop__old_1, until 2026'],
        downtimeSeconds: undefined,
        inPlace: false,
      }),
    );
    assert.match(text, new RegExp(`^✅ shop is restored from shop of ${made}\n`));
    assert.match(text, /^Copy {6}neutralized, with the database\.uuid of the original$/m);
    assert.match(text, /^Kept {6}what was replaced: the database shop__old_1, until 2026$/m);
    assert.doesNotMatch(text, /Downtime/);
  });

  test('of a dry run shows on GitHub what was found, and the plan, to whoever approves it', () => {
    assert.equal(
      markdownOf(outcomeSummary({ ...outcome, dryRun: true })),
      `### ✅ Dry run: shop can go back to ${made}; nothing was changed

<table>
<tr><th align="left" scope="row">Database</th><td><code>shop</code> on deploy@odoo.example.com:22</td></tr>
<tr><th align="left" scope="row">Replaces</th><td>the database shop</td></tr>
</table>

**The plan**

1. Stop Odoo (undo: start Odoo again)
2. Compare

If a step fails, or the run is cancelled, every step that was begun is undone, the last one first.
`,
    );
  });

  test('that was refused lists what stands in the way, and what to do about each', () => {
    const problems = [
      { message: 'odoo may not create databases', hint: 'Give it the right.' },
      { message: 'systemd knows no unit odo', hint: 'See services.' },
    ];
    const text = plainText(refusalSummary(matter, outcome.facts, problems));
    assert.match(
      text,
      /^❌ shop cannot be rolled back: 2 things stand in the way; nothing was changed\n\nIn the way +What to do\nodoo may not create databases +Give it the right\.\nsystemd/,
    );
    const one = refusalSummary({ ...matter, inPlace: false }, [], problems.slice(1));
    assert.equal(one.title, 'shop cannot be restored: 1 thing stands in the way; nothing was changed');
  });

  test('that was taken back says what failed, why, what was undone, and what to do', () => {
    const error = new UserError('Odoo is not healthy after 120 s', 'See its log.');
    assert.equal(
      plainText(failureSummary(matter, { step: stop, error, undone: ['Stop Odoo', 'Rename back'] })),
      `❌ shop was not rolled back: everything is as it was before

Database    shop on deploy@odoo.example.com:22
Backup      s3://backups/acme/backups/shop_2026-11-21_03-04-05.zip
Failed      Stop Odoo
Because     Odoo is not healthy after 120 s
What to do  See its log.

Taken back:
  1. Stop Odoo
  2. Rename back`,
    );
  });

  test('that another run has overtaken says so, and claims nothing of what is there', () => {
    const error = new StrandedError(
      'Lost. Nothing was undone: another run is at work',
      [],
      undefined,
      'Look.',
    );
    assert.equal(
      plainText(failureSummary(matter, { step: stop, error, undone: [] })),
      `❌ shop was not rolled back: another run has taken over

Database    shop on deploy@odoo.example.com:22
Backup      s3://backups/acme/backups/shop_2026-11-21_03-04-05.zip
Failed      Stop Odoo
Because     Lost. Nothing was undone: another run is at work
What to do  Look.`,
    );
  });

  test('that needs a person has the commands to run, each to be copied as it is', () => {
    const error = new StrandedError('It broke', ["mv -T 'a b' c", 'systemctl start odoo'], undefined);
    const text = markdownOf(failureSummary(matter, { step: stop, error, undone: [] }));
    assert.match(text, /^### ❌ shop was not rolled back: it needs you now$/m);
    assert.match(
      text,
      /\*\*Run on the host, in this order\*\*\n\n1\. `mv -T 'a b' c`\n2\. `systemctl start odoo`\n$/,
    );
  });
});

test('outputs of a dry run name the key to apply, and no time that a restore took', () => {
  assert.deepEqual(outcomeOutputs({ ...outcome, dryRun: true, downtimeSeconds: undefined }), {
    key: source.key,
    uri: source.uri,
    receipt: '',
    size: String(3 * 2 ** 30),
    database: 'shop',
    'odoo-version': '17.0',
    verified: '',
    duration: '61.0',
    json: '{"losses":null,"code":null,"durations":{"load":50.5,"stop":0.5,"health":0.75,"keep":9}}',
  });
  const { downtime, 'restore-seconds': seconds } = outcomeOutputs(outcome);
  assert.deepEqual([downtime, seconds], ['1.3', '61.0']);
});
