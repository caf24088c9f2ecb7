import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { readPrivateKey } from '../../src/host/ssh-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'ssh-key-'));
after(() => rmSync(folder, { recursive: true }));

/** Makes a key in that form, and returns it with its public half. */
function newKey(type: string, form: string, passphrase = '') {
  const path = join(folder, `${type}-${form}-${passphrase}`);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-m', form, '-N', passphrase, '-C', '', '-f', path]);
  const publicKey = readFileSync(`${path}.pub`, 'utf8').split(' ')[1]?.trim();
  return { pem: readFileSync(path, 'utf8'), publicKey };
}

for (const [type, form] of [
  ['ed25519', 'RFC4716'], // OpenSSH's own form
  ['rsa', 'RFC4716'],
  ['ecdsa', 'RFC4716'],
  ['rsa', 'PEM'],
  ['ecdsa', 'PEM'],
] as const) {
  test(`${type}, ${form}: plain`, () => {
    const { pem, publicKey } = newKey(type, form);
    // `''` is how an input that was not given arrives
    for (const passphrase of [undefined, '', 'not needed']) {
      const key = readPrivateKey({ pem, passphrase });
      assert.equal(key.getPublicSSH().toString('base64'), publicKey);
    }
  });

  test(`${type}, ${form}: encrypted`, () => {
    const passphrase = 'pässwörd 1';
    const { pem, publicKey } = newKey(type, form, passphrase);
    assert.equal(readPrivateKey({ pem, passphrase }).getPublicSSH().toString('base64'), publicKey);
    assertRefused(pem, undefined, /ssh-key is encrypted/);
    assertRefused(pem, 'wrong', /ssh-key-passphrase does not open ssh-key/);
  });
}

test('PKCS#8 is told how to become something else', () => {
  assertRefused(newKey('rsa', 'PKCS8').pem, undefined, /PKCS#8/);
});

test('what is no key', () => {
  const { pem } = newKey('ed25519', 'RFC4716', 'cut');
  for (const text of [
    '',
    'secret',
    pem.slice(0, 200),
    pem.replaceAll('\n', ''),
    pem.replaceAll('\n', '\\n'),
  ]) {
    assertRefused(text, undefined, /ssh-key cannot be read/);
  }
});

/** The error never shows the key. */
function assertRefused(pem: string, passphrase: string | undefined, message: RegExp): void {
  assert.throws(
    () => readPrivateKey({ pem, passphrase }),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      const [, line = 'no key'] = pem.split('\n');
      assert.ok(!`${error.message}${error.hint}${error.cause}`.includes(line));
      return true;
    },
  );
}
