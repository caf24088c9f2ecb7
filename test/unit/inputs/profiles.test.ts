import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import {
  fewestInputs,
  fewestVariables,
  inputsFixture,
  type RawInputs,
  reader,
} from '../../support/inputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
after(() => rmSync(folder, { recursive: true }));

const profiles = `
development:
  every: 12h
  format: plain
  filestore: false
  prune: true
  keep-last: 0
  keep-daily: 0
  keep-weekly: 0
  keep-monthly: 0
  keep-within: 3d
production:
  every: 24h
  keep_within: 7d
`;

const days = (count: number) => count * 24 * 3_600_000;

suite('the profile of an environment', () => {
  test('stands in for inputs that are not given', () => {
    const { format, odoo, retention } = inputsFixture({ environment: 'development', profiles });
    assert.deepEqual([format, odoo.filestore, retention?.policy.last], ['plain', false, 0]);
    assert.equal(retention?.policy.withinMs, days(3));
  });

  test('may be in a file, and its names may have underscores', () => {
    const path = join(folder, 'profiles.yml');
    writeFileSync(path, profiles);
    const production = inputsFixture({ environment: 'production', profiles: path, prune: 'true' });
    assert.deepEqual([production.format, production.retention?.policy.withinMs], ['dual', days(7)]);
  });

  test('is outdone by inputs that are given, also by a value that is the default', () => {
    const given = { format: 'dual', filestore: 'true', 'keep-within': '1d' };
    const { format, odoo, retention } = inputsFixture({ environment: 'development', profiles, ...given });
    assert.deepEqual([format, odoo.filestore, retention?.policy.withinMs], ['dual', true, days(1)]);
  });

  test('counts less than what the inventory says of the host, and may stand there', () => {
    const path = join(folder, 'hosts.yml');
    const lines = [
      'all:',
      '  vars:',
      '    odoo_backup_profiles:',
      '      staging: {format: odoo, jobs: 2}',
      '  children:',
      '    staging:',
      '      vars: {odoo_backup_environment: staging, odoo_backup_jobs: 3}',
      '      hosts: {shop: }',
    ];
    writeFileSync(path, lines.join('\n'));
    const { format, jobs } = inputsFixture({ inventory: path });
    assert.deepEqual([format, jobs], ['odoo', 3]);
    // The input counts more than the variable.
    assert.equal(inputsFixture({ inventory: path, environment: 'development', profiles }).format, 'plain');
  });

  test('is not missed where the inventory only says to which environment the host belongs', () => {
    const path = join(folder, 'hosts.yml');
    writeFileSync(path, 'all: {hosts: {shop: {odoo_backup_environment: production}}}');
    for (const environment of ['', 'production']) {
      assert.equal(inputsFixture({ inventory: path, environment }).format, 'dual');
    }
    refused({ inventory: path, environment: 'staging' }, /environment: 'staging' has no profile/);
  });

  test('with a word of the environment that has none is refused', () => {
    refused(
      { environment: 'prod', profiles },
      /environment: 'prod' has no profile; there are development, production/,
    );
    refused({ environment: 'production' }, /environment: 'production' has no profile/);
    refused({ profiles }, /environment: is required, because profiles is given/);
  });

  const wrong: Record<string, { yaml: string; message: RegExp }> = {
    'an input that does not exist': {
      yaml: 'x: {keep-lst: 3}',
      message: /profiles: keep-lst of x is no input/,
    },
    'a secret': { yaml: 'x: {db-password: y}', message: /profiles: db-password of x is a secret/ },
    'what belongs to one run': {
      yaml: 'x: {dry-run: true}',
      message: /profiles: dry-run of x belongs to one run/,
    },
    'a mapping': { yaml: 'x: {format: {a: b}}', message: /format of x is neither a text/ },
    'a value that the input refuses': {
      yaml: 'x: {format: zip}',
      message: /format \(of the profile x\): 'zip' is not one of/,
    },
    'broken YAML': { yaml: 'x: {', message: /profiles is not YAML/ },
    'no mapping': { yaml: '- x\n- y', message: /profiles: is no mapping/ },
  };
  for (const [name, { yaml, message }] of Object.entries(wrong)) {
    test(`with ${name} is refused`, () => refused({ environment: 'x', profiles: yaml }, message));
  }
});

function refused(inputs: RawInputs, message: RegExp): void {
  assert.throws(() => parseInputs(reader({ ...fewestInputs, ...inputs }), fewestVariables), message);
}
