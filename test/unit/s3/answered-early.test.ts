import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { Store } from '../../../src/s3/store.ts';
import { upload } from '../../../src/s3/upload.ts';

const MiB = 2 ** 20;

/** MD5 of what a request brings, in base64; `cut` where its connection ends before. */
function md5Of(request: IncomingMessage): Promise<string> {
  const md5 = createHash('md5');
  request.on('data', (chunk) => md5.update(chunk));
  return new Promise((resolve) => {
    request.on('end', () => resolve(md5.digest('base64')));
    request.socket.on('close', () => resolve('cut'));
  });
}

/** A part whose error came before all of it was sent. What is left of it is read when everything else is over. */
interface AnsweredEarly {
  readonly request: IncomingMessage;
  readonly md5: Promise<string>;
}

test('a part that is answered while it is sent never brings bytes of another one', async (t) => {
  process.env.AWS_ACCESS_KEY_ID = 'key';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
  let early: AnsweredEarly | undefined;
  const repeated = Promise.withResolvers<void>();
  const xml = (response: ServerResponse, status: number, text: string) =>
    response.writeHead(status, { 'content-type': 'application/xml' }).end(text);
  const server = createServer(async (request, response) => {
    const { searchParams: query } = new URL(request.url ?? '', 'http://s3');
    if (request.method === 'HEAD') return response.writeHead(404).end();
    if (query.has('uploads')) return xml(response, 200, '<Result><UploadId>id</UploadId></Result>');
    const md5 = md5Of(request);
    if (query.get('partNumber') === '2' && !early) {
      early = { request: request.pause(), md5 };
      return xml(response, 503, '<Error><Code>SlowDown</Code></Error>');
    }
    const etag = Buffer.from(await md5, 'base64').toString('hex');
    if (request.method === 'POST') return xml(response, 200, '<Result><ETag>"whole"</ETag></Result>');
    response.writeHead(200, { etag: `"${etag}"` }).end();
    if (query.get('partNumber') === '2') repeated.resolve();
    return;
  });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  using store = new Store({ bucket: 'bucket', prefix: '', endpoint, pathStyle: undefined });
  const chunks = async function* () {
    for (let i = 0; i < 96; i++) {
      if (i === 32) await repeated.promise;
      yield Buffer.alloc(MiB, i);
    }
  };
  const lanes = [chunks(), [Buffer.alloc(1)]].map((each) => ({ body: Readable.from(each), mostBytes: 0 }));
  await upload(store, 'key', lanes, { contentType: 'application/zip' });
  assert.ok(early);
  early.request.resume();
  const { 'content-md5': announced = '' } = early.request.headers;
  assert.ok(['cut', announced].includes(await early.md5), 'other bytes');
});
