import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { run } from '../../src/host/run.ts';
import type { SshOptions } from '../../src/host/ssh/connect.ts';
import { UserError } from '../../src/util/errors.ts';
import { login } from '../support/login.ts';
import { useSandbox } from '../support/sandbox.ts';
import { type SshServer, startAgent, startOwnSshd } from '../support/sshd.ts';

/** What an sshd asks of who logs in, and which algorithms it has. */

const sandbox = useSandbox();
const { keys } = sandbox;
const folder = mkdtempSync(join(sandbox.folder, 'login-'));
after(() => rmSync(folder, { recursive: true }));

const rsa = join(folder, 'rsa');
execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-N', '', '-C', '', '-f', rsa]);
const authorized = join(folder, 'authorized_keys');
copyFileSync(join(sandbox.folder, 'ssh/authorized_keys'), authorized);
appendFileSync(authorized, readFileSync(`${rsa}.pub`));
for (const path of [folder, authorized]) chownSync(path, sandbox.account.uid, sandbox.account.gid);

const sshd = (settings: string) => startOwnSshd(sandbox, {}, `AuthorizedKeysFile ${authorized}\n${settings}`);

async function whoami(server: SshServer, how: Partial<SshOptions> = {}): Promise<string> {
  const onRetry = (why: string) => assert.fail(`tried again: ${why}`);
  await using host = await login(sandbox, server, { onRetry, ...how });
  return (await run(host, { argv: ['id', '-un'] })).trim();
}

async function refused(settings: string, message: RegExp, hint: RegExp, how: Partial<SshOptions> = {}) {
  await using server = await sshd(settings);
  const error = await whoami(server, how).then(
    () => assert.fail('it logged in'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, message);
  assert.match(error.hint, hint);
}

suite('an sshd that has nothing but', () => {
  for (const [setting, offered] of [
    ['HostKeyAlgorithms ssh-rsa', /offers no host key algorithm that is safe to use, only: ssh-rsa$/],
    ['KexAlgorithms diffie-hellman-group14-sha1', /no key exchange .*only: diffie-hellman-group14-sha1/],
    ['Ciphers aes128-cbc,3des-cbc', /no cipher algorithm .*only: aes128-cbc, 3des-cbc$/],
    [
      'Ciphers aes128-ctr\nMACs hmac-sha1,hmac-sha1-etm@openssh.com',
      /no MAC algorithm .*only: hmac-sha1, hmac-sha1-etm/,
    ],
  ] as const) {
    test(`${setting.replace('\n', ', ')} is told what it offers, and what to do`, () =>
      refused(
        setting,
        offered,
        /Update its sshd .*(HostKeyAlgorithms|KexAlgorithms|Ciphers|MACs) in sshd_config/,
      ));
  }

  for (const setting of [
    'HostKeyAlgorithms rsa-sha2-256',
    'HostKeyAlgorithms rsa-sha2-512',
    'KexAlgorithms curve25519-sha256',
    'KexAlgorithms diffie-hellman-group14-sha256',
    'Ciphers chacha20-poly1305@openssh.com',
    'Ciphers aes256-ctr\nMACs hmac-sha2-256',
  ]) {
    test(`${setting.replace('\n', ', ')} is spoken to`, async () => {
      await using server = await sshd(setting);
      assert.equal(await whoami(server), server.user);
    });
  }
});

suite('an RSA key', () => {
  const byKey = () => ({ key: { pem: readFileSync(rsa, 'utf8') } });
  for (const algorithm of ['rsa-sha2-256', 'rsa-sha2-512']) {
    test(`signs with ${algorithm}`, async () => {
      await using server = await sshd(`PubkeyAcceptedAlgorithms ${algorithm}`);
      assert.equal(await whoami(server, byKey()), server.user);
      await using agent = await startAgent(sandbox, rsa);
      assert.equal(await whoami(server, { key: undefined, agentSocket: agent.socket }), server.user);
    });
  }

  test('never signs with SHA-1', async () => {
    const told = ['PubkeyAcceptedAlgorithms ssh-rsa', /The host refused the key/, /ed25519 key/] as const;
    await refused(...told, byKey());
    await using agent = await startAgent(sandbox, rsa);
    await refused(...told, { key: undefined, agentSocket: agent.socket });
  });
});

suite('an agent', () => {
  test('with two keys logs in by the second', async () => {
    await using server = await sshd('');
    await using agent = await startAgent(sandbox, keys.unknown, keys.plain);
    assert.equal(await whoami(server, { key: undefined, agentSocket: agent.socket }), server.user);
  });

  test('without a key', async () => {
    await using agent = await startAgent(sandbox);
    await refused('', /The SSH agent holds no key to log in to/, /ssh-add -l/, {
      key: undefined,
      agentSocket: agent.socket,
    });
  });

  test('with more keys than the host takes', async () => {
    const others = ['a', 'b', 'c'].map((name) => join(folder, name));
    for (const path of others) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
    await using agent = await startAgent(sandbox, ...others, keys.plain);
    await refused('MaxAuthTries 2', /ended the login as .* after 2 of the agent’s 4 keys/, /MaxAuthTries/, {
      key: undefined,
      agentSocket: agent.socket,
    });
  });
});

suite('a host that asks for', () => {
  test('a password as well', () =>
    refused(
      'AuthenticationMethods publickey,password\nPasswordAuthentication yes',
      /The host took the key of .*, and asks for more: password$/,
      /Match User \S+` with `AuthenticationMethods publickey/,
    ));

  test('a second key, which an agent may have', async () => {
    const settings = 'AuthenticationMethods publickey,publickey';
    await refused(
      settings,
      /took the key of .*, and asks for more: a second key/,
      /both keys by an SSH agent/,
    );
    await using server = await sshd(settings);
    await using agent = await startAgent(sandbox, keys.plain, rsa);
    assert.equal(await whoami(server, { key: undefined, agentSocket: agent.socket }), server.user);
  });

  test('a password alone', () =>
    refused(
      'PubkeyAuthentication no\nPasswordAuthentication yes',
      /allows no login by key as .*: it allows password$/,
      /PubkeyAuthentication yes/,
    ));
});

suite('an sshd with MaxSessions', () => {
  test('0 runs no commands', () =>
    refused('MaxSessions 0', /lets this account run no commands at all$/, /MaxSessions of its sshd is 0/));

  test('1 runs one after the other', async () => {
    await using server = await sshd('MaxSessions 1');
    assert.equal(await whoami(server), server.user);
  });
});
