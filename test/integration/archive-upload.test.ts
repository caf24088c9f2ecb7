import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { readDirectory } from '../../src/archive/reader.ts';
import { Store } from '../../src/s3/store.ts';
import { upload } from '../../src/s3/upload.ts';
import { createBucket, s3Client } from '../support/s3.ts';
import { useSandbox } from '../support/sandbox.ts';
import { SerialWriter } from '../support/serial-writer.ts';

const { s3 } = useSandbox();

// lib-storage takes a number in `size`, `length` and the like of a stream for its final length.
test('an archive of several parts is uploaded whole, also when its first bytes are written before the upload starts', async () => {
  process.env.AWS_ACCESS_KEY_ID = s3.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = s3.secretAccessKey;
  using client = {
    client: s3Client(s3),
    [Symbol.dispose]() {
      this.client.destroy();
    },
  };
  const bucket = await createBucket(client.client);
  using store = new Store({
    bucket,
    prefix: '',
    endpoint: s3.endpoint,
    region: s3.region,
    pathStyle: undefined,
  });

  await using writer = new SerialWriter({ level: 1 });
  await writer.begin('filestore');
  const early = await writer.add('filestore/aa/early', Buffer.from('x'), {
    deflate: false,
    modified: new Date(),
  });
  assert.equal(early.size, 1);
  const uploading = upload(store, 'a.zip', [{ body: writer.output, mostBytes: 1 }], {
    contentType: 'application/zip',
  });
  for (let i = 0; i < 20; i++) {
    await writer.add(`filestore/bb/${i}`, randomBytes(2 ** 20), { deflate: false, modified: new Date() });
  }
  const summary = await writer.finish();
  const uploaded = await uploading;

  assert.equal(uploaded.parts, 3);
  assert.equal(uploaded.size, summary.size);
  assert.deepEqual((await readDirectory(await store.range('a.zip'))).directory, summary.directory);
});
