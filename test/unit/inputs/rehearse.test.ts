import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import type { RehearseInputs } from '../../../src/inputs/rehearse.ts';
import { fewestInputs, fewestVariables, type RawInputs, reader } from '../../support/inputs.ts';

const rehearse = (inputs: RawInputs = {}): RehearseInputs => {
  const given = { ...fewestInputs, command: 'rehearse', ...inputs };
  const parsed = parseInputs(reader(given), fewestVariables);
  assert.ok(parsed.command === 'rehearse');
  return parsed;
};

suite('the inputs of a rehearsal', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'inputs-'));
    writeFileSync(join(folder, 'rows.sql'), 'SELECT 1 WHERE false');
    writeFileSync(join(folder, 'count.sql'), '-- expect: 3..\nSELECT 4');
    writeFileSync(join(folder, 'wrong.sql'), '-- expect: some\nSELECT 4');
  });
  after(() => rmSync(folder, { recursive: true }));

  test('as few as there can be', () => {
    const inputs = rehearse();
    assert.ok(!inputs.checksOnly);
    const { backup, services, health, skipTables, dryRun, rehearsal } = inputs;
    assert.deepEqual(
      { backup, services, limit: health.timeoutMs, skipTables, dryRun, rehearsal },
      {
        backup: 'latest',
        services: undefined,
        limit: 120_000,
        skipTables: [],
        dryRun: false,
        rehearsal: {
          command: undefined,
          user: undefined,
          start: undefined,
          image: undefined,
          checks: [],
          failOn: 'error',
        },
      },
    );
  });

  test('all of them', () => {
    const inputs = rehearse({
      services: 'odoo',
      'rehearse-command': 'odoo -u all --stop-after-init',
      'rehearse-user': 'odoo',
      'rehearse-start': '/opt/next/odoo-bin',
      'compose-project-directory': '/srv/erp',
      'compose-odoo-service': 'odoo',
      'rehearse-image': 'registry.example.com:5000/odoo:next@sha256:abc',
      'rehearse-checks': `${join(folder, 'rows.sql')}\n${join(folder, 'count.sql')}`,
      'rehearse-fail-on': 'warning',
      'skip-table-data': 'ir_logging',
      'dry-run': 'true',
    });
    assert.ok(!inputs.checksOnly);
    const { checks, ...others } = inputs.rehearsal;
    assert.deepEqual(others, {
      command: 'odoo -u all --stop-after-init',
      user: 'odoo',
      start: '/opt/next/odoo-bin',
      image: 'registry.example.com:5000/odoo:next@sha256:abc',
      failOn: 'warning',
    });
    assert.deepEqual(
      checks.map(({ expects }) => expects),
      [undefined, { least: 3, most: Number.POSITIVE_INFINITY }],
    );
  });

  test('the checks alone need no bucket', () => {
    const inputs = rehearse({
      's3-bucket': '',
      customer: '',
      'checks-only': 'true',
      'rehearse-checks': join(folder, 'rows.sql'),
    });
    assert.ok(inputs.checksOnly);
    assert.equal(inputs.checks.length, 1);
  });

  for (const [inputs, problem] of [
    [{ 'rehearse-image': 'odoo:18' }, /rehearse-image: is for Compose: set compose-odoo-service/],
    [{ 'compose-odoo-service': 'odoo', 'rehearse-image': '--privileged' }, /is not the name of an image/],
    [{ 'rehearse-user': '-s' }, /rehearse-user: '-s' is not the name of an account/],
    [{ 'rehearse-fail-on': 'never' }, /is not one of failure, error, warning/],
    [{ 'rehearse-checks': '/no/such.sql' }, /rehearse-checks: \/no\/such\.sql cannot be read/],
    [{ 'checks-only': 'true' }, /rehearse-checks: is required, because checks-only is set/],
  ] as const) {
    test(`${JSON.stringify(inputs)} is refused`, () => assert.throws(() => rehearse(inputs), problem));
  }

  test('an expectation that is none is refused', () => {
    assert.throws(
      () => rehearse({ 'rehearse-checks': join(folder, 'wrong.sql') }),
      /wrong\.sql: 'some' is not a number/,
    );
  });
});
