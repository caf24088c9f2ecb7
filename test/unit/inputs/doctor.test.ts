import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { AgeKeys } from '../../support/age-keys.ts';
import { fewestInputs, fewestVariables, type RawInputs, reader } from '../../support/inputs.ts';

suite('the inputs of doctor', () => {
  const parse = (inputs: RawInputs) => parseInputs(reader({ ...fewestInputs, ...inputs }), fewestVariables);

  test('an identity is for its rollback, as recipients are for its backup; a backup itself takes none', () => {
    using keys = new AgeKeys();
    const team = keys.newKey();
    const sealing = { 'encrypt-to': team.recipient, 'decrypt-with': team.text };
    const inputs = parse({ command: 'doctor', services: 'odoo', ...sealing });
    assert.ok(inputs.command === 'doctor');
    assert.deepEqual(inputs.backup.encryptTo, [team.recipient]);
    assert.deepEqual(inputs.rollback?.identities?.recipients, [team.recipient]);
    assert.throws(
      () => parse({ command: 'backup', ...sealing }),
      /decrypt-with: backup needs no key that reads/,
    );
  });
});
