import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { Store } from '../../../src/s3/store.ts';
import { UserError } from '../../../src/util/errors.ts';
import { type NoS3, startBanner, startProxy, startWeb } from '../../support/no-s3.ts';

const page = '<!DOCTYPE html><html><head><title>Console</title></head><body><br><div></div></body></html>';
const html = { 'content-type': 'text/html' };

async function failureOf(endpoint: string, ask: (store: Store) => Promise<unknown>): Promise<UserError> {
  using store = new Store({
    bucket: 'backups',
    prefix: '',
    region: 'us-east-1',
    endpoint,
    pathStyle: undefined,
  });
  const error = await ask(store).then(
    (answer) => assert.fail(`it did not fail: ${JSON.stringify(answer)}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  assert.doesNotMatch(error.message, /Unknown|UnknownError|Deserialization|\n/);
  return error;
}

const requests: readonly (readonly [what: string, ask: (store: Store) => Promise<unknown>])[] = [
  ['check', (store) => store.check('acme/')],
  ['list', (store) => Array.fromAsync(store.list('acme/'))],
  ['head', (store) => store.head('acme/a.zip')],
  ['read', (store) => store.getJson('acme/a.json')],
  ['write', (store) => store.putJson('acme/a.json', {})],
];

suite('where an S3 service is expected, there is', () => {
  const kept = { ...process.env };
  before(() => {
    for (const name of Object.keys(process.env))
      if (/^(AWS_|https?_proxy|no_proxy)/i.test(name)) delete process.env[name];
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });
  });
  const withKeys = () =>
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' });
  before(withKeys);
  afterEach(withKeys);
  after(() => Object.assign(process.env, kept));

  const noService = /does not answer like an S3 service/;
  const servers: readonly (readonly [
    what: string,
    start: () => Promise<NoS3>,
    says: RegExp,
    hint: RegExp,
  ])[] = [
    ['a console', () => startWeb(200, html, page), noService, /a console or a web page/],
    [
      'a page of well-formed XML',
      () => startWeb(200, html, '<html><body/></html>'),
      noService,
      /s3-endpoint/,
    ],
    [
      'XML of another program',
      () => startWeb(200, { 'content-type': 'application/xml' }, '<project><Name>x</Name></project>'),
      noService,
      /s3-endpoint/,
    ],
    ['no content', () => startWeb(204, {}, ''), noService, /s3-endpoint/],
    ['nothing but an OK', () => startWeb(200, {}, ''), noService, /s3-endpoint/],
    [
      'an API of another kind',
      () => startWeb(200, { 'content-type': 'application/json' }, '{"status":"ok"}'),
      noService,
      /s3-endpoint/,
    ],
    [
      'a redirect to https',
      () => startWeb(301, { location: 'https://s3.example.com/x?token=secret' }, ''),
      /redirects to https:\/\/s3\.example\.com \(HTTP 301\)$/,
      /Set `s3-endpoint` to https:\/\/s3\.example\.com, if/,
    ],
    [
      'a login page',
      () => startWeb(302, { ...html, location: 'https://login.example.com/' }, page),
      /redirects to https:\/\/login\.example\.com \(HTTP 302\)/,
      /not a login page/,
    ],
    [
      'a proxy that forbids',
      () => startWeb(403, html, page),
      /answers HTTP 403, and not like an S3 service/,
      /a proxy or a firewall/,
    ],
    [
      'a gateway that forbids, in JSON',
      () => startWeb(403, { 'content-type': 'application/json' }, '{"message":"Forbidden"}'),
      /answers HTTP 403, and not like an S3 service/,
      /a proxy or a firewall/,
    ],
    [
      'the TLS port, spoken to in plain HTTP',
      () => startWeb(400, html, '<html><body>The plain HTTP request was sent to HTTPS port</body></html>'),
      /answers HTTP 400, and not like an S3 service/,
      /https:\/\/ or http:\/\//,
    ],
    [
      'a proxy that wants a password',
      () => startWeb(407, { ...html, 'proxy-authenticate': 'Basic' }, page),
      /asks for a password \(HTTP 407\)/,
      /HTTPS_PROXY/,
    ],
    ['sshd', () => startBanner('SSH-2.0-OpenSSH_9.2\r\n'), /does not speak HTTP at this port/, /the port of/],
  ];
  for (const [what, start, says, hint] of servers) {
    test(what, async () => {
      await using server = await start();
      for (const [request, ask] of requests) {
        const error = await failureOf(server.endpoint, ask);
        assert.match(error.message, says, request);
        assert.match(error.hint, hint, request);
        assert.doesNotMatch(`${error.message} ${error.hint}`, /secret/);
      }
    });
  }

  for (const [what, start] of [
    ['plain HTTP behind https://', () => startWeb(200, html, page)],
    ['sshd behind https://', () => startBanner('SSH-2.0-OpenSSH_9.2\r\n')],
  ] as const) {
    test(what, async () => {
      await using server = await start();
      const error = await failureOf(server.endpoint.replace('http:', 'https:'), (store) => store.check(''));
      assert.match(error.message, /does not speak TLS at this port/);
      assert.match(error.hint, /http:\/\//);
    });
  }

  test('a page that is not found, where a bucket is asked for', async () => {
    await using server = await startWeb(404, html, '<html><body>Not found</body></html>');
    const error = await failureOf(server.endpoint, (store) => store.check('acme/'));
    assert.match(error.message, /answers HTTP 404, and not like an S3 service$/);
  });

  test('a gateway whose service is down', async () => {
    await using server = await startWeb(502, html, page);
    const error = await failureOf(server.endpoint, (store) => store.check('acme/'));
    assert.match(
      error.message,
      /^The S3 service failed with HTTP 502 on s3:ListBucket of the bucket backups$/,
    );
  });

  test('a key with a line break, or a token', async (t) => {
    // What the SDK leaves behind of a request that could not be made: a timer of 12 seconds.
    const set = setTimeout;
    t.mock.method(globalThis, 'setTimeout', (...args: Parameters<typeof set>) => set(...args).unref());
    await using server = await startWeb(200, {}, '');
    process.env.AWS_ACCESS_KEY_ID = 'key\nkey';
    const error = await failureOf(server.endpoint, (store) => store.check(''));
    assert.match(
      error.message,
      /^AWS_ACCESS_KEY_ID holds a character that no key has, such as a line break$/,
    );
    process.env.AWS_ACCESS_KEY_ID = 'key';
    process.env.AWS_SESSION_TOKEN = 'token\ntoken';
    const other = await failureOf(server.endpoint, (store) => store.check(''));
    assert.match(other.message, /^AWS_SESSION_TOKEN holds/);
    delete process.env.AWS_SESSION_TOKEN;
  });

  test('a proxy between, which HTTP_PROXY and HTTPS_PROXY name, and NO_PROXY leaves out', async () => {
    await using proxy = await startProxy(
      '<ListBucketResult><Name>backups</Name><IsTruncated>false</IsTruncated></ListBucketResult>',
    );
    Object.assign(process.env, {
      HTTP_PROXY: proxy.endpoint,
      HTTPS_PROXY: proxy.endpoint,
      NO_PROXY: 'other.invalid',
    });
    try {
      using store = new Store({
        bucket: 'b',
        prefix: '',
        endpoint: 'http://s3.invalid',
        pathStyle: undefined,
      });
      await store.check('acme/');
      assert.match(proxy.asked.join(), /^GET http:\/\/s3\.invalid\/b\/?\?.*list-type=2/);
      const error = await failureOf('https://s3.invalid', (each) => each.check(''));
      assert.match(
        error.message,
        /The proxy does not let this program through to https:\/\/s3\.invalid: .*407/,
      );
      assert.match(error.hint, /HTTPS_PROXY/);
      assert.ok(proxy.asked.includes('CONNECT s3.invalid:443'));
      const before = proxy.asked.length;
      const direct = await failureOf('http://other.invalid', (each) => each.check(''));
      assert.match(direct.message, /The name of http:\/\/other\.invalid cannot be resolved/);
      assert.equal(proxy.asked.length, before);
    } finally {
      for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']) delete process.env[name];
    }
  });

  test('a token file that is gone', async () => {
    await using server = await startWeb(200, {}, '');
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
    Object.assign(process.env, {
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/backup',
      AWS_WEB_IDENTITY_TOKEN_FILE: '/nonexistent/token',
    });
    const error = await failureOf(server.endpoint, (store) => store.check(''));
    assert.match(error.message, /cannot be read from the file \/nonexistent\/token \(ENOENT\)/);
    assert.match(error.hint, /AWS_WEB_IDENTITY_TOKEN_FILE/);
    delete process.env.AWS_WEB_IDENTITY_TOKEN_FILE;
    delete process.env.AWS_ROLE_ARN;
  });
});
