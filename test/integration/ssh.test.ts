import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { run } from '../../src/host/run.ts';
import { connect, type SshOptions } from '../../src/host/ssh/connect.ts';
import { InputError, UserError } from '../../src/util/errors.ts';
import { freePorts } from '../support/processes.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const { ssh, jump, keys } = useSandbox();
const [fingerprint = ''] = ssh.hostKeys.fingerprints;
const pem = (path: string) => readFileSync(path, 'utf8');

function options(overrides: Partial<SshOptions> = {}): SshOptions {
  return {
    host: ssh.host,
    port: ssh.port,
    user: ssh.user,
    key: { pem: pem(keys.plain) },
    trust: { knownHosts: ssh.knownHosts + jump.knownHosts },
    jumps: [],
    connectTimeoutMs: 20_000,
    ...overrides,
  };
}

async function whoami(overrides: Partial<SshOptions> = {}): Promise<string> {
  await using host = await connect(options(overrides));
  return (await run(host, { argv: ['id', '-un'] })).trim();
}

/** The error that connecting fails with. */
async function failure(overrides: Partial<SshOptions>): Promise<UserError> {
  const error = await connect(options(overrides)).then(
    () => assert.fail('it connected'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UserError, String(error));
  return error;
}

/** That connecting fails with a UserError of that text, without a second attempt. */
async function refused(overrides: Partial<SshOptions>, message: RegExp, hint: RegExp): Promise<void> {
  const error = await failure({ onRetry: (why) => assert.fail(`tried again: ${why}`), ...overrides });
  assert.match(error.message, message);
  assert.match(error.hint, hint);
}

suite('login', () => {
  test('by key', async () => assert.equal(await whoami(), ssh.user));

  test('by encrypted key', async () => {
    const key = { pem: pem(keys.encrypted), passphrase: keys.passphrase };
    assert.equal(await whoami({ key }), ssh.user);
  });

  test('by a key whose secret got CRLF line breaks and lost the last one', async () => {
    const key = { pem: pem(keys.plain).trim().replaceAll('\n', '\r\n') };
    assert.equal(await whoami({ key }), ssh.user);
  });

  test('by agent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-'));
    const agentSocket = join(folder, 'socket');
    const agent = spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(agent.stdout, 'data');
      const env = { ...process.env, SSH_AUTH_SOCK: agentSocket };
      execFileSync('ssh-add', ['-q', keys.plain], { env });
      assert.equal(await whoami({ key: undefined, agentSocket }), ssh.user);
      execFileSync('ssh-add', ['-q', '-D'], { env });
      execFileSync('ssh-add', ['-q', keys.unknown], { env });
      await refused({ key: undefined, agentSocket }, /refused the key of/, /authorized_keys/);
    } finally {
      agent.kill();
      await rm(folder, { recursive: true });
    }
  });

  for (const [name, jumps] of [
    ['one jump host', [jump]],
    ['two jump hosts', [jump, ssh]],
  ] as const) {
    test(`through ${name}`, async () => {
      await using host = await connect(options({ jumps }));
      // SSH_CONNECTION (ssh(1)): the client's address and port, the server's address and port
      const connection = await run(host, { argv: ['sh', '-c', 'echo "$SSH_CONNECTION"'] });
      assert.equal(connection.trim().split(' ')[3], String(ssh.port));
    });
  }
});

suite('login refused', () => {
  const key = (pem: string, passphrase?: string) => ({ key: { pem, passphrase } });

  test('a key that the host does not know', () =>
    refused(key(pem(keys.unknown)), /The host refused the key of/, /ssh-key and ssh-user.*authorized_keys/));

  test('a user that may not log in', () =>
    refused({ user: 'nobody' }, /refused the key of nobody@/, /ssh-user/));

  test('an encrypted key without its passphrase', () =>
    refused(key(pem(keys.encrypted)), /ssh-key is encrypted/, /ssh-key-passphrase/));

  test('an encrypted key with a wrong passphrase', () =>
    refused(key(pem(keys.encrypted), 'wrong'), /ssh-key-passphrase does not open ssh-key/, /ssh-keygen -y/));

  test('a key that lost its end', () =>
    refused(key(pem(keys.plain).slice(0, 150)), /ssh-key cannot be read: it is cut/, /whole file/));

  test('a public key', () => refused(key(pem(`${keys.plain}.pub`)), /ssh-key is a public key/, /private/));

  test('an agent that is not there', () =>
    refused({ key: undefined, agentSocket: '/nonexistent' }, /agent cannot be used/, /SSH_AUTH_SOCK/));

  test('neither key nor agent', () => refused({ key: undefined }, /no key/, /ssh-key/));
});

suite('host key', () => {
  const hostLine = (type: string) =>
    ssh.knownHosts.split('\n').find((line) => line.split(' ')[1]?.includes(type)) ?? '';

  test('unknown: refused, and the printed line then lets in', async () => {
    const error = await failure({ trust: {} });
    assert.ok(error.message.includes(fingerprint), error.message);
    const line = error.hint.split('\n').at(-1);
    assert.equal(await whoami({ trust: { knownHosts: line } }), ssh.user);
  });

  test('changed', () => {
    const [, type, key] = (jump.knownHosts.split('\n')[0] ?? '').split(' ');
    const knownHosts = `[${ssh.host}]:${ssh.port} ${type} ${key}`;
    return refused({ trust: { knownHosts } }, /CHANGED/, /intercepting/);
  });

  test('revoked', () =>
    refused(
      { trust: { knownHosts: `@revoked * ${hostLine('ed25519').replace(/^\S+ /, '')}` } },
      /@revoked/,
      /must not/,
    ));

  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    test(`known by its ${type} key alone`, async () => {
      assert.equal(await whoami({ trust: { knownHosts: hostLine(type) } }), ssh.user);
    });
  }

  test('by fingerprint', async () => {
    assert.equal(await whoami({ trust: { fingerprint } }), ssh.user);
    await refused(
      { trust: { fingerprint: jump.hostKeys.fingerprints[0] } },
      /ssh-fingerprint does not have/,
      /intercepting/,
    );
  });

  test('of a jump host, by name', () =>
    refused(
      { jumps: [jump], trust: { knownHosts: ssh.knownHosts } },
      new RegExp(`host key of 127.0.0.1:${jump.port} is unknown`),
      new RegExp(`\\[127.0.0.1\\]:${jump.port} ssh-ed25519 `),
    ));

  test('of the host behind a jump host', () =>
    refused(
      { jumps: [jump], trust: { knownHosts: jump.knownHosts } },
      new RegExp(`host key of 127.0.0.1:${ssh.port} is unknown`),
      /ssh-known-hosts/,
    ));

  test('unreadable trust is told before anything is sent', async () => {
    const [port = 0] = await freePorts(1);
    await assert.rejects(connect(options({ port, trust: { knownHosts: 'x' } })), InputError);
    await assert.rejects(connect(options({ port, trust: { fingerprint: 'x' } })), InputError);
  });
});

suite('connecting', () => {
  test('tries again when refused, and gets in when sshd is up', async () => {
    const [port = 0] = await freePorts(1);
    const late = createServer((client) => client.pipe(createConnection(ssh.port)).pipe(client));
    const said: string[] = [];
    const onRetry = (why: string) => {
      said.push(why);
      late.listen(port, '127.0.0.1');
    };
    try {
      assert.equal(await whoami({ port, trust: { fingerprint }, onRetry }), ssh.user);
      assert.deepEqual(said, [
        `Could not connect to ${ssh.user}@127.0.0.1:${port}: the connection was refused; trying again in 1 s`,
      ]);
    } finally {
      late.close();
    }
  });

  test('is cancelled while it waits for the next attempt', async () => {
    const [port = 0] = await freePorts(1);
    const cancel = new AbortController();
    const onRetry = () => cancel.abort(new Error('cancelled'));
    await assert.rejects(connect(options({ port, onRetry }), cancel.signal), /^Error: cancelled$/);
  });

  test('tells a silent server by the time limit, and tries again', async () => {
    await using proxy = await startTcpProxy(ssh, { silent: true });
    const cancel = new AbortController();
    const onRetry = (why: string) => cancel.abort(new Error(why));
    const attempt = connect(options({ port: proxy.port, connectTimeoutMs: 200, onRetry }), cancel.signal);
    await assert.rejects(attempt, /no answer within 0.2 s; trying again/);
    assert.equal(proxy.connections, 1);
  });

  test('names the jump host that cannot reach the host', async () => {
    const [port = 0] = await freePorts(1);
    const cancel = new AbortController();
    const onRetry = (why: string) => cancel.abort(new Error(why));
    const attempt = connect(options({ port, jumps: [jump], onRetry }), cancel.signal);
    await assert.rejects(
      attempt,
      new RegExp(`from the jump host ${jump.user}@127.0.0.1:${jump.port}: .*refused`),
    );
  });

  test('a host name that does not exist', async () => {
    const { message } = await failure({ host: 'no-such-host.invalid' });
    assert.match(message, /there is no host of that name|the name server did not answer/);
  });
});
