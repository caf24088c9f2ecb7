import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import type { InputName } from '../../../src/inputs/table.ts';
import { InputError } from '../../../src/util/errors.ts';
import { AgeKeys } from '../../support/age-keys.ts';
import { inputsFixture } from '../../support/inputs.ts';

const keys = new AgeKeys();
const [team, safe] = [keys.newKey(), keys.newKey()];
const folder = mkdtempSync(join(tmpdir(), 'sealing-inputs-'));
after(() => {
  keys[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const both = [team.recipient, safe.recipient];

describe('encrypt-to', () => {
  const file = join(folder, 'recipients');
  writeFileSync(file, `# the team\n${team.recipient}\n\n# the safe\n${safe.recipient}\n`);
  const forms: readonly (readonly [string, string, readonly string[]])[] = [
    ['one', team.recipient, [team.recipient]],
    ['two, with spaces', both.join('  '), both],
    ['two, with commas', both.join(', '), both],
    ['two lines', `${both.join('\r\n')}\n`, both],
    ['lines with comments', `# team\n${both.join('\n# safe\n')}`, both],
    ['one that is there twice', [...both, team.recipient].join(' '), both],
    ['the path of a file', file, both],
  ];
  for (const [what, value, expected] of forms) {
    test(what, () => assert.deepEqual(inputsFixture({ 'encrypt-to': value }).encryptTo, expected));
  }

  const refusals: readonly (readonly [string, RegExp])[] = [
    [`${team.recipient}x`, /^encrypt-to: 'age1.*' is no recipient of age/],
    [`${team.recipient} ${safe.recipient.slice(0, -1)}`, /^encrypt-to: 'age1.*' is no recipient of age/],
    ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ', /^encrypt-to: holds a key of SSH: make a key of age/],
    ['# nobody yet\n', /^encrypt-to: names no recipient/],
    ['/nonexistent', /^encrypt-to: is neither a key of age nor a file that can be read/],
  ];
  for (const [value, message] of refusals) {
    test(`refused: ${value.slice(0, 30).trim()}`, () => {
      assert.throws(() => inputsFixture({ 'encrypt-to': value }), { name: 'InputError', message });
    });
  }

  test('an identity in its place is refused, and not repeated', () => {
    assert.throws(
      () => inputsFixture({ 'encrypt-to': `${team.recipient} ${team.identity}` }),
      (error: Error) => {
        assert.match(error.message, /^encrypt-to: holds an identity, which is secret/);
        assert.ok(!error.message.includes(team.identity));
        return true;
      },
    );
  });

  for (const verify of ['contents', 'restore']) {
    test(`goes without verify: ${verify}, for which a backup has no key`, () => {
      assert.throws(() => inputsFixture({ 'encrypt-to': team.recipient, verify }), {
        message: new RegExp(`^verify: ${verify} reads what encrypt-to seals, for which this job has no key`),
      });
    });
  }
});

describe('decrypt-with', () => {
  const s3 = { 's3-bucket': 'backups', customer: 'acme', 'aws-region': 'eu-central-1', database: 'shop' };

  /** Parses a command of the bucket alone. @returns what was told to be masked */
  function parsed(command: string, value: string) {
    const inputs: Partial<Record<InputName, string>> = { ...s3, command, output: 'x', 'decrypt-with': value };
    const secrets: string[] = [];
    const read = (name: string) => inputs[name as InputName] ?? '';
    return { inputs: parseInputs(read, {}, (secret) => secrets.push(secret)), secrets };
  }

  for (const command of ['fetch', 'verify']) {
    for (const [what, value] of [
      ['the identity', team.identity],
      ['the text of a file', team.text],
      ['the path of a file', team.path],
    ] as const) {
      test(`${command}: ${what}, which is masked`, () => {
        const { inputs, secrets } = parsed(command, value);
        assert.ok('identities' in inputs);
        assert.deepEqual(inputs.identities?.recipients, [team.recipient]);
        assert.ok(secrets.includes(team.identity));
      });
    }
  }

  test('one that cannot be read is not repeated', () => {
    const broken = team.identity.slice(0, -3);
    for (const value of [broken, `# a comment\n${broken}\n`, 'AGE-SECRET-KEY-1', team.recipient]) {
      assert.throws(
        () => parsed('fetch', value),
        (error: Error) => {
          assert.ok(error instanceof InputError);
          assert.match(error.message, /^decrypt-with: /);
          assert.ok(!error.message.includes(broken.slice(16)), error.message);
          return true;
        },
      );
    }
  });

  for (const command of ['gate', 'list', 'prune']) {
    test(`${command} refuses it`, () => {
      assert.throws(() => parsed(command, team.text), {
        message: new RegExp(`^decrypt-with: ${command} needs no key that reads, and does not take one`),
      });
    });
  }

  test('backup refuses it', () => {
    assert.throws(() => inputsFixture({ 'decrypt-with': team.text }), {
      message: /^decrypt-with: backup needs no key that reads, and does not take one/,
    });
  });
});
