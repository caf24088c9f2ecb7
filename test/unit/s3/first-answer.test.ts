import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { before, type TestContext, test } from 'node:test';
import { Store } from '../../../src/s3/store.ts';
import { UserError } from '../../../src/util/errors.ts';

before(() => {
  process.env.AWS_ACCESS_KEY_ID = 'key';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
});

/** Shorter than the waits of the SDK, which pass as ever. */
const LIMIT_MS = 500;

/** A store on what listens, which is waited for no longer than the limit; `pass` lets that time be over. */
async function storeOn(t: TestContext, server: Server): Promise<{ store: Store; pass: () => void }> {
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const waiting = new Map<NodeJS.Timeout, () => void>();
  const [set, clear] = [setTimeout, clearTimeout];
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, ms: number) => {
    if (ms > LIMIT_MS) return set(callback, ms);
    const timer = set(() => {}, 0);
    waiting.set(timer, callback);
    return timer;
  });
  t.mock.method(globalThis, 'clearTimeout', (timer: NodeJS.Timeout) => {
    waiting.delete(timer);
    clear(timer);
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    store: new Store({ bucket: 'b', prefix: '', endpoint, pathStyle: undefined, firstAnswerMs: LIMIT_MS }),
    pass: () => {
      for (const callback of waiting.values()) callback();
    },
  };
}

test('an endpoint that accepts connections and says nothing', async (t) => {
  const silent = createTcpServer((socket) => socket.on('error', () => {}));
  const { store, pass } = await storeOn(t, silent);
  using nobody = store;
  silent.on('connection', pass);
  await assert.rejects(nobody.check(''), (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.ok(error.cause, 'the cause is kept');
    assert.match(error.message, /accepts connections but does not answer \(no answer within 0\.5 s\)/);
    assert.match(error.hint, /s3-endpoint.*firewall/);
    return true;
  });
});

test('an endpoint that has answered once may take its time', async (t) => {
  let answer: RequestListener = (_, response) => response.writeHead(404).end();
  const slow = createServer((request, response) => answer(request, response));
  const { store, pass } = await storeOn(t, slow);
  using patient = store;
  assert.equal(await patient.head('k'), undefined);
  let asked = 0;
  answer = (_, response) => {
    asked += 1;
    pass();
    // Whoever had given up by then would have closed the connection.
    setImmediate(() => response.writeHead(404).end());
  };
  assert.equal(await patient.head('k'), undefined);
  assert.equal(asked, 1);
});
