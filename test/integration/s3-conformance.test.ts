import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { cleanEnvironment, type Ended, Run, Scene } from '../support/backup-run.ts';
import { kmsKeyId } from '../support/ceph.ts';
import { grow } from '../support/growth.ts';
import { startOpaqueEtags } from '../support/opaque-etags.ts';
import { createBucket, getObject, listKeys, type S3Server, s3Client } from '../support/s3.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { type S3rver, startS3rver } from '../support/s3rver.ts';
import { useSandbox } from '../support/sandbox.ts';

/** Runs `npm run test:s3` to its end. */
function look(server: S3Server, ...options: readonly string[]): Promise<Ended> {
  const args = ['--endpoint', server.endpoint, ...options];
  return new Run(args, cleanEnvironment(server), [], 'scripts/test-s3.ts').ended;
}

/** The titles of what does not hold. */
const lacking = ({ stdout }: Ended): string[] =>
  [...stdout.matchAll(/^(?:no|\?) +(.*)$/gim)].map(([, title = '']) => title);

async function bucketsOf(server: S3Server): Promise<string[]> {
  const client = s3Client(server);
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
  client.destroy();
  return Buckets.map(({ Name = '' }) => Name).filter((name) => name.startsWith('odoo-backup-test-'));
}

suite('what S3 servers can do', { concurrency: true }, () => {
  suite('npm run test:s3', { concurrency: false }, () => {
    const { s3 } = useSandbox();

    test('on Ceph: all that this project knows to use, and nothing stays there', async () => {
      const ended = await look(s3);
      assert.equal(ended.exitCode, 0, ended.log);
      const older = 'refuses to complete an upload over an existing object (If-None-Match: *)'; // up to Ceph 18
      assert.deepEqual(
        lacking(ended).filter((title) => title !== older),
        ['refuses to copy from an object that was replaced in the meantime (If-Match)'],
      );
      assert.match(ended.stdout, /Backups +yes\n/);
      assert.match(ended.stdout, /Dumps and filestore +sent at the same time\n/);
      assert.match(
        ended.stdout,
        /Incremental transfer +yes, copies are proven by the MD5 that the server reports\n/,
      );
      assert.deepEqual(await bucketsOf(s3), []);
    });

    test('in a bucket that is given: it works under a name of its own, and changes no bucket', async () => {
      const client = s3Client(s3);
      const bucket = await createBucket(client);
      const ended = await look(s3, '--bucket', bucket);
      assert.equal(ended.exitCode, 0, ended.log);
      assert.match(ended.stdout, /Object Lock +not checked: leave --bucket out to find out\n/);
      assert.deepEqual(await listKeys(client, bucket), []);
      client.destroy();
    });

    test('where ETags are no MD5s (SSE-KMS): copies are read back', async () => {
      await using opaque = await startOpaqueEtags(s3);
      const ended = await look(opaque, '--kms-key-id', kmsKeyId);
      assert.equal(ended.exitCode, 0, ended.log);
      assert.match(
        ended.stdout,
        /Proof of what is sent +the MD5 that is sent with each part, which the server checks\n/,
      );
      assert.match(ended.stdout, /Incremental transfer +yes, copies are proven by reading them back\n/);
    });

    test('where nothing answers, or the keys are wrong, backups are not said to be safe', async () => {
      const wrong = { ...s3, accessKeyId: 'nobody' };
      const [refused, unknown, mistaken] = await Promise.all([
        look({ ...s3, endpoint: 'http://127.0.0.1:9' }),
        look(wrong),
        look({ ...s3, endpoint: 'nowhere' }),
      ]);
      for (const [ended, message] of [
        [refused, /ECONNREFUSED/],
        [unknown, /does not know the access key/],
      ] as const) {
        assert.equal(ended.exitCode, 1);
        assert.match(ended.log, message);
        assert.equal(ended.stdout, '');
      }
      assert.equal(mistaken.exitCode, 2);
    });
  });

  suite('an S3 server that cannot copy parts', { concurrency: false }, () => {
    let folder: string;
    let server: S3rver;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 's3rver-'));
      server = await startS3rver(folder);
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    test('is found out by npm run test:s3', async () => {
      const ended = await look(server);
      assert.equal(ended.exitCode, 0, ended.log + ended.stdout);
      assert.match(ended.stdout, /Backups +yes\n/);
      assert.match(ended.stdout, /Incremental transfer +no: every backup sends everything\n/);
      assert.match(ended.stdout, /Protection against overwriting +by a check before the upload/);
      assert.match(ended.stdout, /Object Lock +no\n/);
      assert.deepEqual(await bucketsOf(server), []);
    });

    test('gets whole backups, and is asked to copy once', async () => {
      await using scene = await Scene.open();
      await grow(scene.sandbox, scene.odoo, { attachments: [{ count: 3, size: 5_000_000, kind: 'photo' }] });
      const client = s3Client(server);
      const bucket = await createBucket(client);
      await using proxy = await startS3Proxy(server);
      const backUp = async () => {
        const inputs = { 's3-bucket': bucket, 's3-endpoint': proxy.endpoint, verify: 'contents' };
        const ended = await scene.run(inputs, cleanEnvironment(server));
        assert.equal(ended.exitCode, 0, ended.log);
        return {
          log: ended.log,
          asked: proxy.requests.filter(({ headers }) => 'x-amz-copy-source' in headers).length,
        };
      };
      assert.match((await backUp()).log, /First backup: everything is sent/);
      const second = await backUp();
      assert.match(second.log, /cannot copy parts of an object \(UploadPartCopy\)\. So everything is sent/);
      assert.ok(second.asked > 0);
      const third = await backUp();
      assert.match(third.log, /Everything is sent: the S3 server cannot copy parts of objects/);
      assert.equal(third.asked, second.asked);
      const keys = await listKeys(client, bucket);
      const archives = keys.filter((key) => key.endsWith('.zip'));
      assert.equal(archives.length, 3);
      for (const key of archives) {
        const receipt = JSON.parse(
          Buffer.from(await getObject(client, bucket, key.replace(/zip$/, 'json'))).toString(),
        );
        assert.deepEqual(
          receipt.proofs.map(({ level, failure }: { level: string; failure?: string }) => [level, failure]),
          [
            ['upload', undefined],
            ['contents', undefined],
          ],
        );
      }
      client.destroy();
    });
  });
});
