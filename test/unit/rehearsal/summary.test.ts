import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { RestoreSource } from '../../../src/backup-reader/open.ts';
import { OdooLog } from '../../../src/odoo/boot/odoo-log.ts';
import { Experience, partOf } from '../../../src/rehearsal/outcome.ts';
import {
  failureSummary,
  type Rehearsal,
  rehearsalJson,
  rehearsalSummary,
} from '../../../src/rehearsal/summary.ts';
import { htmlOf } from '../../../src/report/html.ts';
import { markdownOf } from '../../../src/report/markdown.ts';
import { plainText } from '../../../src/report/plain.ts';
import { type Step, StrandedError } from '../../../src/restore/plan.ts';
import { UserError } from '../../../src/util/errors.ts';

const source: RestoreSource = {
  uri: 's3://backups/acme/backups/shop_2026-11-21_03-04-05.zip',
  key: 'acme/backups/shop_2026-11-21_03-04-05.zip',
  size: 3 * 2 ** 30,
  receipt: undefined,
  authorship: undefined,
  isSealed: false,
  passedOver: [],
  createdAt: new Date(),
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

function partFrom(lines: readonly string[], seconds: number) {
  const log = new OdooLog();
  for (const line of lines) log.add(line);
  return { ...partOf(log, 0), seconds };
}

const logged = (level: string, message: string) =>
  `2026-11-30 09:00:00,123 4711 ${level} shop odoo.x: ${message}`;

function rehearsal(change: (experience: Experience) => void): Rehearsal {
  const experience = new Experience();
  change(experience);
  return {
    source,
    database: 'shop',
    host: 'deploy@odoo.example.com:22',
    inPlace: false,
    facts: [],
    steps: [],
    experience,
    leftOut: [],
    copySeconds: 61,
    seconds: 400,
    spans: [
      { name: 'connect', title: 'Connect to deploy@odoo.example.com', startMs: 0, ms: 900 },
      {
        name: 'create',
        title: 'Create the database shop__rehearsal_20261121034100',
        startMs: 900,
        ms: 60_000,
      },
      { name: 'command', title: 'Run rehearse-command on the copy', startMs: 61_000, ms: 252_000 },
      { name: 'undo', title: 'Drop shop__rehearsal_20261121034100', startMs: 313_000, ms: 900 },
    ],
  };
}

const works = rehearsal((experience) => {
  experience.migration = partFrom([logged('WARNING', 'one'), logged('WARNING', 'two')], 252);
  experience.boot = { ...partFrom([logged('WARNING', 'three')], 12.3), answer: '/web/login answers 200' };
  experience.checks.push({ name: 'moves.sql', passed: true, found: 'no row', seconds: 0.1 });
});

suite('the summary of a rehearsal', () => {
  test('says that it works, how long the migration takes, and what it warns of', () => {
    const text = plainText(rehearsalSummary(works), 100);
    const title =
      '✅ shop: the rehearsal works: 4 min 12 s of migration, Odoo answers after 12.3 s, 1 check passed, 3 warnings';
    assert.ok(text.replaceAll(/\s+/g, ' ').startsWith(title), text);
    assert.match(text, /Migration +4 min 12 s; 0 errors and 2 warnings in its log/);
    assert.match(text, /Check +moves\.sql: no row/);
    assert.match(text, /WARNING +odoo\.x +two/);
    const json = JSON.parse(JSON.stringify(rehearsalJson(works, 'works')));
    assert.deepEqual(
      [json.result, json.migration.seconds, json.copy.seconds, json.warnings, json.errors],
      ['works', 252, 61, 3, 0],
    );
  });

  test('is to be looked at where the log has an error', () => {
    const flawed = rehearsal((experience) => {
      experience.boot = { ...partFrom([logged('ERROR', 'no'), 'detail'], 1), answer: 'yes' };
    });
    const summary = rehearsalSummary(flawed);
    assert.equal(summary.outcome, 'flawed');
    assert.match(summary.title, /1 error, no warnings/);
  });

  const step: Step = {
    name: 'command',
    title: 'Run rehearse-command on the copy',
    details: [],
    run: async () => {},
  };

  test('of a failure has the last lines; and the commands, where the copy is still there', () => {
    const failed = rehearsal((experience) => {
      experience.lastWords = ['Traceback (most recent call last):', 'ValueError: no'];
    });
    const error = new UserError('rehearse-command failed: ValueError: no', 'Correct the code.');
    const text = plainText(failureSummary(failed, { step, error, undone: ['Drop it'] }), 100);
    assert.match(text, /❌ shop: the rehearsal failed; the copy is dropped, nothing else was touched/);
    assert.match(text, /What to do +Correct the code/);
    assert.match(text, /Traceback \(most recent call last\):\n *ValueError: no/);
    const stranded = new StrandedError('stuck', ['dropdb shop__rehearsal_1'], error);
    const byHand = plainText(failureSummary(failed, { step, error: stranded, undone: [] }), 100);
    assert.match(byHand, /the copy is still there, and needs you now/);
    assert.match(byHand, /dropdb shop__rehearsal_1/);
  });

  test('shows what a hostile log says as text, in every form', () => {
    const words = '<script>x</script> | `a` [x](javascript:1) ##[error] \x1b[2J';
    const hostile = rehearsal((experience) => {
      experience.migration = partFrom([logged('ERROR', words), words], 1);
      experience.lastWords = partFrom([logged('ERROR', words)], 1).entries.map(({ message }) => message);
    });
    const error = new UserError(`failed: ${words}`, 'x');
    const summary = failureSummary(hostile, { step, error, undone: [] });
    const withoutCode = markdownOf(summary).replaceAll(/(`+).*?\1/g, '');
    for (const text of [withoutCode, htmlOf('Rehearsal', [summary])]) {
      assert.doesNotMatch(text, /<script>x/);
      assert.doesNotMatch(text, /\x1b/);
    }
    assert.doesNotMatch(plainText(summary, 100), /\x1b/);
  });
});
