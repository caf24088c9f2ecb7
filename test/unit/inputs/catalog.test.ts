import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Inputs, parseInputs } from '../../../src/inputs/parse.ts';
import { secretsOf } from '../../../src/inputs/secrets.ts';
import type { Environment } from '../../../src/platform/platform.ts';
import { InputError } from '../../../src/util/errors.ts';
import { fewestInputs, type RawInputs, reader } from '../../support/inputs.ts';

type Command = 'verify' | 'gate' | 'list' | 'prune';

const ofTheBucket: RawInputs = { 's3-bucket': 'backups', customer: 'acme', 'aws-region': 'eu-central-1' };

/** Nothing of SSH: these commands look at the bucket alone. */
const parse = (inputs: RawInputs, env: Environment = {}): Inputs =>
  parseInputs(reader({ ...ofTheBucket, ...inputs }), env);

const refuses = (inputs: RawInputs, message: RegExp, env: Environment = {}): void =>
  assert.throws(
    () => parse(inputs, env),
    (error) => error instanceof InputError && message.test(error.message),
  );

const guidesPolicy = {
  last: 14,
  daily: 7,
  weekly: 4,
  monthly: 3,
  yearly: 0,
  minimum: 3,
  timezone: 'UTC',
  withinMs: undefined,
};

suite('commands that look at the bucket alone', () => {
  test('gate', () => {
    const { s3: _, ...inputs } = parse({ command: 'gate', database: 'prod' }) as Extract<
      Inputs,
      { command: 'gate' }
    >;
    assert.deepEqual(inputs, {
      command: 'gate',
      database: 'prod',
      backup: 'latest',
      require: 'upload',
      signers: undefined,
      maxAgeMs: 26 * 3_600_000,
      maxShrink: 30,
      maxRestoreMs: undefined,
      timeoutMs: 6 * 3_600_000,
      warnings: [],
      pingUrl: undefined,
      catalogPage: false,
    });
  });

  test('verify', () => {
    const { s3: _, ...inputs } = parse({ command: 'verify' }) as Extract<Inputs, { command: 'verify' }>;
    assert.deepEqual(inputs, {
      command: 'verify',
      database: undefined,
      which: { kind: 'latest' },
      signing: { key: undefined, signers: undefined },
      identities: undefined,
      proof: { level: 'contents' },
      timeoutMs: 6 * 3_600_000,
      warnings: [],
      pingUrl: undefined,
      catalogPage: false,
    });
  });

  for (const [backup, which] of [
    ['oldest', { kind: 'oldest', count: 1 }],
    ['oldest 30', { kind: 'oldest', count: 30 }],
    ['2026-11-21_03-22-59', { kind: 'named', backup: '2026-11-21_03-22-59' }],
    ['acme/backups/oldest_2026-11-21_03-22-59.zip', undefined],
  ] as const) {
    test(`verify ${backup}`, () => {
      const inputs = parse({ command: 'verify', backup });
      assert.ok(inputs.command === 'verify');
      assert.deepEqual(inputs.which, which ?? { kind: 'named', backup });
    });
  }

  test('verify does not take any backup when the job before has handed over nothing', () => {
    refuses({ command: 'verify' }, /^backup: is empty/, { INPUT_BACKUP: '' });
  });

  test('verify asks for more than what every backup has', () => {
    refuses({ command: 'verify', verify: 'upload' }, /^verify: every backup already has the level upload/);
    for (const backup of ['oldest 0', 'oldest three', 'oldest 1001']) {
      refuses(
        { command: 'verify', backup },
        /^backup: 'oldest .*' is not oldest with a number from 1 to 1000/,
      );
    }
  });

  test('list', () => {
    const inputs = parse({ command: 'list' });
    assert.ok(inputs.command === 'list');
    assert.equal(inputs.database, undefined);
    assert.deepEqual(inputs.retention, {
      policy: guidesPolicy,
      deleteVersions: false,
      limitPercent: 50,
      maxShrink: 30,
    });
  });

  test('prune', () => {
    const inputs = parse({ command: 'prune', database: 'prod' });
    assert.ok(inputs.command === 'prune');
    assert.deepEqual([inputs.database, inputs.dryRun], ['prod', false]);
    assert.deepEqual(inputs.retention, {
      policy: guidesPolicy,
      deleteVersions: false,
      limitPercent: 50,
      maxShrink: 30,
    });
  });

  for (const command of ['gate', 'prune'] satisfies Command[]) {
    test(`${command} needs the database`, () => {
      refuses({ command }, /^database: is required/);
      refuses({ command, database: 'prod,test' }, /^database: accepts one database/);
    });
  }

  test('DRY_RUN applies to a prune', () => {
    const inputs = parse({ command: 'prune', database: 'prod' }, { DRY_RUN: 'True' });
    assert.ok(inputs.command === 'prune' && inputs.dryRun);
    const given = parse({ command: 'prune', database: 'prod', 'dry-run': 'false' }, { DRY_RUN: 'true' });
    assert.ok(given.command === 'prune' && !given.dryRun);
  });
});

suite('a gate', () => {
  const ages: [string, number][] = [
    ['30m', 30 * 60_000],
    ['26h', 26 * 3_600_000],
    ['7d', 7 * 86_400_000],
    ['400d', 400 * 86_400_000],
  ];
  for (const [text, ms] of ages) {
    test(`of max-age ${text}`, () => {
      const inputs = parse({ command: 'gate', database: 'prod', 'max-age': text });
      assert.ok(inputs.command === 'gate');
      assert.equal(inputs.maxAgeMs, ms);
    });
  }

  test('refuses what is no level and no age', () => {
    refuses({ command: 'gate', database: 'prod', require: 'full' }, /^require: 'full' is not one of upload/);
    refuses({ command: 'gate', database: 'prod', 'max-age': '26' }, /^max-age: '26' is not a duration from/);
    refuses({ command: 'gate', database: 'prod', 'max-age': '0h' }, /^max-age: '0h' is not a duration from/);
  });

  for (const variable of ['INPUT_BACKUP', 'ODOO_BACKUP_BACKUP']) {
    test(`does not take any backup where the key it was to get is empty (${variable})`, () => {
      refuses({ command: 'gate', database: 'prod' }, /^backup: is empty: the earlier job/, {
        [variable]: ' ',
      });
    });
  }
});

suite('retention', () => {
  test('all rules', () => {
    const inputs = parse({
      command: 'prune',
      database: 'prod',
      'keep-last': '0',
      'keep-daily': '1',
      'keep-weekly': '2',
      'keep-monthly': '3',
      'keep-yearly': '4',
      'keep-within': '36h',
      'minimum-keep': '5',
      timezone: 'Europe/Paris',
      'delete-versions': 'true',
    });
    assert.ok(inputs.command === 'prune');
    assert.deepEqual(inputs.retention, {
      policy: {
        last: 0,
        daily: 1,
        weekly: 2,
        monthly: 3,
        yearly: 4,
        withinMs: 36 * 3_600_000,
        minimum: 5,
        timezone: 'Europe/Paris',
      },
      deleteVersions: true,
      limitPercent: 50,
      maxShrink: 30,
    });
  });

  const none: RawInputs = {
    'keep-last': '0',
    'keep-daily': '0',
    'keep-weekly': '0',
    'keep-monthly': '0',
    'keep-yearly': '0',
  };
  const refused: [RawInputs, RegExp][] = [
    [{ 'keep-last': '-1' }, /^keep-last: '-1' is not a whole number from 0/],
    [{ 'keep-daily': '1.5' }, /^keep-daily: /],
    [{ 'minimum-keep': '0' }, /^minimum-keep: '0' is not a whole number from 1/],
    [{ 'keep-within': '7' }, /^keep-within: '7' is not a duration/],
    [{ timezone: 'Europe/Atlantis' }, /^timezone: 'Europe\/Atlantis' is not the name of a time zone/],
    [none, /^keep-last: with 0, set at least one of keep-daily, /],
  ];
  for (const [inputs, message] of refused) {
    test(`refuses ${JSON.stringify(inputs)}`, () =>
      refuses({ command: 'prune', database: 'prod', ...inputs }, message));
  }

  test('keep-within alone is enough', () => {
    assert.doesNotThrow(() => parse({ command: 'prune', database: 'prod', ...none, 'keep-within': '7d' }));
  });

  test('after a backup only when prune is set', () => {
    const backup = (inputs: RawInputs) =>
      parse({ ...fewestInputs, ...inputs }, { SSH_AUTH_SOCK: '/run/agent.sock' });
    const without = backup({ 'keep-last': '3' });
    assert.ok(without.command === 'backup' && without.retention === undefined);
    const pruning = backup({ prune: 'true', 'keep-last': '3' });
    assert.ok(pruning.command === 'backup');
    assert.equal(pruning.retention?.policy.last, 3);
  });
});

suite('object-lock', () => {
  const lock = (inputs: RawInputs) => {
    const list = parse({ command: 'list', ...inputs });
    assert.ok(list.command === 'list');
    return list;
  };

  test('takes a mode and days', () => {
    assert.deepEqual(lock({ 'object-lock': 'governance', 'lock-days': '30' }).s3.lock, {
      mode: 'GOVERNANCE',
      days: 30,
    });
    assert.equal(lock({ 'object-lock': 'compliance', 'lock-days': '1' }).s3.lock?.mode, 'COMPLIANCE');
  });

  test('refuses one without the other, and what is neither', () => {
    refuses({ command: 'list', 'object-lock': 'governance' }, /^lock-days: is required, because object-lock/);
    refuses({ command: 'list', 'lock-days': '3' }, /^object-lock: is required, because lock-days is set$/);
    refuses({ command: 'list', 'object-lock': 'legal', 'lock-days': '3' }, /^object-lock: 'legal' is not/);
    refuses({ command: 'list', 'object-lock': 'governance', 'lock-days': '0' }, /^lock-days: '0' is not/);
  });
});

suite('ping-url', () => {
  test('is taken by every command', () => {
    assert.equal(
      parse({ command: 'list', 'ping-url': 'https://hc.example/x' }).pingUrl,
      'https://hc.example/x',
    );
  });

  test('is a secret, and is not repeated where it is refused', () => {
    assert.deepEqual(secretsOf(reader({ 'ping-url': 'https://hc.example/x' }), {}), ['https://hc.example/x']);
    refuses({ command: 'list', 'ping-url': 'ftp://hc.example/x' }, /^ping-url: is not an http or https URL$/);
  });
});
