import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, suite, test } from 'node:test';
import { sshArguments } from '../../../src/inputs/inventory/ssh-arguments.ts';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { InputError } from '../../../src/util/errors.ts';
import { fewestVariables, type RawInputs, reader } from '../../support/inputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'inventory-inputs-'));
after(() => rmSync(folder, { recursive: true }));

/** An inventory of the one host `shop` with these variables, in YAML. */
function inventory(...lines: readonly string[]): string {
  const path = join(folder, 'hosts.yml');
  const vars = lines.map((line) => `          ${line.replaceAll('\n', '\n          ')}\n`).join('');
  writeFileSync(path, `all:\n  children:\n    shops:\n      hosts:\n        shop:\n${vars}`);
  return path;
}

const fewest: RawInputs = {
  's3-bucket': 'backups',
  customer: 'acme',
  'ssh-fingerprint': `SHA256:${'a'.repeat(43)}`,
};

const parse = (inputs: RawInputs, env = {}) =>
  parseInputs(reader({ ...fewest, ...inputs }), { ...fewestVariables, ...env });

function backup(inputs: RawInputs, env = {}) {
  const parsed = parse(inputs, env);
  assert.ok(parsed.command === 'backup');
  return parsed;
}

function refused(inputs: RawInputs, ...words: readonly RegExp[]): void {
  assert.throws(
    () => parse(inputs),
    (error) => {
      assert.ok(error instanceof InputError);
      for (const pattern of words) assert.match(error.message, pattern);
      return true;
    },
  );
}

suite('a host of the inventory', () => {
  test('stands in for what is not given: the variables of Ansible and of its users', () => {
    const path = inventory(
      'ansible_host: 192.0.2.7',
      'ansible_port: 2222',
      'ansible_user: ubuntu',
      'ansible_ssh_common_args: -o ServerAliveInterval=30 -J gate@bastion:2022',
      'dbname: prod',
      'odoo_conf: /srv/odoo/odoo.conf',
      'odoo_service: odoo',
      'deploy_user: deploy',
      'deploy_folder: /srv/odoo',
    );
    const fingerprint = `SHA256:${'a'.repeat(43)}`;
    const trust = { 'ssh-fingerprint': `bastion=${fingerprint} 192.0.2.7=${fingerprint}` };
    const { ssh, odoo } = backup({ ...trust, inventory: path, host: 'shop' });
    assert.deepEqual([ssh.host, ssh.port, ssh.user], ['192.0.2.7', 2222, 'ubuntu']);
    assert.deepEqual(ssh.jumps, [{ user: 'gate', host: 'bastion', port: 2022 }]);
    assert.deepEqual([odoo.database, odoo.odooConf], ['prod', '/srv/odoo/odoo.conf']);
    const rollback = parse({ ...trust, command: 'rollback', inventory: path, host: 'shop' });
    assert.ok(rollback.command === 'rollback');
    assert.deepEqual(rollback.services, { kind: 'units', units: ['odoo'] });
    refused({ inventory: path }, /ssh-fingerprint: bastion=SHA256:… 192\.0\.2\.7=SHA256:a+/);
  });

  test('has the path of its key, from the home folder where it begins with ~', () => {
    const key = join(folder, 'key');
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    writeFileSync(key, privateKey);
    const path = inventory('ansible_user: u', `ansible_ssh_private_key_file: ~/${relative(homedir(), key)}`);
    assert.equal(backup({ inventory: path }).ssh.key?.pem, privateKey);
  });

  test('is reached by its name, as deploy_user, on port 22, unless it says otherwise', () => {
    const { ssh } = backup({ inventory: inventory('deploy_user: deploy'), host: 'shop' });
    assert.deepEqual([ssh.host, ssh.port, ssh.user, ssh.jumps], ['shop', 22, 'deploy', []]);
  });

  test('need not be named where there is one only', () => {
    assert.equal(backup({ inventory: inventory('ansible_user: u') }).ssh.host, 'shop');
  });

  test('has every other input as odoo_backup_…, which counts more than the names of others', () => {
    const path = inventory(
      'ansible_user: u',
      'dbname: shop',
      'odoo_backup_database: prod',
      'odoo_backup_s3_bucket: of-the-inventory',
      'odoo_backup_customer: other',
      'odoo_backup_format: custom',
      'odoo_backup_filestore: no',
    );
    const found = backup(
      { inventory: path, 's3-bucket': '', customer: '' },
      { S3_BUCKET: 'x', CI_PROJECT_NAME: 'y' },
    );
    assert.deepEqual([found.s3.bucket, found.s3.customer], ['of-the-inventory', 'other']);
    assert.deepEqual([found.odoo.database, found.format, found.odoo.filestore], ['prod', 'custom', false]);
  });

  test('is outdone by inputs that are given', () => {
    const path = inventory(
      'ansible_host: a',
      'ansible_user: u',
      'ansible_port: 1',
      'dbname: shop',
      'odoo_service: odoo',
    );
    const given = { 'ssh-host': 'me@b', 'ssh-port': '22', database: 'other', inventory: path };
    const { ssh, odoo } = backup(given);
    assert.deepEqual([ssh.host, ssh.user, ssh.port, odoo.database], ['b', 'me', 22, 'other']);
    const commands = { 'stop-command': 'stop', 'start-command': 'start' };
    const rollback = parse({ command: 'rollback', ...given, ...commands });
    assert.ok(rollback.command === 'rollback');
    assert.equal(rollback.services?.kind, 'commands');
  });

  test('serves the commands that look at the bucket alone', () => {
    const gate = parse({ command: 'gate', inventory: inventory('dbname: prod', 'odoo_backup_max_age: 30m') });
    assert.ok(gate.command === 'gate');
    assert.deepEqual([gate.database, gate.maxAgeMs], ['prod', 1_800_000]);
  });

  test('has variables of other variables', () => {
    const path = inventory(
      'ansible_user: u',
      'customer: acme',
      "dbname: '{{ customer }}_{{inventory_hostname}}'",
      "odoo_conf: '{{ deploy_folder }}/odoo.conf'",
      "deploy_folder: '/srv/{{ customer }}'",
    );
    const { odoo } = backup({ inventory: path });
    assert.deepEqual([odoo.database, odoo.odooConf], ['acme_shop', '/srv/acme/odoo.conf']);
  });

  const wrong: Record<string, { vars: string[]; words: RegExp[] }> = {
    'an encrypted value': {
      vars: ['dbname: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231'],
      words: [
        /database \(dbname of the host shop in \S+hosts\.yml\): is encrypted with Ansible Vault/,
        /the input database itself/,
      ],
    },
    'an encrypted value without its tag': {
      vars: ["dbname: '$ANSIBLE_VAULT;1.1;AES256 6231'"],
      words: [/is encrypted with Ansible Vault/],
    },
    'an encrypted secret': {
      vars: ['odoo_backup_db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231'],
      words: [
        /db-password .* is encrypted with Ansible Vault.*db-password itself, given, from a secret of the CI/,
      ],
    },
    'a reference to an encrypted value': {
      vars: ["dbname: '{{ hidden }}'", 'hidden: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231'],
      words: [/is encrypted with Ansible Vault/],
    },
    'a secret': { vars: ['odoo_backup_db_password: hunter2'], words: [/is a secret, which does not belong/] },
    'the text of a private key': {
      vars: ["odoo_backup_ssh_key: '-----BEGIN OPENSSH PRIVATE KEY-----'"],
      words: [/ssh-key \(.*is a secret, which does not belong/],
    },
    'the path of a key that is not there, in the home folder': {
      vars: ['ansible_ssh_private_key_file: ~/.ssh/odoo-backup-none'],
      words: [
        /ssh-key \(ansible_ssh_private_key_file of .*\): there is no file .*\/\.ssh\/odoo-backup-none$/,
      ],
    },
    'a filter': {
      vars: ["dbname: '{{ name | lower }}'"],
      words: [/'\{\{ name \| lower \}\}' is for Ansible to resolve/],
    },
    'a lookup': { vars: [`dbname: "{{ lookup('env', 'DB') }}"`], words: [/is for Ansible to resolve/] },
    'a statement': { vars: ["dbname: '{% if a %}x{% endif %}'"], words: [/is for Ansible to resolve/] },
    'an unknown variable': {
      vars: ["dbname: '{{ nowhere }}'"],
      words: [/names a variable that the inventory does not have/],
    },
    'a circle': { vars: ["dbname: '{{ a }}'", "a: '{{ dbname }}'"], words: [/refers to itself/] },
    'a mapping': { vars: ['dbname: {a: 1}'], words: [/is neither a text, a number, nor a list/] },
    'a ProxyCommand': {
      vars: [`ansible_ssh_common_args: '-o ProxyCommand="ssh -W %h:%p gate@bastion"'`],
      words: [/ssh-jump \(ansible_ssh_common_args of .*\): holds a ProxyCommand.*-J user@host:port/],
    },
    'a value that the input refuses': {
      vars: ['ansible_port: 0'],
      words: [/ssh-port \(ansible_port of .*\): '0' is not/],
    },
    'what belongs to one run': { vars: ['odoo_backup_backup: x'], words: [/belongs to one run/] },
    'an input that does not exist': {
      vars: ['odoo_backup_keep_lst: 3'],
      words: [/odoo_backup_keep_lst of .*is no input/],
    },
  };
  for (const [name, { vars, words }] of Object.entries(wrong)) {
    test(`with ${name} is refused`, () => {
      refused({ inventory: inventory('ansible_user: u', ...vars) }, ...words);
    });
  }

  test('may have what this run does not need in any form', () => {
    const path = inventory(
      'ansible_user: u',
      "odoo_service: '{{ lookup(1) }}'",
      'ansible_become_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231',
      'ansible_ssh_common_args: -o ProxyCommand=nc',
      'dbname: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231',
    );
    const { odoo } = backup({
      inventory: path,
      database: 'prod',
      'ssh-jump': 'gate',
      'ssh-fingerprint': `shop=SHA256:${'a'.repeat(43)}`,
    });
    assert.equal(odoo.database, 'prod');
  });

  test('whose variables are in files beside the inventory, one of them encrypted as a whole', async () => {
    const path = inventory('ansible_user: u', "dbname: '{{ vault_dbname }}'");
    await mkdir(join(folder, 'group_vars/shops'), { recursive: true });
    await writeFile(join(folder, 'group_vars/shops/vars.yml'), 'odoo_conf: /srv/odoo.conf\n');
    await writeFile(join(folder, 'group_vars/shops/vault.yml'), '$ANSIBLE_VAULT;1.1;AES256\n6231\n');
    refused({ inventory: path }, /does not have \(vault.yml is encrypted, and not read\)/);
    assert.equal(backup({ inventory: path, database: 'x' }).odoo.odooConf, '/srv/odoo.conf');
    rmSync(join(folder, 'group_vars'), { recursive: true });
  });

  test('that is not there is told, with those that are', () => {
    const path = inventory('ansible_user: u');
    refused({ inventory: path, host: 'shp' }, /host: 'shp' is no host of .*There is shop\./);
    refused({ inventory: path, host: 'shops' }, /'shops' is a group of/);
    refused({ host: 'shop' }, /host: is the name of a host in inventory, which is not given/);
    writeFileSync(path, 'all: {hosts: {a: , b: }}');
    refused({ inventory: path }, /host: is required: \S+ has 2 hosts\. There are a, b\./);
  });
});

suite('the arguments of ssh', () => {
  const cases: Record<string, ReturnType<typeof sshArguments>> = {
    '-J a,b@c:22': { jump: 'a,b@c:22', proxyCommand: false, ignored: [] },
    '-Ja': { jump: 'a', proxyCommand: false, ignored: [] },
    '-o ProxyJump=a -o ProxyJump=b': { jump: 'a', proxyCommand: false, ignored: [] },
    '-oProxyJump=a': { jump: 'a', proxyCommand: false, ignored: [] },
    '-o "proxyjump a"': { jump: 'a', proxyCommand: false, ignored: [] },
    '-J ssh://u@a:22': { jump: 'u@a:22', proxyCommand: false, ignored: [] },
    '-o ProxyJump=none': { jump: '', proxyCommand: false, ignored: [] },
    "-o ProxyCommand='ssh -W %h:%p -J x g'": { jump: undefined, proxyCommand: true, ignored: [] },
    '-C -o StrictHostKeyChecking=no -i /k -J a': {
      jump: 'a',
      proxyCommand: false,
      ignored: ['-C', 'StrictHostKeyChecking', '-i /k'],
    },
    '': { jump: undefined, proxyCommand: false, ignored: [] },
  };
  for (const [line, wanted] of Object.entries(cases)) {
    test(line, () => assert.deepEqual(sshArguments(line), wanted));
  }
});
