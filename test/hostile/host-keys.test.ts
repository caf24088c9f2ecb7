import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { run } from '../../src/host/run.ts';
import { connect, type SshOptions } from '../../src/host/ssh/connect.ts';
import { InputError, UserError } from '../../src/util/errors.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** A host on the way that poses as the one behind it, and trust that is given in two ways. */

const { ssh, jump, keys } = useSandbox();
const [hostKey = ''] = ssh.hostKeys.fingerprints;
const [jumpKey = ''] = jump.hostKeys.fingerprints;
const named = ({ port }: { port: number }, key: string) => `[127.0.0.1]:${port}=${key}`;

async function login(overrides: Partial<SshOptions>): Promise<string> {
  await using host = await connect({
    host: ssh.host,
    port: ssh.port,
    user: ssh.user,
    key: { pem: readFileSync(keys.plain, 'utf8') },
    jumps: [],
    trust: {},
    connectTimeoutMs: 20_000,
    ...overrides,
  });
  return (await run(host, { argv: ['id', '-un'] })).trim();
}

async function refused(overrides: Partial<SshOptions>, message: RegExp): Promise<UserError> {
  const onRetry = (why: string) => assert.fail(`tried again: ${why}`);
  const error = await login({ onRetry, ...overrides }).then(
    () => assert.fail('it logged in'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, message);
  return error;
}

suite('a jump host', () => {
  test('and the host each show a key of their own', async () => {
    const fingerprint = `${named(jump, jumpKey)} ${named(ssh, hostKey)}`;
    assert.equal(await login({ jumps: [jump], trust: { fingerprint } }), ssh.user);
  });

  // What a jump host does that answers itself where it should lead on.
  for (const trust of [
    { fingerprint: `${named(jump, jumpKey)} ${named(ssh, hostKey)}` },
    { knownHosts: jump.knownHosts + ssh.knownHosts },
    { fingerprint: named(ssh, hostKey), knownHosts: jump.knownHosts },
  ]) {
    test(`does not pass as the host: ${Object.keys(trust).join(' and ')}`, async () => {
      await using posing = await startTcpProxy(jump);
      const moved = (text: string | undefined) => text?.replaceAll(`:${ssh.port}`, `:${posing.port}`);
      const expected = { knownHosts: moved(trust.knownHosts), fingerprint: moved(trust.fingerprint) };
      await refused(
        { jumps: [jump], port: posing.port, trust: expected },
        new RegExp(`host key of 127\\.0\\.0\\.1:${posing.port} `),
      );
    });
  }

  test('has no use of a fingerprint that names no host: told before anything is sent', async () => {
    const error = await refused(
      { jumps: [jump], trust: { fingerprint: `${jumpKey} ${hostKey}` } },
      /names no host, and with ssh-jump there are 2/,
    );
    assert.ok(error instanceof InputError);
    assert.ok(error.hint.includes(named(ssh, hostKey)), error.hint);
  });

  test('whose fingerprint is not given is unknown, though the host’s is: the word to add', async () => {
    const error = await refused(
      { jumps: [jump], trust: { fingerprint: named(ssh, hostKey) } },
      new RegExp(`host key of 127\\.0\\.0\\.1:${jump.port} is unknown`),
    );
    assert.ok(error.hint.includes(named(jump, jumpKey)), error.hint);
  });
});

suite('known hosts and fingerprint', () => {
  test('that agree', async () => {
    assert.equal(
      await login({
        trust: { knownHosts: ssh.knownHosts, fingerprint: ssh.hostKeys.fingerprints.join(' ') },
      }),
      ssh.user,
    );
  });

  test('a wrong fingerprint beside right known hosts', async () => {
    await refused(
      { trust: { knownHosts: ssh.knownHosts, fingerprint: jumpKey } },
      /ssh-fingerprint does not have .*both have to agree/,
    );
  });

  test('wrong known hosts beside a right fingerprint', async () => {
    const knownHosts = jump.knownHosts.replaceAll(`:${jump.port}`, `:${ssh.port}`);
    await refused({ trust: { knownHosts, fingerprint: hostKey } }, /CHANGED/);
  });
});
