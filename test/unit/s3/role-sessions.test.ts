import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { inNextSession, RoleSessions, type SessionKeys } from '../../../src/s3/role-sessions.ts';

const minute = 60_000;

/** Sessions of an hour, numbered; `fails` makes the next attempts fail. */
function numbered(lifetimeMs = 60 * minute) {
  let count = 0;
  const role = {
    fails: 0,
    get assumed() {
      return count;
    },
    sessions: new RoleSessions(async () => {
      if (role.fails-- > 0) throw new Error('STS is down');
      count += 1;
      return keysOf(count, Date.now() + lifetimeMs);
    }),
  };
  return role;
}

const keysOf = (count: number, end: number): SessionKeys => ({
  accessKeyId: `session-${count}`,
  secretAccessKey: 'secret',
  expiration: new Date(end),
});

describe('sessions of a role', () => {
  const at = async (now: number, role: ReturnType<typeof numbered>) => {
    mock.timers.setTime(now);
    return (await role.sessions.keys()).accessKeyId;
  };

  test('each is followed by the next five minutes before it ends', async (t) => {
    mock.timers.enable({ apis: ['Date'], now: 0 });
    t.after(() => mock.timers.reset());
    const role = numbered();
    assert.equal(await at(0, role), 'session-1');
    assert.equal(await at(55 * minute, role), 'session-1');
    assert.equal(await at(55 * minute + 1, role), 'session-2');
    assert.equal(await at(110 * minute, role), 'session-2');
    assert.equal(await at(24 * 60 * minute, role), 'session-3');
    assert.equal(role.assumed, 3);
  });

  test('all who ask at the same time get the same', async () => {
    const role = numbered();
    const all = await Promise.all(Array.from({ length: 20 }, () => role.sessions.keys()));
    assert.equal(new Set(all).size, 1);
    assert.equal(role.assumed, 1);
  });

  test('one that is refused is ended once, however many requests it was refused for', async () => {
    const role = numbered();
    const first = await role.sessions.keys();
    await Promise.all([role.sessions.end(first), role.sessions.end(first)]);
    const second = await role.sessions.keys();
    assert.equal(second.accessKeyId, 'session-2');
    await role.sessions.end(first);
    assert.equal(await role.sessions.keys(), second, 'what another request has assumed stays');
  });

  test('one goes on to its end where the next cannot be had, and then the error is told', async (t) => {
    mock.timers.enable({ apis: ['Date'], now: 0 });
    t.after(() => mock.timers.reset());
    const role = numbered();
    assert.equal(await at(0, role), 'session-1');
    role.fails = 1;
    assert.equal(await at(58 * minute, role), 'session-1');
    role.fails = 1;
    await assert.rejects(at(61 * minute, role), /STS is down/);
    assert.equal(await at(61 * minute, role), 'session-2', 'asked again');
  });

  test('one that seems to be over at once goes on until S3 says that it has ended: the clock is wrong', async () => {
    const role = numbered(-2 * 60 * minute);
    const first = await role.sessions.keys();
    assert.equal(await role.sessions.keys(), first);
    await role.sessions.end(first);
    assert.equal((await role.sessions.keys()).accessKeyId, 'session-2');
  });
});

describe('a request whose session has ended', () => {
  const refusal = (name: string, status: number) =>
    Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
  const cases = [
    ['is sent once more', 'PutObjectCommand', refusal('ExpiredToken', 400), Buffer.from('x'), 2],
    ['without a body', 'GetObjectCommand', refusal('ExpiredTokenException', 403), undefined, 2],
    ['is a HEAD, which has no reason', 'HeadObjectCommand', refusal('400', 400), undefined, 2],
    ['unless its body is gone', 'PutObjectCommand', refusal('ExpiredToken', 400), new ReadableStream(), 1],
    [
      'unless it was refused for another reason',
      'GetObjectCommand',
      refusal('AccessDenied', 403),
      undefined,
      1,
    ],
    ['unless it is a HEAD that is denied', 'HeadObjectCommand', refusal('403', 403), undefined, 1],
  ] as const;
  for (const [what, commandName, error, Body, expected] of cases) {
    test(what, async () => {
      const role = numbered();
      let sent = 0;
      const send = inNextSession(role.sessions)(
        async () => {
          sent += 1;
          await role.sessions.keys();
          throw error;
        },
        { commandName },
      );
      await assert.rejects(send({ input: { Body } }), error);
      assert.equal(sent, expected, 'never more than twice');
      assert.equal(role.assumed, expected);
    });
  }
});
