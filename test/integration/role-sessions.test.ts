import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { Scene } from '../support/backup-run.ts';
import { grow } from '../support/growth.ts';
import { run } from '../support/processes.ts';
import { type S3Proxy, type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';
import {
  type LocalService,
  StsRefusal,
  startSts,
  startTokenService,
  type TokenService,
} from '../support/sts.ts';

const role = 'arn:aws:iam::123456789012:role/odoo-backup';

suite('a role whose sessions end while a backup runs', () => {
  let scene: Scene;
  let proxy: S3Proxy;
  let sts: LocalService<URLSearchParams>;
  let github: TokenService;
  const resources = new AsyncDisposableStack();
  /** By the ID of the session's key. */
  const sessions = new Map<string, 'goes on' | 'ended'>();
  const secrets: string[] = [];
  const ended: string[] = [];

  before(async () => {
    scene = resources.use(await Scene.open());
    await grow(scene.sandbox, scene.odoo, { attachments: [{ count: 8, size: 5_000_000, kind: 'photo' }] });
    const { s3 } = scene.sandbox;
    assert.ok(s3.radosgwAdmin, 'this needs the sandbox’s own server, which makes keys');
    const admin = s3.radosgwAdmin;
    github = resources.use(await startTokenService());
    // Each session has keys of its own, which the S3 server knows and checks. The token has to be the newest one.
    sts = resources.use(
      await startSts(async (request) => {
        if (request.get('WebIdentityToken') !== github.tokens.at(-1))
          throw new StsRefusal(400, 'ExpiredTokenException', 'Token expired');
        const accessKeyId = `session-${sessions.size + 1}`;
        const secretAccessKey = randomBytes(20).toString('hex');
        const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
        await run([...admin, 'key', 'create', '--uid=sandbox', '--key-type=s3', ...keys]);
        sessions.set(accessKeyId, 'goes on');
        secrets.push(secretAccessKey);
        return { accessKeyId, secretAccessKey, expiration: new Date(Date.now() + 3_600_000) };
      }),
    );
    proxy = resources.use(await startS3Proxy(s3));
    // A session ends with the first request of each of these kinds, and whatever comes later in it is refused as well.
    const ends = new Map<string, (request: SeenRequest) => boolean>([
      ['a part', ({ method, query }) => method === 'PUT' && query.has('partNumber')],
      ['the end of the upload', ({ method, query }) => method === 'POST' && query.has('uploadId')],
      ['HEAD', ({ method }) => method === 'HEAD'],
      ['a read', ({ method, headers }) => method === 'GET' && headers.range !== undefined],
      ['the receipt', ({ method, path }) => method === 'PUT' && path.endsWith('.json')],
    ]);
    proxy.rules = [
      {
        when: (request) => {
          const [, key = ''] = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
          const [kind] = [...ends].find(([, is]) => is(request)) ?? [];
          if (kind !== undefined) {
            ends.delete(kind);
            ended.push(kind);
            sessions.set(key, 'ended');
          }
          return sessions.get(key) !== 'goes on';
        },
        fault: { kind: 'error', status: 400, code: 'ExpiredToken' },
      },
    ];
  });
  after(() => resources.disposeAsync());

  test('is assumed anew, with a new token of the job, in the middle of an upload as well', async () => {
    const inputs = {
      's3-endpoint': proxy.endpoint,
      'aws-role-arn': role,
      verify: 'contents',
      'aws-role-duration': '15m',
    };
    const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    const made = await scene.backup(inputs, {
      ...none,
      ...github.variables,
      AWS_ENDPOINT_URL_STS: sts.endpoint,
    });
    assert.equal(made.outputs.verified, 'contents');

    assert.deepEqual(ended.toSorted(), ['HEAD', 'a part', 'a read', 'the end of the upload', 'the receipt']);
    assert.equal(sessions.size, 1 + ended.length);
    assert.equal(sts.requests.length, sessions.size);
    assert.equal(github.requests.length, sessions.size, 'a token for each');
    for (const { audience } of github.requests) assert.equal(audience, 'sts.amazonaws.com');
    for (const request of sts.requests) {
      assert.equal(request.get('RoleArn'), role);
      assert.equal(request.get('RoleSessionName'), 'odoo-backup');
      assert.equal(request.get('DurationSeconds'), '900');
      assert.equal(request.get('Policy'), null);
    }
    const printed = made.log + made.stdout + JSON.stringify(made.receipt);
    for (const secret of [
      ...secrets,
      ...github.tokens,
      github.variables.ACTIONS_ID_TOKEN_REQUEST_TOKEN ?? '?',
    ])
      assert.ok(!printed.includes(secret));
  });
});
