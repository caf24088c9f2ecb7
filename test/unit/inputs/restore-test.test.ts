import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseCommandLine } from '../../../src/inputs/command-line/read.ts';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { secretsOf } from '../../../src/inputs/secrets.ts';
import { InputError } from '../../../src/util/errors.ts';
import type { ProofOptions } from '../../../src/verify/options.ts';
import type { RestoreTest } from '../../../src/verify/restore/restore-test.ts';

const s3 = { 's3-bucket': 'bucket', customer: 'acme', 's3-endpoint': 'https://s3.example.com' };

function parse(inputs: Readonly<Record<string, string>>): ProofOptions {
  const given: Readonly<Record<string, string>> = { command: 'verify', verify: 'restore', ...s3, ...inputs };
  const parsed = parseInputs((name) => given[name] ?? '', { SSH_AUTH_SOCK: '/agent' });
  assert.ok(parsed.command === 'verify');
  return parsed.proof;
}

function placeOf(inputs: Readonly<Record<string, string>>): RestoreTest {
  const proof = parse(inputs);
  assert.ok(proof.level === 'restore');
  return proof.restoreTest;
}

const refuses = (inputs: Readonly<Record<string, string>>, why: RegExp): void =>
  assert.throws(
    () => parse(inputs),
    (error) => error instanceof InputError && why.test(error.message),
  );

const sha256 = 'ab'.repeat(32);

suite('restore-test', () => {
  test('is the runner, unless told otherwise', () => {
    assert.deepEqual(parse({}), { level: 'restore', restoreTest: { kind: 'runner' } });
    assert.deepEqual(parse({ verify: 'contents' }), { level: 'contents' });
  });

  test('takes binaries with their checksum', () => {
    const url = 'https://example.com/a/postgresql-16.tar.gz';
    assert.deepEqual(parse({ 'postgres-binaries-url': `${url}#sha256=${sha256.toUpperCase()}` }), {
      level: 'restore',
      binaries: { url, sha256 },
      restoreTest: { kind: 'runner' },
    });
    for (const value of [url, `${url}#sha256=ab`, `${url}#md5=${sha256}`, `file:///a.zip#sha256=${sha256}`]) {
      refuses(
        { 'postgres-binaries-url': value },
        /^postgres-binaries-url: is no http or https URL with the checksum/,
      );
    }
  });

  test('takes the URL of a server', () => {
    assert.deepEqual(placeOf({ 'restore-test': 'postgres://odoo:p%40ss@[::1]:5433/other?sslmode=require' }), {
      kind: 'server',
      settings: { host: '::1', port: 5433, user: 'odoo', password: 'p@ss', sslmode: 'require' },
      database: 'other',
    });
    assert.deepEqual(placeOf({ 'restore-test': 'postgresql://postgres@postgis' }), {
      kind: 'server',
      settings: {
        host: 'postgis',
        port: undefined,
        user: 'postgres',
        password: undefined,
        sslmode: undefined,
      },
      database: 'postgres',
    });
  });

  test('refuses what is neither, and does not repeat it', () => {
    for (const value of ['postgres', 'mysql://root:hunter2@db', 'hunter2']) {
      refuses({ 'restore-test': value }, /^restore-test: is neither runner, host nor a URL/);
    }
    refuses({ 'restore-test': 'postgres://:hunter2@db' }, /without a user/);
    refuses({ 'restore-test': 'postgres://a:hunter2@db/x?options=-c' }, /with the parameter options/);
    refuses({ 'restore-test': 'postgres://a:hunter2%@db/x' }, /percent sign is written %25/);
    assert.throws(
      () => parse({ 'restore-test': 'postgres://a:hunter2%@db/x' }),
      (error) => error instanceof InputError && !error.message.includes('hunter2'),
    );
  });

  test('host asks for what leads there', () => {
    refuses({ 'restore-test': 'host' }, /ssh-host: is required/);
    const ssh = {
      'ssh-host': 'odoo.example.com',
      'ssh-user': 'deploy',
      'ssh-fingerprint': `SHA256:${'A'.repeat(43)}`,
    };
    const given: Readonly<Record<string, string>> = {
      ...ssh,
      ...s3,
      command: 'verify',
      verify: 'restore',
      'restore-test': 'host',
      'db-admin-user': 'postgres',
    };
    const parsed = parseInputs((name) => given[name] ?? '', { SSH_AUTH_SOCK: '/agent' });
    assert.ok(parsed.command === 'verify' && parsed.proof.level === 'restore');
    assert.ok(parsed.proof.restoreTest.kind === 'host');
    assert.equal(parsed.proof.restoreTest.ssh.host, 'odoo.example.com');
    assert.equal(parsed.proof.restoreTest.adminUser, 'postgres');
  });

  test('for boot, is the host alone, and need not be said', () => {
    const ssh = {
      'ssh-host': 'odoo.example.com',
      'ssh-user': 'deploy',
      'ssh-fingerprint': `SHA256:${'A'.repeat(43)}`,
    };
    for (const where of [{}, { 'restore-test': 'host' }] as Record<string, string>[]) {
      const proof = parse({ verify: 'boot', ...ssh, ...where });
      assert.ok(proof.level === 'boot');
      assert.equal(proof.restoreTest.ssh.host, 'odoo.example.com');
      assert.deepEqual([proof.units, proof.timeoutMs], [[], 120_000]);
    }
    const slow = parse({ verify: 'boot', ...ssh, services: 'odoo', 'health-check': 'odoo within 10m' });
    assert.ok(slow.level === 'boot');
    assert.deepEqual([slow.units, slow.timeoutMs], [['odoo'], 600_000]);
    refuses({ verify: 'boot' }, /ssh-host: is required/);
    for (const place of ['runner', 'postgres://odoo@db']) {
      refuses(
        { verify: 'boot', 'restore-test': place, ...ssh },
        /^restore-test: only a host of Odoo has an Odoo that verify: boot can start: set restore-test to host/,
      );
    }
  });

  test('its password is a secret, and not for a command line', () => {
    const given: Readonly<Record<string, string>> = { 'restore-test': 'postgres://odoo:p%40ss@db/x' };
    assert.deepEqual(secretsOf((name) => given[name] ?? '', {}).sort(), ['p%40ss', 'p@ss']);
    const { problems } = parseCommandLine(['verify', '--restore-test', 'postgres://odoo:p%40ss@db/x'], {});
    assert.match(problems.join(), /set ODOO_BACKUP_RESTORE_TEST instead/);
    assert.deepEqual(parseCommandLine(['verify', '--restore-test', 'host'], {}).problems, []);
  });
});
