import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, type TestContext, test } from 'node:test';
import { passesUnknown } from '../../../src/s3/sdk-errors.ts';
import { Store } from '../../../src/s3/store.ts';
import { UserError } from '../../../src/util/errors.ts';

before(() => {
  process.env.AWS_ACCESS_KEY_ID = 'key';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
});

/** What the SDK itself sends of a request. */
const ATTEMPTS = 5;
const AN_HOUR = 3_600_000;

const notThere: RequestListener = (_, response) => response.writeHead(404).end();
const down: RequestListener = (_, response) => response.writeHead(503).end();
const lost: RequestListener = (request) => request.socket.resetAndDestroy();

/** A store on a server that answers as told, and what its job's log says. */
async function storeOn(t: TestContext, waitsMs: readonly number[]) {
  const scene = { answer: notThere as RequestListener, asked: 0, said: [] as string[], onSaid: () => {} };
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      scene.asked += 1;
      scene.answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const run = new AbortController();
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { bucket: 'b', prefix: '', endpoint, pathStyle: undefined, outageWaitsMs: waitsMs };
  const store = new Store(options, run.signal, {
    info: (message) => {
      scene.said.push(message.replace(endpoint, 'S3'));
      scene.onSaid();
    },
    secret() {},
    idToken: () => Promise.reject(new Error('no token')),
  });
  t.after(() => {
    store[Symbol.dispose]();
    server.close();
    server.closeAllConnections();
  });
  return { scene, store, run };
}

async function failureOf(action: Promise<unknown>): Promise<UserError> {
  const error = await action.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  return error;
}

/** The answer to the first so many requests from now on is `first`. */
function times(count: number, first: RequestListener, then: RequestListener): RequestListener {
  let left = count;
  return (request, response) => {
    left -= 1;
    return left >= 0 ? first(request, response) : then(request, response);
  };
}

for (const [what, answer, says] of [
  ['answers 503', down, 'HTTP 503'],
  ['loses connections', lost, 'ECONNRESET'],
  ['is behind a proxy that does not reach it', (_, response) => response.writeHead(521).end(), 'HTTP 521'],
] as const satisfies readonly (readonly [string, RequestListener, string])[]) {
  test(`a server that has answered and ${what} is asked again for longer than the SDK does`, async (t) => {
    const { scene, store } = await storeOn(t, [1, 1, 1]);
    assert.equal(await store.head('k'), undefined);
    scene.asked = 0;
    scene.answer = times(ATTEMPTS + 2, answer, notThere);
    assert.equal(await store.head('k'), undefined);
    assert.equal(scene.asked, ATTEMPTS + 3);
    assert.deepEqual(
      scene.said.map((line) => line.replace(/\d+ s$/, 'N s')),
      [
        `S3 does not answer as it did before (${says}): it is asked again for half a minute`,
        'S3 answers again, after N s',
      ],
    );
  });

  test(`a server that ${what} and has never answered is given up on as fast as by the SDK`, async (t) => {
    const { scene, store } = await storeOn(t, [AN_HOUR]);
    scene.answer = answer;
    const error = await failureOf(store.check(''));
    assert.match(error.hint, /^It was asked again several times\. /);
    assert.equal(scene.asked, ATTEMPTS);
    assert.deepEqual(scene.said, []);
  });
}

test('a short fault is not told of', async (t) => {
  const { scene, store } = await storeOn(t, [AN_HOUR]);
  await store.head('k');
  scene.answer = times(ATTEMPTS - 1, down, notThere);
  await store.head('k');
  assert.deepEqual(scene.said, []);
});

test('many requests are one outage, and it ends with the last of them', async (t) => {
  const { scene, store } = await storeOn(t, [1, 1]);
  await store.head('k');
  const count = 20; // more than the SDK has retries for
  const failures = new Map<string | undefined, number>();
  const all = Promise.withResolvers<void>();
  let left = 2 * count;
  scene.answer = async (request, response) => {
    const so = (failures.get(request.url) ?? 0) + 1;
    failures.set(request.url, so);
    if (so > 2) await all.promise;
    else if (--left === 0) all.resolve();
    return so > 2 ? notThere(request, response) : down(request, response);
  };
  await Promise.all(Array.from({ length: count }, (_, i) => store.head(`k${i}`)));
  assert.deepEqual(
    scene.said.map((line) => /answers again/.test(line)),
    [false, true],
  );
  scene.answer = down;
  scene.said = [];
  const errors = await Promise.all(Array.from({ length: count }, (_, i) => failureOf(store.head(`k${i}`))));
  for (const { hint } of errors)
    assert.match(hint, /^It had answered before, and was asked again for \d+ s\. /);
  assert.equal(scene.said.length, 1, `${scene.said}`);
});

test('what is asked after a server was given up on waits no more, until it answers', async (t) => {
  const { scene, store } = await storeOn(t, [1, 1, 1]);
  await store.head('k');
  scene.answer = down;
  await failureOf(store.head('k'));
  scene.asked = 0;
  await failureOf(store.delete('k'));
  assert.equal(scene.asked, ATTEMPTS);
  scene.answer = notThere;
  await store.head('k');
  scene.asked = 0;
  scene.answer = down;
  await failureOf(store.head('k'));
  assert.equal(scene.asked, ATTEMPTS + 3);
  assert.deepEqual(
    scene.said.map((line) => /answers again/.test(line)),
    [false, true, false],
  );
});

test('a run that ends does not wait, neither for what it reads nor for what it writes', async (t) => {
  for (const ask of [
    (store: Store) => store.head('k'),
    (store: Store) => store.putJson('k', {}),
    (store: Store) => store.delete('k'),
  ]) {
    const { scene, store, run } = await storeOn(t, [AN_HOUR]);
    await store.head('k');
    scene.answer = down;
    scene.onSaid = () => setImmediate(() => run.abort(new Error('SIGTERM')));
    await assert.rejects(ask(store));
    scene.asked = 0;
    await failureOf(store.delete('k')); // what cleans up
    assert.equal(scene.asked, ATTEMPTS);
    assert.equal(scene.said.length, 1);
  }
});

test('a request of somebody else for the same object is no outage', async (t) => {
  const { scene, store } = await storeOn(t, [AN_HOUR]);
  await store.head('k');
  scene.answer = (_, response) => {
    response.writeHead(409, { 'content-type': 'application/xml' });
    response.end('<?xml version="1.0"?><Error><Code>OperationAborted</Code></Error>');
  };
  scene.asked = 0;
  await failureOf(store.putJson('k', {}));
  assert.equal(scene.asked, ATTEMPTS);
  assert.deepEqual(scene.said, []);
});

test('a proxy whose server is down is told from one that forbids', () => {
  const tunnel = (statusCode: number) => ({ code: 'ERR_PROXY_TUNNEL', statusCode });
  const answer = (httpStatusCode: number) => ({ name: 'Unknown', $metadata: { httpStatusCode } });
  assert.deepEqual([403, 407, 502, 503].map(tunnel).map(passesUnknown), [false, false, true, true]);
  assert.deepEqual([403, 501, 505, 507, 522].map(answer).map(passesUnknown), [
    false,
    false,
    false,
    false,
    true,
  ]);
});
