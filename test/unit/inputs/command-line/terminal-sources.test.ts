import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readConfigFile } from '../../../../src/inputs/command-line/config-file.ts';
import { askSsh } from '../../../../src/inputs/command-line/ssh-config.ts';
import type { Inputs, TerminalSources } from '../../../../src/inputs/parse.ts';
import { parseInputs } from '../../../../src/inputs/parse.ts';
import { fewestInputs, fewestVariables, type RawInputs, reader } from '../../../support/inputs.ts';
import { KeyFolder } from '../../../support/ssh-keygen.ts';

type Backup = Extract<Inputs, { command: 'backup' }>;

const parse = (inputs: RawInputs, terminal: TerminalSources, env = fewestVariables): Backup =>
  parseInputs(reader(inputs), env, undefined, terminal) as Backup;

/** A folder of its own, as the working folder. */
async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const before = process.cwd();
  const folder = await mkdtemp(join(tmpdir(), 'terminal-'));
  process.chdir(folder);
  try {
    await body(folder);
  } finally {
    process.chdir(before);
    await rm(folder, { recursive: true });
  }
}

describe('odoo-backup.yml', () => {
  const text = `
s3-bucket: of-all
customer: acme
keep-last: 3
production:
  database: shop
staging: { database: shop_staging, s3-bucket: of-staging }
`;
  const access: RawInputs = {
    'ssh-host': 'deploy@odoo.example.com',
    'ssh-fingerprint': fewestInputs['ssh-fingerprint'],
  };

  test('is found in the working folder, and stands in for what is not given', () =>
    inFolder(async () => {
      assert.equal(readConfigFile(undefined), undefined);
      await writeFile('odoo-backup.yml', text);
      const config = readConfigFile(undefined);
      assert.equal(parse(access, { config }).s3.bucket, 'of-all');
      assert.equal(parse({ ...access, 's3-bucket': 'given' }, { config }).s3.bucket, 'given');
    }));

  test('its environments count more than what it says for all', () =>
    inFolder(async () => {
      await writeFile('other.yml', text);
      const config = readConfigFile('other.yml');
      const { s3, odoo } = parse({ ...access, environment: 'staging' }, { config });
      assert.deepEqual([s3.bucket, s3.customer, odoo.database], ['of-staging', 'acme', 'shop_staging']);
      assert.throws(() => parse({ ...access, environment: 'test' }, { config }), /has no profile/);
    }));

  for (const [what, content, message] of [
    ['a name that is no input', 's3-buket: x', /odoo-backup.yml: s3-buket is no input$/],
    ['a secret', 'db-password: hunter2', /odoo-backup.yml: db-password is a secret/m],
    ['what belongs to one run', 'dry-run: true', /odoo-backup.yml: dry-run belongs to one run/m],
    ['a list', '- s3-bucket', /is no mapping of inputs/],
  ] as const) {
    test(`${what} is refused`, () =>
      inFolder(async () => {
        await writeFile('odoo-backup.yml', content);
        assert.throws(() => parse(fewestInputs, { config: readConfigFile(undefined) }), message);
      }));
  }

  test('one that everybody may write to is not believed, unless it is named', () =>
    inFolder(async () => {
      await writeFile('odoo-backup.yml', text);
      await chmod('odoo-backup.yml', 0o666);
      assert.throws(() => readConfigFile(undefined), /everybody on this machine may write to it/);
      assert.ok(readConfigFile('odoo-backup.yml'));
    }));

  test('nor is a link to such a file; one to a file of ours is', () =>
    inFolder(async () => {
      await writeFile('shared.yml', text);
      await symlink('shared.yml', 'odoo-backup.yml');
      assert.ok(readConfigFile(undefined));
      await chmod('shared.yml', 0o666);
      assert.throws(
        () => readConfigFile(undefined),
        /odoo-backup.yml: everybody on this machine may write to it/,
      );
    }));

  test('a file that is named and not there is told by its name', () =>
    inFolder(async () => {
      assert.throws(() => readConfigFile('none.yml'), /^UserError: config: none.yml cannot be read: ENOENT/);
    }));
});

describe('~/.ssh/config', () => {
  const inputs: RawInputs = { 's3-bucket': 'backups', customer: 'acme' };

  test('Host, HostName, User, Port, ProxyJump and IdentityFile, and the keys that known_hosts has', () =>
    inFolder(async (folder) => {
      using keys = new KeyFolder();
      const { path, publicKey: key } = keys.newKey('-t', 'ed25519');
      await mkdir('.ssh');
      await writeFile('.ssh/known_hosts', `[odoo.example.com]:2222 ${key}\nbastion.example.com ${key}\n`);
      await writeFile(
        'config',
        `Include ${folder}/more\nHost *\n  UserKnownHostsFile ${folder}/.ssh/known_hosts\n  GlobalKnownHostsFile none\n`,
      );
      await writeFile(
        'more',
        `Host shop\n  HostName odoo.example.com\n  User deploy\n  Port 2222\n  ProxyJump bastion\n  IdentityFile ${path}\nHost bastion\n  HostName bastion.example.com\n  User jump\n`,
      );
      const ask = (host: string) => askSsh(host, { config: `${folder}/config`, agent: true });
      const { ssh } = parse({ ...inputs, 'ssh-host': 'shop' }, { askSsh: ask });
      assert.deepEqual([ssh.host, ssh.user, ssh.port], ['odoo.example.com', 'deploy', 2222]);
      assert.deepEqual(ssh.jumps, [{ user: 'jump', host: 'bastion.example.com', port: 22 }]);
      assert.match(ssh.key?.pem ?? '', /BEGIN OPENSSH PRIVATE KEY/);
      assert.match(ssh.trust.knownHosts ?? '', /bastion\.example\.com/);

      const own = parse(
        { ...inputs, 'ssh-host': 'ann@shop:22', 'ssh-jump': 'eve@bastion' },
        { askSsh: () => ask('shop') },
      );
      assert.deepEqual([own.ssh.user, own.ssh.port], ['ann', 22]);
      assert.equal(own.ssh.jumps[0]?.user, 'eve');

      const given = parse(
        { ...inputs, 'ssh-host': 'shop', 'ssh-user': 'ann', 'ssh-port': '22' },
        { askSsh: ask },
      );
      assert.deepEqual([given.ssh.user, given.ssh.port], ['ann', 22]);
    }));

  test('without an alias it is what ssh does by default, and an agent comes before its keys', () =>
    inFolder(async (folder) => {
      await writeFile('config', '');
      const found = askSsh('odoo.example.com', { config: `${folder}/config`, agent: true });
      assert.deepEqual([found?.hostName, found?.port, found?.keyFile], ['odoo.example.com', 22, undefined]);
    }));

  test('a command as the way there is not run', () =>
    inFolder(async (folder) => {
      await writeFile('config', 'Host shop\n  ProxyCommand false\n');
      const ask = (host: string) => askSsh(host, { config: `${folder}/config` });
      assert.throws(
        () => parse({ ...inputs, 'ssh-host': 'shop' }, { askSsh: ask }),
        /ProxyCommand.*give ssh-jump/,
      );
    }));

  test('a host that looks like an option is none', () => {
    assert.equal(askSsh('-oProxyCommand=touch /tmp/x', { config: '/dev/null' }), undefined);
  });
});
