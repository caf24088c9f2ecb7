import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scene } from '../support/backup-run.ts';
import { type S3Fault, type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';

const isListing = ({ method, query }: SeenRequest) => method === 'GET' && query.has('list-type');

test('a backup looks at its host while its bucket is checked, and holds nothing there before that has ended', async () => {
  await using scene = await Scene.open();
  const looked = Promise.withResolvers<void>();
  const fault: S3Fault = { kind: 'withhold', until: () => looked.promise };
  await using proxy = await startS3Proxy(scene.sandbox.s3, [{ when: isListing, fault, times: 1 }]);
  const run = scene.start({ 's3-endpoint': proxy.endpoint }, { NODE_DEBUG: 'odoo-backup-questions' });
  await run.says(/^ODOO-BACKUP-QUESTIONS \d+: host \S*\/psql /m); // what the server says of itself
  assert.equal(proxy.requests.length, 1);
  assert.doesNotMatch(run.log, /: host psql session /); // the lock and the snapshot
  looked.resolve();
  await scene.made(await run.ended);
});

test('a look at the host leaves nothing there when the bucket is not there', async () => {
  await using scene = await Scene.open();
  const looked = Promise.withResolvers<void>();
  const fault: S3Fault = { kind: 'withhold', until: () => looked.promise };
  await using proxy = await startS3Proxy(scene.sandbox.s3, [{ when: isListing, fault, times: 1 }]);
  const inputs = { 's3-endpoint': proxy.endpoint, 's3-bucket': 'no-such-bucket-here' };
  const run = scene.start(inputs, { NODE_DEBUG: 'odoo-backup-questions' });
  await run.says(/^ODOO-BACKUP-QUESTIONS \d+: host \S*\/psql /m);
  looked.resolve();
  await scene.fails(run, 1, /no-such-bucket-here/, /s3-bucket/);
  assert.doesNotMatch(run.log, /: host psql session /);
});
