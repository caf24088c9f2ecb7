import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, mock, test } from 'node:test';
import { Store } from '../../../src/s3/store.ts';
import { UserError } from '../../../src/util/errors.ts';

/** What an S3 service answers with, on the wire. */
interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly fields?: string;
  readonly headers?: Record<string, string>;
}

const answers = new Map<string, Answer>();
let server: Server;
let endpoint = '';

// The SDK waits between its attempts, for a random part of up to eight seconds.
before(() => mock.method(Math, 'random', () => 0));
after(() => mock.restoreAll());

before(async () => {
  process.env.AWS_ACCESS_KEY_ID = 'key';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
  server = createServer((request, response) => {
    const bucket = request.url?.split(/[/?]/)[1] ?? '';
    const { status, code, fields = '', headers } = answers.get(bucket) ?? { status: 500 };
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(
      code && request.method !== 'HEAD' ? `<Error><Code>${code}</Code>${fields}</Error>` : undefined,
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

async function failureOf(action: Promise<unknown>): Promise<UserError> {
  const error = await action.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UserError, String(error));
  assert.ok(error.cause, 'the cause is kept');
  return error;
}

type Call = (store: Store) => Promise<unknown>;
const check: Call = (store) => store.check('acme/');
const put: Call = (store) => store.putJson('acme/r.json', {});
const get: Call = (store) => store.getJson('acme/r.json');
const head: Call = (store) => store.range('acme/r.zip');

const cases: [name: string, call: Call, answer: Answer, message: RegExp, hint: RegExp][] = [
  [
    'unknown-key',
    check,
    { status: 403, code: 'InvalidAccessKeyId' },
    /does not know the access key/,
    /AWS_ACCESS_KEY_ID/,
  ],
  [
    'wrong-secret',
    check,
    { status: 403, code: 'SignatureDoesNotMatch' },
    /secret key/,
    /AWS_SECRET_ACCESS_KEY/,
  ],
  ['expired', put, { status: 400, code: 'ExpiredToken' }, /session has expired/, /`aws-role-arn`/],
  ['token', put, { status: 400, code: 'InvalidToken' }, /session token/, /AWS_SESSION_TOKEN/],
  [
    'denied-list',
    check,
    { status: 403, code: 'AccessDenied' },
    /denied s3:ListBucket on arn:aws:s3:::denied-list/,
    /Allow s3:ListBucket/,
  ],
  [
    'denied-put',
    put,
    { status: 403, code: 'AccessDenied' },
    /denied s3:PutObject on arn:aws:s3:::denied-put\/acme\/r\.json/,
    /Allow s3:PutObject/,
  ],
  [
    'denied-head',
    head,
    { status: 403 },
    /denied s3:GetObject on arn:aws:s3:::denied-head\/acme\/r\.zip$/,
    /Allow s3:GetObject/,
  ],
  [
    'denied-kms',
    put,
    {
      status: 403,
      code: 'AccessDenied',
      fields: '<Message>not authorized to perform: kms:GenerateDataKey</Message>',
    },
    /KMS key cannot be used: .*kms:GenerateDataKey/,
    /kms-key-id/,
  ],
  [
    'my-kms-bucket',
    put,
    { status: 403, code: 'AccessDenied', fields: '<Message>on my-kms-bucket</Message>' },
    /denied s3:PutObject/,
    /Allow/,
  ],
  ['no-kms', put, { status: 400, code: 'KMS.NotFoundException' }, /KMS key cannot be used/, /kms-key-id/],
  ['no-bucket', check, { status: 404, code: 'NoSuchBucket' }, /no bucket no-bucket/, /s3-bucket/],
  ['no-key', get, { status: 404, code: 'NoSuchKey' }, /no object s3:\/\/no-key\/acme\/r\.json/, /s3-prefix/],
  ['no-head', head, { status: 404 }, /no object s3:\/\/no-head\/acme\/r\.zip/, /s3-prefix/],
  [
    'moved',
    check,
    { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-3' } },
    /bucket moved is in the region eu-west-3/,
    /`aws-region` to eu-west-3/,
  ],
  [
    'malformed',
    check,
    { status: 400, code: 'AuthorizationHeaderMalformed', fields: '<Region>eu-west-3</Region>' },
    /bucket malformed is in the region eu-west-3/,
    /`aws-region` to eu-west-3/,
  ],
  ['frozen', get, { status: 403, code: 'InvalidObjectState' }, /storage class is an archive/, /GLACIER_IR/],
  ['class', put, { status: 400, code: 'InvalidStorageClass' }, /storage class/, /storage-class/],
  ['skewed', check, { status: 403, code: 'RequestTimeTooSkewed' }, /clock/, /clock/],
  ['full', put, { status: 403, code: 'QuotaExceeded' }, /quota of the bucket full/, /quota/],
  ['slow', check, { status: 503, code: 'SlowDown' }, /slow down/, /fewer backups/],
  [
    'broken',
    check,
    { status: 500, code: 'InternalError' },
    /HTTP 500 \(InternalError\) on s3:ListBucket/,
    /again several times/,
  ],
  [
    'strange',
    put,
    { status: 400, code: 'Strange', fields: '<Message>odd</Message>' },
    /refused s3:PutObject on s3:\/\/strange\/acme\/r\.json: Strange: odd \(HTTP 400\)/,
    /code/,
  ],
];

describe('an S3 service that answers with an error', { concurrency: true }, () => {
  for (const [bucket, call, answer, message, hint] of cases) {
    test(bucket, async () => {
      answers.set(bucket, answer);
      using store = new Store({ bucket, prefix: '', endpoint, pathStyle: undefined });
      const error = await failureOf(call(store));
      assert.match(error.message, message);
      assert.match(error.hint, hint);
    });
  }
});

describe('an endpoint that is none', { concurrency: true }, () => {
  const store = (endpoint: string) => new Store({ bucket: 'b', prefix: '', endpoint, pathStyle: undefined });

  test('nobody listens', async () => {
    using nobody = store('http://127.0.0.1:1');
    const error = await failureOf(nobody.check(''));
    assert.match(error.message, /http:\/\/127\.0\.0\.1:1 refuses connections/);
    assert.match(error.hint, /s3-endpoint/);
  });

  test('no such name', async () => {
    using unknown = store('http://s3.invalid');
    const error = await failureOf(unknown.check(''));
    assert.match(error.message, /s3\.invalid cannot be resolved/);
    assert.match(error.hint, /s3-endpoint/);
  });

  test('https:// where nobody speaks TLS', async () => {
    using plain = store(endpoint.replace('http:', 'https:'));
    const error = await failureOf(plain.check(''));
    assert.match(error.message, /TLS/);
    assert.match(error.hint, /s3-endpoint/);
  });

  test('a web page', async () => {
    const page = createServer((_, response) => response.end('<!doctype html><p>Hello')).listen(
      0,
      '127.0.0.1',
    );
    await once(page, 'listening');
    using console = store(`http://127.0.0.1:${(page.address() as AddressInfo).port}`);
    const error = await failureOf(console.check(''));
    page.close();
    assert.match(error.message, /does not answer like an S3 service/);
    assert.match(error.hint, /s3-endpoint/);
  });
});

describe('what is not configured', () => {
  const kept = { ...process.env };
  before(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });
  });
  after(() => Object.assign(process.env, kept));

  test('no credentials', async () => {
    using store = new Store({ bucket: 'b', prefix: '', endpoint, pathStyle: undefined });
    const error = await failureOf(store.check(''));
    assert.match(error.message, /no AWS credentials/);
    assert.match(error.hint, /aws-role-arn.*id-token: write.*AWS_WEB_IDENTITY_TOKEN_FILE.*AWS_ACCESS_KEY_ID/);
  });

  test('no region', async () => {
    using store = new Store({ bucket: 'b', prefix: '', pathStyle: undefined });
    const error = await failureOf(store.check(''));
    assert.match(error.message, /region is not known/);
    assert.match(error.hint, /aws-region/);
  });
});
