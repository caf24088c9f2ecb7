import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { readPrivateKey } from '../../../src/host/ssh/private-key.ts';
import { UserError } from '../../../src/util/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'ssh-key-'));
after(() => rmSync(folder, { recursive: true }));

/** Makes a key in that form, and returns it with its public half. */
function newKey(type: string, form: string, passphrase = '') {
  const path = join(mkdtempSync(join(folder, 'key-')), 'key');
  // Both defaults take a second of work: the primes of rsa, and the rounds that a passphrase goes through.
  const little = [...(type === 'rsa' ? ['-b', '2048'] : []), '-a', '1'];
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...little,
    '-m',
    form,
    '-N',
    passphrase,
    '-C',
    '',
    '-f',
    path,
  ]);
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

suite('PKCS#8', () => {
  const made = {
    rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ecdsa: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
    ed25519: () => generateKeyPairSync('ed25519'),
  };
  for (const [type, make] of Object.entries(made)) {
    test(type, () => {
      const { privateKey, publicKey } = make();
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
      const key = readPrivateKey({ pem });
      const data = Buffer.from('signed');
      const hash = type === 'ed25519' ? undefined : 'sha256';
      const signature = key.sign(data, hash);
      const dsaEncoding = 'der';
      assert.ok(verify(hash ?? null, data, { key: publicKey, dsaEncoding }, signature));
      const secret = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'pass' } as const;
      const encrypted = privateKey.export(secret) as string;
      const same = readPrivateKey({ pem: encrypted, passphrase: 'pass' });
      assert.deepEqual(same.getPublicSSH(), key.getPublicSSH());
      assertRefused(encrypted, undefined, /ssh-key is encrypted/);
      assertRefused(encrypted, 'wrong', /ssh-key-passphrase does not open ssh-key/);
    });
  }
});

suite('a key that was changed on its way works', () => {
  const changes: Record<string, (pem: string) => string> = {
    'in single quotes': (pem) => `'${pem}'`,
    'in double quotes': (pem) => `"${pem}"\n`,
    indented: (pem) => pem.replaceAll(/^/gm, '    '),
    'with tabs, and a space behind each line': (pem) => pem.replaceAll(/^(.*)$/gm, '\t$1 '),
    'with the line ends of Windows': (pem) => pem.replaceAll('\n', '\r\n'),
    'without its last line break': (pem) => pem.trimEnd(),
    'with spaces for line breaks': (pem) => pem.replaceAll('\n', ' '),
    'without line breaks': (pem) => pem.replaceAll('\n', ''),
    'with \\n for line breaks': (pem) => `"${pem.replaceAll('\n', '\\n')}"`,
    'in base64': (pem) => Buffer.from(pem).toString('base64'),
    'in base64 of several lines': (pem) => Buffer.from(pem).toString('base64').replaceAll(/.{76}/g, '$&\n'),
    'behind a byte order mark': (pem) => `\uFEFF${pem}`,
    'with spaces that do not break': (pem) => pem.replaceAll(' ', '\u00a0'),
    'behind other lines': (pem) => `# the key of the backups\n\n${pem}`,
  };
  for (const [form, passphrase] of [
    ['RFC4716', ''],
    ['PEM', ''],
    ['PEM', 'passphrase'],
  ] as const) {
    const { pem, publicKey } = newKey('rsa', form, passphrase);
    for (const [name, change] of Object.entries(changes)) {
      if (passphrase && name === 'without line breaks') continue; // nothing parts its headers from its body
      test(`${form}${passphrase && ', encrypted'}: ${name}`, () => {
        const key = readPrivateKey({ pem: change(pem), passphrase });
        assert.equal(key.getPublicSSH().toString('base64'), publicKey);
      });
    }
  }

  test('behind EC PARAMETERS, as openssl writes it', () => {
    const { pem, publicKey } = newKey('ecdsa', 'PEM', '');
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    assert.equal(
      readPrivateKey({ pem: parameters + pem })
        .getPublicSSH()
        .toString('base64'),
      publicKey,
    );
  });
});

suite('what is no key that can log in', () => {
  const { pem } = newKey('ed25519', 'RFC4716', '');
  const string = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  const armor = (body: Buffer) =>
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
  const securityKey = armor(
    Buffer.concat([
      Buffer.from('openssh-key-v1\0'),
      ...['none', 'none', '', 'sk-ssh-ed25519@openssh.com'].map(string),
    ]),
  );
  const cases: [string, string, RegExp][] = [
    ['nothing', '', /^ssh-key is empty$/],
    ['an empty file', ' \n', /^ssh-key is empty$/],
    ['a public key', `ssh-ed25519 ${'A'.repeat(68)} me@here`, /^ssh-key is a public key$/],
    ['a certificate', `ssh-rsa-cert-v01@openssh.com ${'A'.repeat(68)}`, /^ssh-key is a public key$/],
    [
      'a public key of a security key',
      `sk-ssh-ed25519@openssh.com ${'A'.repeat(68)}`,
      /^ssh-key is a public key$/,
    ],
    [
      'a public key in PEM',
      '-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----',
      /^ssh-key is a public key$/,
    ],
    ['PuTTY', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n', /^ssh-key is in PuTTY’s form$/],
    ['a security key', securityKey, /^ssh-key belongs to a security key/],
    ...[
      'secret',
      '$SSH_KEY',
      '***',
      pem.split('\n').slice(1, -2).join('\n'),
      '-----BEGIN CERTIFICATE-----\nMIIB\n',
    ].map((text): [string, string, RegExp] => [
      text.slice(0, 20),
      text,
      /^ssh-key is no private key: it has no line/,
    ]),
    [
      'a type that SSH does not have',
      generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      /^ssh-key cannot be used: SSH has no keys of the type ed448$/,
    ],
    ['half a key', pem.slice(0, 200), /^ssh-key cannot be read: it is cut/],
    ['a key with a hole', pem.replace(/\n.{70}\n/, '\n'), /^ssh-key cannot be read: /],
  ];
  for (const [name, text, message] of cases) test(name, () => assertRefused(text, undefined, message));
});

/** The error never shows the key. */
function assertRefused(pem: string, passphrase: string | undefined, message: RegExp): void {
  assert.throws(
    () => readPrivateKey({ pem, passphrase }),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      const line = pem.split('\n')[1] || 'no key';
      assert.ok(!`${error.message}${error.hint}${error.cause}`.includes(line));
      return true;
    },
  );
}
