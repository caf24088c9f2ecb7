import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { parseFingerprints } from '../../../src/host/ssh/fingerprints.ts';
import { fingerprintOf, type HostKeyTrust, hostKeys } from '../../../src/host/ssh/host-keys.ts';
import { parseKnownHosts } from '../../../src/host/ssh/known-hosts.ts';
import { InputError, type UserError } from '../../../src/util/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'known-hosts-'));
after(() => rmSync(folder, { recursive: true }));

/** A key pair's public half: its `type base64`, its bytes, and what ssh-keygen says of it. */
function newKey(name: string, type: string) {
  const path = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', path]);
  const words = readFileSync(`${path}.pub`, 'utf8').trim();
  const fingerprint =
    execFileSync('ssh-keygen', ['-lf', `${path}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';
  return { words, blob: Buffer.from(words.split(' ')[1] ?? '', 'base64'), fingerprint };
}

const key = newKey('one', 'ed25519');
const other = newKey('two', 'ed25519');
const rsa = newKey('three', 'rsa');
const ecdsa = newKey('four', 'ecdsa');
const h = { host: 'h', port: 22 };

/** Hashes the names of a known_hosts text, as `ssh-keygen -H` does. */
function hashed(text: string): string {
  const path = join(folder, 'hashed');
  writeFileSync(path, text);
  execFileSync('ssh-keygen', ['-H', '-f', path], { stdio: 'ignore' });
  const result = readFileSync(path, 'utf8');
  assert.match(result, /^\|1\|/);
  return result;
}

function refusal(knownHosts: string, host: string, port: number, blob = key.blob): UserError | undefined {
  return hostKeys({ knownHosts }, [{ host, port }]).refusal({ host, port }, blob);
}

suite('names', () => {
  const cases: [names: string, host: string, port: number, trusted: boolean][] = [
    ['odoo.example', 'odoo.example', 22, true],
    ['odoo.example', 'ODOO.example', 22, true],
    ['Odoo.Example', 'odoo.example', 22, true],
    ['odoo.example', 'odoo.example.org', 22, false],
    ['odoo.example', 'odooXexample', 22, false],
    ['odoo.example', 'odoo.example', 2222, true], // as ssh does: a key of the plain name is good on any port
    ['[odoo.example]:2222', 'odoo.example', 2222, true],
    ['[odoo.example]:2222', 'odoo.example', 22, false],
    ['[odoo.example]:2222', 'odoo.example', 2223, false],
    ['a,odoo.example,203.0.113.5', '203.0.113.5', 22, true],
    ['*.example', 'odoo.example', 22, true],
    ['*.example', 'example', 22, false],
    ['*', 'anything', 22, true],
    ['od?o.example', 'odoo.example', 22, true],
    ['od?o.example', 'odooo.example', 22, false],
    ['[*.example]:2222', 'odoo.example', 2222, true],
    ['*.example,!odoo.example', 'odoo.example', 22, false],
    ['!odoo.example,*.example', 'odoo.example', 22, false],
    ['*.example,!odoo.example', 'other.example', 22, true],
    ['!odoo.example', 'other.example', 22, false],
    ['2001:db8::1', '2001:db8::1', 22, true],
    ['[2001:db8::1]:2222', '2001:db8::1', 2222, true],
  ];
  for (const [names, host, port, trusted] of cases) {
    test(`${names} ${trusted ? 'is' : 'is not'} ${host}, port ${port}`, () => {
      assert.equal(refusal(`${names} ${key.words}`, host, port) === undefined, trusted);
    });
  }

  test('hashed names', () => {
    const text = hashed(`odoo.example ${key.words}\n[odoo.example]:2222 ${other.words}\n`);
    assert.equal(refusal(text, 'odoo.example', 22), undefined);
    assert.equal(refusal(text, 'odoo.example', 2222, other.blob), undefined);
    assert.ok(refusal(text, 'odoo.example', 22, other.blob));
    assert.ok(refusal(text, 'example', 22));
  });
});

suite('lines', () => {
  test('comments, empty lines, CRLF, tabs and comments after the key', () => {
    const text = `# host:22 SSH-2.0-OpenSSH\r\n\r\n  odoo.example\t${key.words} root@odoo\r\n`;
    assert.equal(refusal(text, 'odoo.example', 22), undefined);
  });

  test('any of several keys of a host', () => {
    const text = `h ${other.words}\nh ${key.words}\nh ${rsa.words}\n`;
    for (const { blob } of [key, other, rsa]) assert.equal(refusal(text, 'h', 22, blob), undefined);
  });

  test('what cannot be read is told with its line number, all of it at once', () => {
    const [type, base64 = ''] = key.words.split(' ');
    const text = [
      `h ${key.words}`,
      'h ssh-ed25519',
      '# fine',
      `@other h ${key.words}`,
      `h ssh-rsa ${base64}`,
      `h ${type} ${base64.slice(0, 10)}`,
      `h ${type} not*base64`,
      `|1|abc ${key.words}`,
      key.words,
    ].join('\n');
    assert.throws(
      () => parseKnownHosts(text),
      (error) => {
        assert.ok(error instanceof InputError);
        const lines = [...error.message.matchAll(/^ssh-known-hosts, line (\d+): /gm)].map(
          (match) => match[1],
        );
        assert.deepEqual(lines, ['2', '4', '5', '6', '7', '8', '9']);
        return true;
      },
    );
  });

  test('@revoked wins over a line that trusts the key, and over a fingerprint', () => {
    const text = `h ${key.words}\n@revoked * ${key.words}\n`;
    const trust = { knownHosts: text, fingerprint: key.fingerprint };
    const error = hostKeys(trust, [h]).refusal(h, key.blob);
    assert.match(error?.message ?? '', /@revoked in line 2/);
  });

  test('@cert-authority alone does not do, and says so', () => {
    const error = refusal(`@cert-authority *.example ${key.words}`, 'odoo.example', 22);
    assert.match(
      error?.message ?? '',
      /@cert-authority for it \(line 1\), and host certificates are not supported/,
    );
  });
});

suite('refusals', () => {
  test('unknown: the fingerprint, and the line to add, which then works', () => {
    for (const port of [22, 2222]) {
      const error = refusal('', 'Odoo.example', port);
      assert.ok(error?.message.includes(`unknown: ssh-ed25519 ${key.fingerprint}`), error?.message);
      const line = error?.hint.split('\n').at(-1) ?? '';
      assert.equal(line, `${port === 22 ? 'odoo.example' : '[odoo.example]:2222'} ${key.words}`);
      assert.equal(refusal(line, 'Odoo.example', port), undefined);
    }
  });

  test('changed: says so, names the line, warns', () => {
    const error = refusal(`a ${key.words}\nh ${other.words}`, 'h', 22);
    assert.match(error?.message ?? '', /CHANGED/);
    assert.ok(error?.message.includes(`line 2 has ${other.fingerprint}`), error?.message);
    assert.match(error?.hint ?? '', /intercepting/);
    assert.ok(error?.hint.endsWith(`h ${key.words}`));
  });

  test('a key of a type that is not known is unknown, not changed', () => {
    assert.match(refusal(`h ${rsa.words}`, 'h', 22)?.message ?? '', /unknown/);
  });
});

suite('fingerprints', () => {
  test('are what ssh-keygen prints', () => {
    for (const { blob, fingerprint } of [key, rsa, ecdsa]) assert.equal(fingerprintOf(blob), fingerprint);
  });

  test('one of several trusts the key', () => {
    const { refusal } = hostKeys({ fingerprint: `${other.fingerprint}\n ${key.fingerprint}= ` }, [h]);
    assert.equal(refusal(h, key.blob), undefined);
    assert.ok(refusal(h, rsa.blob)?.message.includes(rsa.fingerprint));
  });

  test('say whose they are', () => {
    const { value } = { value: key.fingerprint };
    const words = ['Odoo.example', 'a:2222', '[a]:2222', '[a]:22', '2001:db8::1', '[2001:db8::1]:2222'];
    assert.deepEqual(parseFingerprints(words.map((word) => `${word}=${value}=`).join(', ')), [
      { name: 'odoo.example', value },
      { name: '[a]:2222', value },
      { name: '[a]:2222', value },
      { name: 'a', value },
      { name: '2001:db8::1', value },
      { name: '[2001:db8::1]:2222', value },
    ]);
    for (const word of ['me@a', '', '[a', 'a:b', 'a b=', '*.a'])
      assert.throws(() => parseFingerprints(`${word}=${value}`), InputError, word);
  });

  for (const text of [
    'SHA256:abc',
    'MD5:16:27:ac',
    '16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48',
    `x${key.fingerprint}`,
  ]) {
    test(`${text} is none`, () => assert.throws(() => parseFingerprints(text), InputError));
  }
});

suite('a host behind a jump host', () => {
  const jump = { host: 'gate', port: 22 };
  /** The keys that a machine may show. */
  const passing = (trust: HostKeyTrust, way: { host: string; port: number }[]) =>
    way.map((address) => {
      const { refusal } = hostKeys(trust, way);
      return Object.entries({ key, other, rsa })
        .filter(([, { blob }]) => refusal(address, blob) === undefined)
        .map(([name]) => name)
        .join(' ');
    });

  test('has its own fingerprints, and the jump host has others', () => {
    const fingerprint = `gate=${key.fingerprint} h=${other.fingerprint} h=${rsa.fingerprint}`;
    assert.deepEqual(passing({ fingerprint }, [jump, h]), ['key', 'other rsa']);
  });

  test('has none that names nobody: the error has the line to write', () => {
    const refused = (fingerprint: string, way: { host: string; port: number }[]) => {
      try {
        hostKeys({ fingerprint }, way);
      } catch (error) {
        assert.ok(error instanceof InputError);
        return error.hint.split(': ').at(-1) ?? '';
      }
      return assert.fail('it was taken');
    };
    const line = refused(key.fingerprint, [jump, h]);
    assert.equal(line, `gate=SHA256:… h=${key.fingerprint}`);
    assert.deepEqual(passing({ fingerprint: line.replace('SHA256:…', other.fingerprint) }, [jump, h]), [
      'other',
      'key',
    ]);
    const given = `gate=${other.fingerprint} ${key.fingerprint} ${rsa.fingerprint}`;
    assert.equal(
      refused(given, [jump, h]),
      `gate=${other.fingerprint} h=${key.fingerprint} h=${rsa.fingerprint}`,
    );
    const ports = [jump, { host: 'gate', port: 2222 }];
    assert.equal(refused(key.fingerprint, ports), `gate=SHA256:… [gate]:2222=${key.fingerprint}`);
  });

  test('on another port of the jump host is another machine', () => {
    const way = [jump, { host: 'gate', port: 2222 }];
    assert.deepEqual(passing({ fingerprint: `gate=${key.fingerprint}` }, way), ['key', '']);
    assert.deepEqual(passing({ knownHosts: `gate ${key.words}` }, way), ['key', '']);
    const knownHosts = hashed(`gate ${key.words}\n[gate]:2222 ${other.words}`);
    assert.deepEqual(passing({ knownHosts }, way), ['key', 'other']);
  });
});

suite('known hosts and fingerprints of one machine have to agree', () => {
  const knownHosts = `h ${key.words}\nh ${rsa.words}\n@cert-authority h ${other.words}`;
  const cases: [fingerprint: string, blob: Buffer, refused: RegExp | undefined][] = [
    [key.fingerprint, key.blob, undefined],
    [`h=${key.fingerprint}`, key.blob, undefined],
    [`x=${other.fingerprint}`, key.blob, undefined], // nothing is said of this one
    [other.fingerprint, key.blob, /ssh-fingerprint does not have .*though line 1 .*both have to agree/],
    [key.fingerprint, rsa.blob, /ssh-fingerprint does not have .*though line 2/],
    [other.fingerprint, other.blob, /CHANGED/],
    [
      ecdsa.fingerprint,
      ecdsa.blob,
      /not in ssh-known-hosts, which has others .*both have to agree|@cert-auth/,
    ],
  ];
  for (const [fingerprint, blob, refused] of cases) {
    test(`${fingerprint}, shown ${fingerprintOf(blob)}`, () => {
      const error = hostKeys({ knownHosts, fingerprint }, [h]).refusal(h, blob);
      if (refused) assert.match(error?.message ?? 'accepted', refused);
      else assert.equal(error, undefined);
    });
  }

  test('and lines of other machines do not count', () => {
    const { refusal } = hostKeys({ knownHosts: `x ${rsa.words}`, fingerprint: key.fingerprint }, [h]);
    assert.equal(refusal(h, key.blob), undefined);
    assert.ok(refusal(h, rsa.blob));
  });
});

test('a key noted for the port counts more than one of the plain name', () => {
  const text = `[h]:2222 ${key.words}\nh ${other.words}`;
  assert.equal(refusal(text, 'h', 2222), undefined);
  assert.match(refusal(text, 'h', 2222, other.blob)?.message ?? '', /CHANGED/);
});

test('the known types are those of the host’s own lines', () => {
  const text = `h ${rsa.words}\n[h]:2222 ${ecdsa.words}\nx ${key.words}\n@revoked h ${key.words}`;
  const knownTypes = (host: string, port: number) =>
    hostKeys({ knownHosts: text }, [{ host, port }]).knownTypes({ host, port });
  assert.deepEqual(knownTypes('h', 22), ['ssh-rsa']);
  assert.deepEqual(knownTypes('h', 2222), ['ecdsa-sha2-nistp256']);
  assert.deepEqual(knownTypes('h', 2223), ['ssh-rsa']);
  assert.deepEqual(knownTypes('y', 22), []);
});
