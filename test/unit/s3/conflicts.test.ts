import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../../../src/s3/client.ts';

for (const code of ['ConcurrentModification', 'OperationAborted']) {
  test(`an object that somebody else writes just now is asked for once more (${code})`, async () => {
    process.env.AWS_ACCESS_KEY_ID = 'key';
    process.env.AWS_SECRET_ACCESS_KEY = 'secret';
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      if (asked > 1) return response.end('receipt');
      response.writeHead(409, { 'content-type': 'application/xml' });
      return response.end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = s3Client({ endpoint: `http://127.0.0.1:${port}`, pathStyle: true });
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'key' }));
      assert.equal(await Body?.transformToString(), 'receipt');
      assert.equal(asked, 2);
    } finally {
      client.destroy();
      server.close();
    }
  });
}
