import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { s3Client } from '../../../src/s3/client.ts';
import { PartBudget } from '../../../src/s3/part-budget.ts';
import { PartBuffers } from '../../../src/s3/part-buffers.ts';
import { SHORTEST_PART, USUAL_PART } from '../../../src/s3/part-plan.ts';
import { sendAlone } from '../../../src/s3/send-alone.ts';
import { sendLane } from '../../../src/s3/send-lane.ts';

const MiB = 2 ** 20;

interface Sent {
  /** By lane and number. */
  readonly parts: { readonly lane: number; readonly number: number; readonly bytes: Buffer }[];
  readonly put: Buffer | undefined;
  readonly begun: boolean;
}

const LONGEST: Buffer[] = [];

/** Bytes of which each MiB of each lane differs: the first ones of the longest that was asked for. */
const bytesOf = (lane: number, size: number): Buffer => {
  const known = LONGEST[lane];
  if (known && known.length >= size) return known.subarray(0, size);
  const bytes = Buffer.alloc(Math.max(size, 20 * MiB), lane + 1);
  for (let at = 0; at < bytes.length - 4; at += MiB / 2)
    bytes.writeUInt32LE(lane * 2 ** 20 + at / (MiB / 2), at);
  LONGEST[lane] = bytes;
  return bytes.subarray(0, size);
};

/** Nobody listens there, and nobody has to. */
const { config } = s3Client({ endpoint: 'http://127.0.0.1:9', region: 'none', pathStyle: undefined });
const cutInto = (partSize: number, atOnce: number, earlyParts = Number.POSITIVE_INFINITY) => {
  const stop = AbortSignal.any([]);
  const budget = () => new PartBudget(atOnce, stop);
  const early = { partSize, atOnce, budget: budget() };
  const late = { ...early, partSize: 2 * partSize, budget: budget() };
  return { early, late, earlyParts, buffers: new PartBuffers(), stop };
};

/** As a lane that has no other beside it is sent. */
const alone: typeof sendLane = (body, _ends, sink, cut) => sendAlone(body, sink, cut, config);

type Send = (sizes: readonly number[], partSize: number, begun: boolean, early?: number) => Promise<Sent>;

/** Sends lanes of these sizes at the same time, to nowhere. */
const sendBy =
  (sender: typeof sendLane): Send =>
  async (sizes, partSize, begun, early) => {
    const cut = cutInto(partSize, 2, early);
    const parts: Sent['parts'] = [];
    let put: Buffer | undefined;
    let before: Promise<Buffer> | undefined;
    const lanes = sizes.map((size, lane) => {
      const rest = Promise.withResolvers<Buffer>();
      const ends = { before, after: lane < sizes.length - 1 ? rest.resolve : undefined };
      before = rest.promise;
      const body = Readable.from([Buffer.from(bytesOf(lane, size))], { objectMode: false });
      const sink = {
        begin: () => {
          begun = true;
        },
        get begun() {
          return begun;
        },
        part: async (number: number, bytes: Buffer) => {
          await new Promise(setImmediate);
          parts.push({ lane, number, bytes: Buffer.from(bytes) });
        },
        put: async (bytes: Buffer) => {
          assert.equal(put, undefined);
          put = bytes;
        },
      };
      return sender(body, ends, sink, cut);
    });
    await Promise.all(lanes);
    parts.sort((a, b) => a.lane - b.lane || a.number - b.number);
    return { parts, put, begun };
  };

const send = sendBy(sendLane);

async function assertSent(
  sizes: readonly number[],
  partSize: number,
  begun: boolean,
  early?: number,
): Promise<void> {
  if (sizes.length === 1)
    assertWhole(sizes, partSize, await sendBy(alone)(sizes, partSize, begun, early), early);
  assertWhole(sizes, partSize, await send(sizes, partSize, begun, early), early);
}

/** Both are the same bytes in a row, however they are cut. */
function assertSame(sent: readonly Buffer[], given: readonly Buffer[]): void {
  const length = (pieces: readonly Buffer[]) => pieces.reduce((sum, piece) => sum + piece.length, 0);
  assert.equal(length(sent), length(given), 'other bytes');
  const rest = [...given];
  for (let left of sent) {
    while (left.length > 0) {
      const [first = Buffer.alloc(0)] = rest;
      const common = Math.min(first.length, left.length);
      assert.ok(left.subarray(0, common).equals(first.subarray(0, common)), 'other bytes');
      left = left.subarray(common);
      if (common === first.length) rest.shift();
      else rest[0] = first.subarray(common);
    }
  }
}

function assertWhole(
  sizes: readonly number[],
  partSize: number,
  { parts, put, ...after }: Sent,
  early: number | undefined,
): void {
  const longest = (early === undefined ? 1 : 2) * partSize + SHORTEST_PART;
  const given = sizes.map((size, lane) => bytesOf(lane, size));
  if (put) {
    assert.deepEqual([parts.length, after.begun], [0, false], 'both an object and parts');
    assert.ok(put.equals(Buffer.concat(given)), 'other bytes');
    assert.ok(put.length <= longest);
    return;
  }
  assert.ok(after.begun);
  assertSame(
    parts.map(({ bytes }) => bytes),
    given,
  );
  for (const { bytes } of parts.slice(0, -1)) assert.ok(bytes.length >= SHORTEST_PART, `${bytes.length}`);
  for (const { bytes } of parts) {
    assert.ok(bytes.length > 0);
    assert.ok(bytes.length < longest);
  }
  for (const [lane, size] of sizes.entries()) {
    const numbers = parts.filter((part) => part.lane === lane).map(({ number }) => number);
    assert.equal(new Set(numbers).size, numbers.length, 'a number twice');
    assert.ok((numbers.at(-1) ?? 0) <= Math.ceil(Math.max(0, size - USUAL_PART) / partSize), `${size}`);
  }
}

/** Where something changes. */
const EDGES = [0, SHORTEST_PART, USUAL_PART, USUAL_PART + SHORTEST_PART, 2 * USUAL_PART];
const edge = fc
  .tuple(fc.constantFrom(...EDGES), fc.constantFrom(-1, 0, 1))
  .map(([size, more]) => Math.max(0, size + more));

test('lanes of any sizes make one object: no byte is lost, and no part but the last is short', async () => {
  const size = fc.oneof({ weight: 3, arbitrary: edge }, fc.nat({ max: 20 * MiB }), fc.nat({ max: 1000 }));
  const lanes = fc.array(size, { minLength: 1, maxLength: 5 });
  const early = fc.constantFrom(undefined, 0, 2, 3);
  await fc.assert(
    fc.asyncProperty(lanes, fc.constantFrom(8 * MiB, 9 * MiB), fc.boolean(), early, assertSent),
    {
      numRuns: 20,
    },
  );
});

test('lanes need no more parts in memory than there are lanes', async () => {
  const size = 3 * USUAL_PART + 1;
  for (const partSize of [USUAL_PART, USUAL_PART + MiB])
    await assertSent([size, size, size], partSize, false);
});

test('a lane that has more than it was likely to have ends with longer parts', async () => {
  const partSize = USUAL_PART + MiB;
  const lengths = async (sizes: readonly number[]) => {
    await assertSent(sizes, partSize, false, 3);
    const { parts } = await send(sizes, partSize, false, 3);
    return parts.map(({ lane, number, bytes }) => [lane, number, bytes.length]);
  };
  assert.deepEqual(await lengths([3 * partSize + 1, 3 * partSize]), [
    ...[0, 1, 2].map((number) => [0, number, partSize]),
    [1, 0, USUAL_PART + 1],
    [1, 1, partSize],
    [1, 2, partSize],
    [1, 3, MiB],
  ]);
  assert.deepEqual(await lengths([6 * partSize]), [
    ...[0, 1, 2].map((number) => [0, number, partSize]),
    [0, 3, 2 * partSize],
    [0, 4, partSize],
  ]);
});

test('a short lane is sent with what follows it, and small lanes alone are one object', async () => {
  const sent = async (...sizes: number[]) => {
    const { parts, put } = await send(sizes, USUAL_PART, false);
    return put?.length ?? parts.map(({ lane, number, bytes }) => [lane, number, bytes.length]);
  };
  assert.equal(await sent(0), 0);
  assert.equal(await sent(1, 2, 3), 6);
  assert.equal(await sent(USUAL_PART), USUAL_PART);
  assert.deepEqual(await sent(USUAL_PART + 1, 0), [
    [0, 0, USUAL_PART],
    [1, 0, 1],
  ]);
  assert.deepEqual(await sent(USUAL_PART + 1, 2 * USUAL_PART, 7), [
    [0, 0, USUAL_PART],
    [1, 0, USUAL_PART + 1],
    [1, 1, USUAL_PART],
    [2, 0, 7],
  ]);
});

test('a lane of large parts holds back no more than a usual one until the lane before it has ended', async () => {
  const partSize = 3 * USUAL_PART;
  const sent = new Map<number, number>();
  const both = Promise.withResolvers<void>();
  const sink = {
    begin: () => {},
    begun: true,
    put: async () => assert.fail(),
    part: async (number: number, { length }: Buffer) => {
      sent.set(number, length);
      if (sent.size === 2) both.resolve();
    },
  };
  const before = Promise.withResolvers<Buffer>();
  const body = Readable.from([bytesOf(0, USUAL_PART + partSize + SHORTEST_PART)], { objectMode: false });
  const lane = sendLane(body, { before: before.promise, after: undefined }, sink, cutInto(partSize, 2));
  await both.promise;
  assert.deepEqual(
    [...sent].toSorted(([a], [b]) => a - b),
    [
      [1, partSize],
      [2, SHORTEST_PART],
    ],
  );
  before.resolve(Buffer.from('x'));
  await lane;
  assert.equal(sent.get(0), USUAL_PART + 1);
});

test('a lane sends its other parts while the one before it has not ended', async () => {
  const sizes = new Map<number, number>();
  const sink = {
    begin: () => {},
    begun: true,
    put: async () => assert.fail(),
    part: async (number: number, { length }: Buffer) => void sizes.set(number, length),
  };
  const before = Promise.withResolvers<Buffer>();
  const read = Promise.withResolvers<void>();
  const body = Readable.from(
    (function* () {
      for (let i = 0; i < 40; i++) yield bytesOf(0, MiB);
      read.resolve();
    })(),
  );
  const ends = { before: before.promise, after: undefined };
  const lane = sendLane(body, ends, sink, cutInto(USUAL_PART, 3));
  await read.promise; // which takes more than is in memory at once
  assert.deepEqual([...sizes.keys()].slice(0, 2), [1, 2]);
  assert.ok(!sizes.has(0));
  before.resolve(Buffer.from('x'));
  await lane;
  assert.deepEqual([...sizes.keys()].toSorted(), [0, 1, 2, 3, 4]);
  assert.equal(sizes.get(0), USUAL_PART + 1);
});

test('the wait for bytes ends with the upload, though the body stands still', async () => {
  for (const sender of [sendLane, alone]) {
    const [reason, stop] = [new Error('the upload failed'), new AbortController()];
    const standing = Promise.withResolvers<void>();
    const chunks = async function* () {
      yield bytesOf(0, 1);
      standing.resolve();
      await new Promise(() => {}); // until then, a generator cannot be ended
    };
    const sink = {
      begin: () => {},
      begun: true,
      put: async () => assert.fail(),
      part: async () => assert.fail(),
    };
    const cut = { ...cutInto(USUAL_PART, 2), stop: stop.signal };
    const lane = sender(Readable.from(chunks()), { before: undefined, after: undefined }, sink, cut);
    await standing.promise;
    stop.abort(reason);
    await assert.rejects(lane, reason);
  }
});
