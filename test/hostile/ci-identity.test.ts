import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type Ended, runCommand } from '../support/backup-run.ts';
import { StsRefusal, startSts, startTokenService } from '../support/sts.ts';

const role = 'arn:aws:iam::123456789012:role/odoo-backup';

/** Starts an HTTP server whose every answer is this one, and counts what comes. */
async function startAnswering(t: TestContext, status: number, body: string) {
  const seen = { requests: 0, endpoint: '' };
  const server = createServer((request, response) => {
    seen.requests += 1;
    request.resume();
    response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  seen.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return seen;
}

/** Asks for the newest backup, in a job that may have an ID token. */
function gate(s3: string, variables: Readonly<Record<string, string>>): Promise<Ended> {
  const inputs = {
    's3-bucket': 'backups',
    's3-endpoint': s3,
    customer: 'acme',
    database: 'shop',
    'aws-role-arn': role,
  };
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' };
  return runCommand('gate', inputs, { ...env, ...variables });
}

describe('the ID token of the job, and the keys that it brings', () => {
  test('are not told by an STS service that repeats them, nor does what it says steer the log', async () => {
    await using github = await startTokenService();
    await using sts = await startSts((request) => {
      const token = request.get('WebIdentityToken');
      throw new StsRefusal(
        403,
        'AccessDenied',
        `no \u202e::error::${token} &#10;::stop-commands::x ${'long '.repeat(9999)}`,
      );
    });
    const { exitCode, log } = await gate('http://127.0.0.1:1', {
      ...github.variables,
      AWS_ENDPOINT_URL_STS: sts.endpoint,
    });
    assert.equal(exitCode, 1);
    assert.match(
      log,
      /AWS did not let this job assume the role arn:aws:iam::123456789012:role\/odoo-backup: /,
    );
    assert.ok(!log.includes(github.tokens[0] ?? '?'), log);
    assert.doesNotMatch(log, /\u202e|^::/m);
    assert.ok(log.length < 3000, `${log.length} characters`);
  });

  test('do not go to an S3 service, whatever that answers; one that refuses every session ends the run', async (t) => {
    await using github = await startTokenService();
    const bodies: string[] = [];
    const s3 = await startAnswering(
      t,
      400,
      '<Error><Code>ExpiredToken</Code><Message>The token expired</Message></Error>',
    );
    let count = 0;
    await using sts = await startSts((request) => {
      bodies.push(request.get('WebIdentityToken') ?? '');
      count += 1;
      return {
        accessKeyId: `ASIA${count}`,
        secretAccessKey: `secret-key-${count}`,
        sessionToken: `session-${count}`,
      };
    });
    const { exitCode, log } = await gate(s3.endpoint, {
      ...github.variables,
      AWS_ENDPOINT_URL_STS: sts.endpoint,
    });
    assert.equal(exitCode, 1);
    assert.match(log, /The AWS session has expired \(ExpiredToken\)/);
    assert.equal(s3.requests, 2, 'never more than twice');
    assert.deepEqual(bodies, github.tokens);
    assert.doesNotMatch(log, /secret-key|session-\d/);
  });

  test('are not taken from something else than a token', async (t) => {
    const service = await startAnswering(t, 200, JSON.stringify({ value: 'PRIVATE.KEY.x\nINJECTED=1' }));
    await using sts = await startSts(() => assert.fail('it was sent'));
    const { exitCode, log } = await gate('http://127.0.0.1:1', {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${service.endpoint}/?x=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer',
      AWS_ENDPOINT_URL_STS: sts.endpoint,
    });
    assert.equal(exitCode, 1);
    assert.match(log, /The answer of GitHub holds no ID token/);
    assert.doesNotMatch(log, /PRIVATE|INJECTED/);
    assert.equal(sts.requests.length, 0);
  });
});
