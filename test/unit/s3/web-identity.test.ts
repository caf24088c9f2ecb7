import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { assumeRole, type Role, stsEndpoint } from '../../../src/s3/web-identity.ts';
import { UserError } from '../../../src/util/errors.ts';
import { StsRefusal, startSts } from '../../support/sts.ts';

const roleAt = (endpoint: string): Role => ({
  arn: 'arn:aws:iam::123456789012:role/odoo-backup',
  audience: 'sts.amazonaws.com',
  sessionName: 'odoo-backup',
  durationSeconds: 3600,
  endpoint,
  region: 'eu-central-1',
});

/** A job whose token is a text, and what it was told to keep secret. */
function job(token = 'eyJ0.eyJz.c2ln') {
  const told: string[] = [];
  return { told, idToken: async () => token, secret: (value: string) => void told.push(value) };
}

async function refusalOf(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  return error;
}

describe('a role is assumed', () => {
  test('and the token and both keys are secret before anything can print them', async () => {
    const expiration = new Date('2026-11-30T12:00:00Z');
    const keys = {
      accessKeyId: 'ASIA1',
      secretAccessKey: 'secret-key',
      sessionToken: 'session-token',
      expiration,
    };
    await using sts = await startSts(() => keys);
    const { told, ...identity } = job();
    assert.deepEqual(await assumeRole(roleAt(sts.endpoint), identity), keys);
    assert.deepEqual(told, ['eyJ0.eyJz.c2ln', 'secret-key', 'session-token']);
  });

  const cases = [
    [
      'AccessDenied',
      'Not authorized to perform sts:AssumeRoleWithWebIdentity',
      /did not let this job assume the role arn:.*Not authorized/,
      /`sub` and `aud`/,
    ],
    ['InvalidIdentityToken', 'Incorrect token audience', /Incorrect token audience/, /aws-audience/],
    [
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      /MaxSessionDuration/,
      /aws-role-duration/,
    ],
  ] as const;
  for (const [code, said, message, hint] of cases) {
    test(`or what refuses it is told: ${code}`, async () => {
      await using sts = await startSts(() => {
        throw new StsRefusal(code === 'AccessDenied' ? 403 : 400, code, said);
      });
      const error = await refusalOf(assumeRole(roleAt(sts.endpoint), job()));
      assert.match(error.message, message);
      assert.match(error.hint, hint);
    });
  }

  test('or the service is named that was not reached', async () => {
    const error = await refusalOf(assumeRole(roleAt('http://127.0.0.1:1'), job()));
    assert.match(
      error.message,
      /could not be assumed, because http:\/\/127\.0\.0\.1:1 was not reached: .*ECONNREFUSED/,
    );
    assert.match(error.hint, /AWS_ENDPOINT_URL_STS/);
  });

  test('and the token goes nowhere else, whatever the service and the environment say', async (t) => {
    await using elsewhere = await startSts(() => assert.fail('the token came here'));
    process.env.AWS_ENDPOINT_URL = elsewhere.endpoint; // an S3 server's, for instance
    t.after(() => delete process.env.AWS_ENDPOINT_URL);
    const redirecting = createServer((_, response) =>
      response.writeHead(307, { location: elsewhere.endpoint }).end(),
    ).listen(0, '127.0.0.1');
    t.after(() => redirecting.close());
    await once(redirecting, 'listening');
    const endpoint = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
    await refusalOf(assumeRole(roleAt(endpoint), job()));
    assert.equal(elsewhere.requests.length, 0);
  });
});

describe('the STS service', () => {
  const known = [
    ['eu-central-1', undefined, undefined, 'https://sts.eu-central-1.amazonaws.com'],
    ['us-gov-west-1', undefined, undefined, 'https://sts.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', undefined, undefined, 'https://sts.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', undefined, undefined, 'https://sts.eusc-de-east-1.amazonaws.eu'],
    [
      'eu-central-1',
      'https://bucket.vpce-1.s3.eu-central-1.vpce.amazonaws.com',
      undefined,
      'https://sts.eu-central-1.amazonaws.com',
    ],
    ['garage', 'https://s3.example.com', 'https://sts.example.com', 'https://sts.example.com'],
    ['garage', 'https://s3.example.com', 'http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
  ] as const;
  for (const [region, s3, given, expected] of known) {
    test(`${region} ${s3 ?? ''} ${given ?? ''} → ${expected}`, () =>
      assert.equal(stsEndpoint(region, s3, given), expected));
  }

  const unknown = [
    ['eu-central-1', 'https://s3.example.com', undefined, /is not known/],
    ['eu-central-1', 'https://amazonaws.com.example.com', undefined, /is not known/],
    ['eu-central-1', 'https://evilamazonaws.com', undefined, /is not known/],
    ['x.evil.example/', undefined, undefined, /is not known/],
    ['garage', undefined, undefined, /is not known/],
    ['eu-central-1', undefined, 'http://sts.example.com', /no https/],
    ['eu-central-1', undefined, 'http://127.0.0.1.example.com', /no https/],
    ['eu-central-1', undefined, 'sts.example.com', /no https/],
  ] as const;
  for (const [region, s3, given, message] of unknown) {
    test(`is refused: ${region} ${s3 ?? ''} ${given ?? ''}`, () =>
      assert.throws(() => stsEndpoint(region, s3, given), message));
  }
});
