import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Store } from '../../../src/s3/store.ts';

const OBJECT = Buffer.from('0123456789abcdefghij');

test('bytes of another place are not taken for those that were asked for, also where they go on', async (t) => {
  process.env.AWS_ACCESS_KEY_ID = 'key';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
  /** Where the answers begin, one after the other; how many bytes of them come, before the connection breaks. */
  let answers: readonly (readonly [offset: number, length: number])[] = [];
  let asked = 0;
  const server = createServer((_, response) => {
    const [offset, length] = answers[asked++] ?? [0, 0];
    response.writeHead(206, {
      etag: '"etag"',
      'content-length': 10,
      'content-range': `bytes ${offset}-${offset + 9}/20`,
    });
    response.write(OBJECT.subarray(offset, offset + length), () => length < 10 && response.destroy());
    if (length === 10) response.end();
  });
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  using store = new Store({ bucket: 'bucket', prefix: '', endpoint, pathStyle: undefined });
  const read = (...given: typeof answers) => {
    [answers, asked] = [given, 0];
    return store.read('key', 5, 10);
  };
  assert.equal(String(await read([5, 10])), '56789abcde');
  const from = (byte: number) => ({
    message: `s3://bucket/key gave bytes from another place than were asked for, from byte ${byte} on`,
  });
  await assert.rejects(read([0, 10]), from(5));
  await assert.rejects(read([5, 4], [5, 10]), from(9));
});
