import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { secretsOf } from '../../../src/inputs/secrets.ts';
import { InputError } from '../../../src/util/errors.ts';
import { fewestInputs, inputsFixture, type RawInputs, reader } from '../../support/inputs.ts';

const privateKey = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
}).privateKey;
const knownHosts =
  'odoo.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ';

test('the fewest inputs give every default', () => {
  assert.deepEqual(inputsFixture(), {
    command: 'backup',
    compose: null,
    databases: { kind: 'one', database: undefined },
    ssh: {
      host: 'odoo.example.com',
      port: 22,
      user: 'deploy',
      key: undefined,
      agentSocket: '/run/agent.sock',
      trust: { knownHosts: undefined, fingerprint: `SHA256:${'a'.repeat(43)}` },
      jumps: [],
    },
    sudo: 'auto',
    odoo: {
      odooConf: undefined,
      database: undefined,
      dbHost: undefined,
      dbPort: undefined,
      dbUser: undefined,
      dbPassword: undefined,
      filestore: true,
    },
    s3: {
      bucket: 'backups',
      prefix: '',
      customer: 'acme',
      region: 'eu-central-1',
      endpoint: undefined,
      pathStyle: undefined,
      role: undefined,
      storageClass: undefined,
      lock: undefined,
      encryption: undefined,
    },
    signing: { key: { kind: 'agent', socket: '/run/agent.sock' }, signers: undefined },
    encryptTo: undefined,
    format: 'dual',
    jobs: 4,
    compression: 'auto',
    countTables: 'core',
    missingFiles: 'warn',
    incremental: true,
    fullEveryMs: 30 * 24 * 3_600_000,
    proof: { level: 'upload' },
    pin: undefined,
    retention: undefined,
    dryRun: false,
    timeoutMs: 6 * 3_600_000,
    warnings: [],
    pingUrl: undefined,
    catalogPage: false,
  });
});

const hop = (user: string, host: string, port: number) => ({ user, host, port });

const accepted: [RawInputs, (inputs: ReturnType<typeof inputsFixture>) => unknown, unknown][] = [
  [{ 'ssh-host': 'host', 'ssh-user': 'ci' }, ({ ssh }) => [ssh.user, ssh.host], ['ci', 'host']],
  [{ 'ssh-host': 'deploy@::1' }, ({ ssh }) => ssh.host, '::1'],
  [{ 'ssh-host': 'deploy@[fe80::1%eth0]' }, ({ ssh }) => ssh.host, 'fe80::1%eth0'],
  [{ 'ssh-port': '2222' }, ({ ssh }) => ssh.port, 2222],
  ...['x@host:2222', 'ssh://x@host:2222', 'ssh://x@host:2222/', 'x@[host]:2222'].map(
    (value): (typeof accepted)[number] => [
      { 'ssh-host': value },
      ({ ssh }) => [ssh.user, ssh.host, ssh.port],
      ['x', 'host', 2222],
    ],
  ),
  [{ 'ssh-host': 'x@host:2222', 'ssh-port': '2222' }, ({ ssh }) => ssh.port, 2222],
  [{ 'ssh-host': 'x@acme.example@host:22' }, ({ ssh }) => [ssh.user, ssh.host], ['x@acme.example', 'host']],
  [{ 'ssh-host': 'host', 'ssh-user': 'x@acme.example' }, ({ ssh }) => ssh.user, 'x@acme.example'],
  [{ 'ssh-host': 'ssh://x@[2001:db8::1]' }, ({ ssh }) => [ssh.host, ssh.port], ['2001:db8::1', 22]],
  [
    {
      'ssh-jump': 'a@first:2201, second\n[2001:db8::1]:22',
      'ssh-fingerprint': `odoo.example.com=SHA256:${'a'.repeat(43)}`,
    },
    ({ ssh }) => ssh.jumps,
    [hop('a', 'first', 2201), hop('deploy', 'second', 22), hop('deploy', '2001:db8::1', 22)],
  ],
  [{ filestore: 'false' }, ({ odoo }) => odoo.filestore, false],
  [{ filestore: '/srv/odoo/filestore/prod' }, ({ odoo }) => odoo.filestore, '/srv/odoo/filestore/prod'],
  [{ filestore: 'false', format: 'plain' }, ({ format }) => format, 'plain'],
  [{ database: 'a'.repeat(63) }, ({ odoo }) => odoo.database, 'a'.repeat(63)],
  [{ 's3-endpoint': 'https://s3.test', 'aws-region': 'fr-par-1a' }, ({ s3 }) => s3.region, 'fr-par-1a'],
  [{ 's3-prefix': '/odoo//eu/' }, ({ s3 }) => s3.prefix, 'odoo/eu/'],
  [{ 's3-prefix': '/' }, ({ s3 }) => s3.prefix, ''],
  [{ 's3-endpoint': 'http://127.0.0.1:7480/' }, ({ s3 }) => s3.endpoint, 'http://127.0.0.1:7480'],
  [{ 's3-path-style': 'True' }, ({ s3 }) => s3.pathStyle, true],
  [{ sse: 'AES256' }, ({ s3 }) => s3.encryption, { kind: 'AES256' }],
  [{ sse: 'aws:kms' }, ({ s3 }) => s3.encryption, { kind: 'aws:kms', keyId: undefined }],
  [{ sse: 'aws:kms', 'kms-key-id': 'k' }, ({ s3 }) => s3.encryption, { kind: 'aws:kms', keyId: 'k' }],
  [{ compression: '0' }, ({ compression }) => compression, 0],
  [{ compression: '9' }, ({ compression }) => compression, 9],
  [{ timeout: '1m' }, ({ timeoutMs }) => timeoutMs, 60_000],
  [{ timeout: '1h30m' }, ({ timeoutMs }) => timeoutMs, 5_400_000],
  [{ timeout: '7d' }, ({ timeoutMs }) => timeoutMs, 604_800_000],
  [{ 'dry-run': 'true' }, ({ dryRun }) => dryRun, true],
  [
    { 'ssh-known-hosts': knownHosts.replace('\n', '\r\n') },
    ({ ssh }) => ssh.trust.knownHosts,
    `${knownHosts}\n`,
  ],
];
describe('accepted', () => {
  for (const [overrides, pick, expected] of accepted) {
    test(JSON.stringify(overrides), () => assert.deepEqual(pick(inputsFixture(overrides)), expected));
  }
});

const refused: [RawInputs, RegExp][] = [
  [{ 'ssh-host': '', 'ssh-user': 'x' }, /^ssh-host: is required/],
  [{ 'ssh-host': 'host' }, /^ssh-user: is required/],
  [
    { 'ssh-host': 'x@host:2222', 'ssh-port': '22' },
    /^ssh-port: '22' is not the port of ssh-host, '2222'; give one of them$/,
  ],
  [{ 'ssh-host': 'x@host:port' }, /^ssh-host: 'x@host:port' is not of the form user@host:port$/],
  [{ 'ssh-host': 'ssh://' }, /^ssh-host: 'ssh:\/\/' is not of the form user@host:port$/],
  [{ 'ssh-host': 'https://odoo.example.com' }, /^ssh-host: 'https:.*' is not of the form user@host:port$/],
  [{ 'ssh-host': '-oProxyCommand=id', 'ssh-user': 'x' }, /^ssh-host: .* is not of the form/],
  [{ 'ssh-user': 'other' }, /^ssh-user: 'other' is not the user of ssh-host, 'deploy'/],
  [{ 'ssh-port': '0' }, /^ssh-port: '0' is not a whole number from 1 to 65535$/],
  [{ 'ssh-port': '65536' }, /^ssh-port/],
  [{ 'ssh-port': '22.0' }, /^ssh-port/],
  [{ 'ssh-jump': 'a@b@' }, /^ssh-jump: 'a@b@' is not of the form user@host:port$/],
  ...['x:hunter2@host', 'ssh://x:hunter2@host:22', 'x:@host', 'x:a@b@host'].map(
    (value): (typeof refused)[number] => [
      { 'ssh-host': value },
      /^ssh-host: holds a password, as in user:password@host: take it out, and log in by ssh-key$/,
    ],
  ),
  [{ 'ssh-host': 'sftp://x@host' }, /^ssh-host: 'sftp:\/\/x@host' is not of the form user@host:port$/],
  [{ 'ssh-jump': 'bastion:99999' }, /^ssh-jump/],
  [{ 'ssh-fingerprint': 'MD5:aa:bb' }, /^ssh-fingerprint: MD5:aa:bb is not a SHA256 fingerprint/],
  [{ 'ssh-fingerprint': 'me@x=SHA256:' }, /^ssh-fingerprint: me@x=SHA256: is not a SHA256 fingerprint/],
  [
    { 'ssh-jump': 'bastion' },
    /^ssh-fingerprint: SHA256:a+ names no host, and with ssh-jump there are 2\..*: ssh-fingerprint: bastion=SHA256:… odoo\.example\.com=SHA256:a+$/,
  ],
  [{ 'ssh-fingerprint': '' }, /^ssh-known-hosts: is required \(or ssh-fingerprint\)/],
  [{ 'ssh-known-hosts': 'odoo.example.com ssh-ed25519' }, /^ssh-known-hosts, line 1: /],
  [{ 'ssh-key': '/nowhere/id' }, /^ssh-key: there is no file \/nowhere\/id$/],
  [{ 'ssh-key': 'not a key' }, /^ssh-key is no private key/],
  [{ sudo: 'yes' }, /^sudo: 'yes' is not one of auto, always, never$/],
  [
    { command: 'restor' },
    /^command: 'restor' is not one of backup, rollback, restore, rehearse, verify, gate, list, mark, prune, hosts, fetch, doctor$/,
  ],
  [{ verify: 'most' }, /^verify: 'most' is not one of upload, contents, restore, boot$/],
  [{ database: '/(/' }, /^database: '\/\(\/' is not a regular expression/],
  [{ database: 'shop, sh/op' }, /^database: 'sh\/op' is not a name that Odoo can give/],
  [{ database: 'all', filestore: '/srv/filestore' }, /^filestore: a path is the filestore of one database/],
  [{ database: '-x' }, /^database: '-x' is not a name/],
  [{ database: 'a'.repeat(64) }, /^database/],
  [{ 'odoo-conf': 'odoo.conf' }, /^odoo-conf: 'odoo.conf' is not an absolute path on the host$/],
  [{ filestore: 'yes' }, /^filestore: 'yes' is neither true, false nor a path$/],
  [{ format: 'plain' }, /^format: plain is one SQL file: set filestore to false/],
  [{ format: 'zip' }, /^format: 'zip' is not one of dual, odoo/],
  [{ jobs: '0' }, /^jobs/],
  [{ 's3-bucket': '' }, /^s3-bucket: is required \(or the environment variable S3_BUCKET\)$/],
  [
    { 's3-bucket': 's3://backups/odoo' },
    /^s3-bucket: .* more than a bucket's name: put the folder into s3-prefix$/,
  ],
  [{ 's3-prefix': 'a/../b' }, /^s3-prefix: '\.\.' is not made of/],
  [{ customer: 'a/b' }, /^customer: 'a\/b' is not made of letters/],
  [{ customer: '..' }, /^customer/],
  [{ customer: '' }, /^customer: is required outside CI/],
  [{ 'aws-region': 'eu central' }, /^aws-region/],
  [
    { 'aws-region': 'eu-central-1a' },
    /^aws-region: eu-central-1a is an availability zone: its region is eu-central-1$/,
  ],
  [{ 'aws-region': 'us-gov-west-1b' }, /its region is us-gov-west-1$/],
  [{ 's3-endpoint': 's3.example.com' }, /^s3-endpoint: is not a URL/],
  [
    { 's3-endpoint': 'https://key:hunter22@s3.example.com' },
    /^s3-endpoint: holds credentials: give AWS_ACCESS/,
  ],
  [{ 's3-path-style': 'yes' }, /^s3-path-style: 'yes' is neither true nor false$/],
  [{ 'storage-class': 'GLACIER' }, /^storage-class: GLACIER cannot be read back at once/],
  [{ 'kms-key-id': 'k' }, /^kms-key-id: needs sse: aws:kms$/],
  [{ sse: 'AES256', 'kms-key-id': 'k' }, /^kms-key-id: needs sse: aws:kms$/],
  [{ compression: '10' }, /^compression: '10' is neither auto nor a level from 0 \(none\) to 9$/],
  [{ compression: 'zstd' }, /^compression/],
  [{ timeout: '6' }, /^timeout: '6' is not a duration from 1m to 7d/],
  [{ timeout: '0h' }, /^timeout/],
  [{ timeout: '8d' }, /^timeout/],
  [{ timeout: '-1h' }, /^timeout/],
];
describe('refused, with one line', () => {
  for (const [overrides, message] of refused) {
    test(JSON.stringify(overrides), () => {
      assert.throws(() => inputsFixture(overrides), { name: 'InputError', message });
    });
  }
});

test('every problem is reported at once', () => {
  assert.throws(
    () => parseInputs(() => '', {}),
    (error) => {
      assert.ok(error instanceof InputError);
      const names = [...error.message.matchAll(/^ {2}([a-z0-9-]+): /gm)].map(([, name]) => name);
      assert.deepEqual(names, [
        'ssh-host',
        'ssh-user',
        'ssh-key',
        'ssh-known-hosts',
        's3-bucket',
        'customer',
        'aws-region',
      ]);
      assert.match(error.message, /^7 inputs need a change:\n/);
      return true;
    },
  );
});

describe('the environment', () => {
  const cases: [string, RawInputs, Record<string, string>, string | undefined][] = [
    ['CI_PROJECT_NAME is the customer', { customer: '' }, { CI_PROJECT_NAME: 'acme-odoo' }, 'acme-odoo'],
    [
      'then the name of the repository',
      { customer: '' },
      { GITHUB_REPOSITORY: 'acme/.odoo-addons' },
      '.odoo-addons',
    ],
    ['the input counts more', { customer: 'a' }, { CI_PROJECT_NAME: 'b', GITHUB_REPOSITORY: 'c/d' }, 'a'],
  ];
  for (const [title, overrides, env, customer] of cases) {
    test(title, () => assert.equal(inputsFixture(overrides, env).s3.customer, customer));
  }

  test('S3_BUCKET, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL_S3 stand in', () => {
    const env = {
      S3_BUCKET: 'b-1',
      AWS_REGION: '',
      AWS_DEFAULT_REGION: 'r-1',
      AWS_ENDPOINT_URL_S3: 'https://s3.test',
    };
    const { s3 } = inputsFixture({ 's3-bucket': '' }, env);
    assert.deepEqual([s3.bucket, s3.region, s3.endpoint], ['b-1', 'r-1', 'https://s3.test']);
  });

  test('a wrong value from there is reported with its variable', () => {
    const message = /^s3-bucket \(from the environment variable S3_BUCKET\): 's3:\/\/x\/y' is more than/;
    assert.throws(() => inputsFixture({ 's3-bucket': '' }, { S3_BUCKET: 's3://x/y' }), { message });
  });

  test('another server needs no region, and neither does an AWS profile', () => {
    const none = { AWS_REGION: '' };
    assert.equal(inputsFixture({ 's3-endpoint': 'https://s3.test' }, none).s3.region, undefined);
    assert.equal(inputsFixture({}, { ...none, AWS_PROFILE: 'backup' }).s3.region, undefined);
    assert.throws(() => inputsFixture({}, none), { message: /^aws-region: is required/ });
  });

  test('DRY_RUN does not keep a backup from being made', () => {
    const inputs = inputsFixture({}, { DRY_RUN: 'true' });
    assert.equal(inputs.dryRun, false);
    assert.match(inputs.warnings.join(), /DRY_RUN=true does not apply to a backup/);
  });

  test('without an agent a key is required', () => {
    assert.throws(() => inputsFixture({}, { SSH_AUTH_SOCK: '' }), { message: /^ssh-key: is required/ });
  });
});

describe('ssh-key', () => {
  test('as text, with the line ends of Windows', () => {
    const { ssh } = inputsFixture({ 'ssh-key': privateKey.replaceAll('\n', '\r\n') });
    assert.equal(ssh.key?.pem, privateKey);
  });

  test('in base64', () => {
    const { ssh } = inputsFixture({ 'ssh-key': Buffer.from(privateKey).toString('base64') });
    assert.equal(ssh.key?.pem, privateKey);
  });

  test('of a variable of the type File that is empty', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inputs-'));
    try {
      await writeFile(join(folder, 'key'), '\n');
      assert.throws(() => inputsFixture({ 'ssh-key': join(folder, 'key') }), {
        message: /^ssh-key is empty\. /,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('as the path of a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inputs-'));
    try {
      await writeFile(join(folder, 'key'), privateKey);
      assert.equal(inputsFixture({ 'ssh-key': join(folder, 'key') }).ssh.key?.pem, privateKey);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a message about it never shows it', () => {
    const mangled = privateKey.replaceAll('\n', '').slice(0, -20);
    for (const value of [mangled, mangled.replaceAll(/\s/g, '')]) {
      assert.throws(
        () => inputsFixture({ 'ssh-key': value }),
        (error) => error instanceof InputError && !error.message.includes(value.slice(40, 80)),
      );
    }
  });
});

test('secrets are found before anything is parsed', () => {
  const read = reader({
    ...fewestInputs,
    'db-password': 'pg-secret',
    'ssh-key-passphrase': 'open sesame',
    's3-endpoint': 'https://key:p%40ss@s3.test',
  });
  const env = {
    AWS_SECRET_ACCESS_KEY: 'aws-secret',
    AWS_SESSION_TOKEN: '',
    AWS_ENDPOINT_URL_S3: 'https://k:50%@s3.test',
  };
  const expected = ['open sesame', 'pg-secret', 'aws-secret', 'p%40ss', 'p@ss', '50%'];
  assert.deepEqual(secretsOf(read, env), expected);
});
