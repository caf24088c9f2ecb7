import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { choices, inputTable } from '../../../src/inputs/table.ts';
import { InputError } from '../../../src/util/errors.ts';
import { fewestInputs, fewestVariables } from '../../support/inputs.ts';

/** The problems that a run would tell, one line each. */
function problemsOf(given: Readonly<Record<string, string>>): string[] {
  try {
    parseInputs((name) => given[name] ?? '', fewestVariables);
    return [];
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    const lines = error.message.split('\n').map((line) => line.trim());
    return lines.length === 1 ? lines : lines.slice(1);
  }
}

/** What each command needs. */
const complete = (command: string) => ({
  ...fewestInputs,
  command,
  database: 'shop',
  ...(command === 'rollback' && { services: 'odoo' }),
  ...(command === 'restore' && { 'target-database': 'copy' }),
  ...(command === 'mark' && { pin: 'migration' }),
  ...(command === 'fetch' && { output: 'backup.zip' }),
});

const compose = {
  'compose-project-directory': '/srv/shop',
  'compose-odoo-service': 'odoo',
  services: '',
  'odoo-conf': '',
};

/** Inputs that need others beside them. */
const beside: Readonly<Record<string, Record<string, string>>> = {
  'kms-key-id': { sse: 'aws:kms' },
  sse: { 'kms-key-id': 'key' },
  'object-lock': { 'lock-days': '3' },
  'lock-days': { 'object-lock': 'governance' },
  environment: { profiles: 'production:\n  format: odoo' },
  profiles: { environment: 'production' },
  'stop-command': { services: '', 'start-command': 'start' },
  'start-command': { services: '', 'stop-command': 'stop' },
  verify: { 'restore-test': 'runner' },
  'restore-test': { verify: 'restore' },
  'keep-last': { prune: 'true' },
  unpin: { pin: '' },
  format: { filestore: 'false' },
  'compose-project-directory': compose,
  'compose-file': compose,
  'compose-odoo-service': compose,
  'compose-db-service': compose,
};

for (const command of choices.command.filter((each) => each !== 'hosts')) {
  test(`${command}: one input that is wrong is one problem, of that input`, () => {
    assert.deepEqual(problemsOf(complete(command)), []);
    const follow: string[] = [];
    for (const { name } of inputTable) {
      for (const value of ['?? \u0001', '/no/such?', 'a@b:22x', 'x::']) {
        const problems = problemsOf({ ...complete(command), ...beside[name], [name]: value });
        if (problems.length > 1) follow.push(`${name}=${JSON.stringify(value)}: ${problems.join(' | ')}`);
      }
    }
    assert.deepEqual(follow, []);
  });
}

test('an inventory that cannot be read hides what it may have said', () => {
  const problems = problemsOf({ command: 'backup', inventory: '/no/such', host: 'shop1' });
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^inventory: /);
});
