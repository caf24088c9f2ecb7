import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { sweepUnfinished } from '../../src/s3/unfinished-uploads.ts';
import { listVersions } from '../../src/s3/versions.ts';
import { cleanEnvironment, type Ended, runCommand } from '../support/backup-run.ts';
import { startWeb } from '../support/no-s3.ts';
import { createBucket, type S3Server } from '../support/s3.ts';
import { type S3Proxy, type S3Rule, type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';
import { putBackup } from '../support/stored-backups.ts';
import { failureOf, useTestBucket } from '../support/test-bucket.ts';

const { server, client, bucket, openStore } = await useTestBucket();

/** What lists, and what begins its next page. */
const listings: readonly (readonly [
  what: string,
  is: (request: SeenRequest) => boolean,
  next: string,
  list: (proxy: S3Proxy) => Promise<unknown>,
])[] = [
  [
    'objects',
    ({ query }) => query.has('list-type'),
    '<NextContinuationToken>again</NextContinuationToken>',
    (proxy) => Array.fromAsync(openStore(proxy).list('')),
  ],
  [
    'versions',
    ({ query }) => query.has('versions'),
    '<NextKeyMarker>again</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker>',
    (proxy) => listVersions(openStore(proxy), 'a'),
  ],
  [
    'unfinished uploads',
    ({ query }) => query.has('uploads'),
    '<NextKeyMarker>again</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>',
    (proxy) => sweepUnfinished(openStore(proxy), '', 0),
  ],
];

suite('a listing', async () => {
  for (const Key of ['a', 'b']) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));

  for (const [what, is, next, list] of listings) {
    const cut = (more: string): S3Rule => ({
      when: is,
      fault: {
        kind: 'map-body',
        map: (xml) =>
          xml
            .replaceAll(/<Next\w+>[^<]*<\/Next\w+>|<Next\w+\/>/g, '')
            .replace(/<IsTruncated>\w+<\/IsTruncated>/, `<IsTruncated>true</IsTruncated>${more}`),
      },
    });

    test(`of ${what} that goes on, and does not say where, is not taken for whole`, async () => {
      await using proxy = await startS3Proxy(server, [cut('')]);
      const error = await failureOf(list(proxy));
      assert.match(
        error.message,
        new RegExp(`^The list of ${what} in the bucket ${bucket} is not whole: .* but not where$`),
      );
    });

    test(`of ${what} that repeats itself ends`, async () => {
      await using proxy = await startS3Proxy(server, [cut(next)]);
      const error = await failureOf(list(proxy));
      assert.match(error.message, /is not whole: the S3 server returns the same page again and again$/);
      assert.ok(proxy.requests.length <= 3, `${proxy.requests.length} requests`);
    });
  }

  const ask = (command: string, at: S3Server, of: string): Promise<Ended> =>
    runCommand(
      command,
      { 's3-bucket': of, 's3-endpoint': at.endpoint, customer: 'acme', database: 'prod' },
      cleanEnvironment(at),
    );

  test('that is cut opens no gate, and deletes nothing', async () => {
    const own = await createBucket(client);
    await putBackup(client, own, { time: '2026-11-01_00-00-00' });
    const [, isList] = listings[0] ?? [];
    const rule: S3Rule = {
      when: (request) => isList?.(request) ?? false,
      fault: { kind: 'map-body', map: (xml) => xml.replace('>false<', '>true<') },
    };
    await using proxy = await startS3Proxy(server, [rule]);
    for (const command of ['gate', 'list', 'prune']) {
      const ended = await ask(command, proxy, own);
      assert.equal(ended.exitCode, 1, ended.log);
      assert.match(ended.log, /error: The list of objects in the bucket .* is not whole/);
    }
  });

  test('of what is no S3 service is no empty one', async () => {
    const page = '<!DOCTYPE html><html><head><title>Console</title></head><body></body></html>';
    for (const [type, body] of [
      ['text/html', page],
      ['application/xml', '<html><body/></html>'],
      ['text/plain', ''],
    ] as const) {
      await using web = await startWeb(200, { 'content-type': type }, body);
      for (const command of ['gate', 'list', 'prune']) {
        const ended = await ask(command, { ...server, endpoint: web.endpoint }, 'backups');
        assert.equal(ended.exitCode, 1, ended.log);
        assert.match(ended.log, /error: http:\/\/127\.0\.0\.1:\d+ does not answer like an S3 service/);
        assert.match(ended.log, /s3-endpoint/);
      }
    }
  });
});
