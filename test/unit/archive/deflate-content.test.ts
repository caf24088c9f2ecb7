import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { crc32, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { combineCrc32 } from '../../../src/archive/crc-32-combine.ts';
import { BLOCK_SIZE, type DeflateBlock, deflateBlock } from '../../../src/archive/deflate-block.ts';
import { deflateContent, type Pieces } from '../../../src/archive/deflate-content.ts';
import { run } from '../../support/processes.ts';
import { SerialWriter } from '../../support/serial-writer.ts';

const modified = new Date('2026-03-04T05:06:08Z');
/** Rows that deflate as those of a table do. */
const rows = (length: number): Buffer => {
  const row = (i: number): string => `${i}\tpartner ${i * 7919}\t${(i * 2654435761) % 97}\t\\N\tt\n`;
  const text = Buffer.from(Array.from({ length: length / 20 + 1 }, (_, i) => row(i)).join(''));
  return text.subarray(0, length);
};

async function deflated(content: Pieces, level = 1) {
  const chunks: Buffer[] = [];
  const told = await deflateContent(content, level, (bytes) => void chunks.push(bytes));
  return { told, bytes: Buffer.concat(chunks) };
}

/** Asserts that the bytes are one deflate stream of the content, to its last byte, and that size and CRC are right. */
function assertContent({ told, bytes }: Awaited<ReturnType<typeof deflated>>, content: Buffer): void {
  const { buffer, engine } = inflateRawSync(bytes, { info: true }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  assert.ok(buffer.equals(content));
  assert.equal(engine.bytesWritten, bytes.length, 'nothing follows the stream');
  const { length: compressedSize } = bytes;
  assert.deepEqual(told, { size: content.length, compressedSize, crc32: crc32(content) });
}

/** Cuts bytes at the places given. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

test('CRC-32 of two runs of bytes is that of both together', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 5000 }), (first, second) => {
      const together = crc32(Buffer.concat([first, second]));
      assert.equal(combineCrc32(crc32(first), crc32(second), second.length), together);
    }),
  );
});

test('CRC-32 of runs of more than 4 GiB: zeros, by doubling', () => {
  const zeros = Buffer.alloc(2 ** 20);
  let [crc, length] = [crc32(zeros), zeros.length];
  for (; length < 2 ** 34; length *= 2) crc = combineCrc32(crc, crc, length);
  // Calculated by another way: 16 GiB and one byte are a run of one byte and one of 16 GiB.
  const one = crc32(Buffer.alloc(1));
  assert.equal(combineCrc32(crc, one, 1), combineCrc32(one, crc, length));
});

test('lengths around that of a block, in one piece and in many', async () => {
  for (const length of [
    0,
    1,
    BLOCK_SIZE - 1,
    BLOCK_SIZE,
    BLOCK_SIZE + 1,
    2 * BLOCK_SIZE,
    7 * BLOCK_SIZE + 5,
  ]) {
    const content = rows(length);
    assertContent(await deflated([content]), content);
    const pieces = cut(
      content,
      Array.from({ length: 50 }, (_, i) => i * 33_331),
    );
    assertContent(await deflated(Readable.from(pieces)), content);
  }
});

test('any content, cut anywhere, some of it in blocks made before, at any level', async () => {
  const piece = fc.record({
    bytes: fc.oneof(
      fc.nat(2 * BLOCK_SIZE).map(rows),
      fc.nat(2 * BLOCK_SIZE).map((length) => randomBytes(length)),
      fc.nat(2 * BLOCK_SIZE).map((length) => Buffer.alloc(length)),
    ),
    asBlock: fc.boolean(),
    places: fc.array(fc.nat(), { maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 6 }),
      fc.integer({ min: 1, max: 9 }),
      async (pieces, level) => {
        const content = pieces.flatMap(({ bytes, asBlock, places }): (Buffer | DeflateBlock)[] =>
          asBlock ? [deflateBlock(bytes, level)] : cut(bytes, places),
        );
        const whole = Buffer.concat(pieces.map(({ bytes }) => bytes));
        assertContent(await deflated(content, level), whole);
      },
    ),
    { numRuns: 60 },
  );
});

test('a block is the same bytes each time, whatever was deflated before it', async () => {
  const content = rows(BLOCK_SIZE);
  const first = await deflateBlock(content, 1).deflated;
  await Promise.all([rows(1000), randomBytes(BLOCK_SIZE)].map((bytes) => deflateBlock(bytes, 1).deflated));
  assert.deepEqual(await deflateBlock(content, 1).deflated, first);
});

test('while its reader does not take what is written, little of the content is taken', async () => {
  let taken = 0;
  const endless = async function* () {
    for (;;) {
      taken += 1;
      yield Buffer.alloc(BLOCK_SIZE);
    }
  };
  const stop = Promise.withResolvers<void>();
  const blocked = Promise.withResolvers<void>();
  const writing = deflateContent(endless(), 1, () => {
    blocked.resolve();
    return stop.promise;
  });
  await blocked.promise;
  for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  assert.ok(taken <= 6, `${taken} blocks`);
  stop.reject(new Error('enough'));
  await assert.rejects(writing, /enough/);
});

test('blocks that stand in two entries are one deflate, and all programs read both', async () => {
  const [head, tail, small] = [rows(1000), Buffer.from('COPY;\n'), Buffer.from('{}')];
  const data = Array.from({ length: 5 }, (_, i) => rows(BLOCK_SIZE - i * 1000));
  const blocks = data.map((bytes) => deflateBlock(bytes, 1));
  const between = async function* () {
    yield head;
    yield* blocks;
    yield tail;
  };
  await using writer = new SerialWriter({ level: 1 });
  const output = writer.output.toArray();
  await writer.begin('database');
  await writer.add('first', between(), { deflate: true, modified });
  await writer.add('second', Readable.from(blocks), { deflate: true, modified });
  await writer.add('small', small, { deflate: true, modified });
  await writer.finish();

  const folder = await mkdtemp(join(tmpdir(), 'blocks-'));
  try {
    const zip = join(folder, 'archive.zip');
    await writeFile(zip, Buffer.concat(await output));
    await run(['unzip', '-t', zip]);
    const script = 'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n';
    const sums = 'import zlib\nprint([zlib.crc32(z.read(n)) for n in ("first", "second", "small")])';
    const expected = [[head, ...data, tail], data, [small]].map((pieces) => crc32(Buffer.concat(pieces)));
    const printed = await run(['python3', '-c', script + sums, zip]);
    assert.deepEqual(JSON.parse(printed), expected);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('blocks are deflated: an entry that is stored cannot be made of them', async () => {
  await using writer = new SerialWriter({ level: 1 });
  writer.output.resume();
  await writer.begin('database');
  const blocks = (async function* () {
    yield deflateBlock(rows(1000), 1);
  })();
  await assert.rejects(writer.add('x', blocks, { deflate: false, modified }), /can only be deflated/);
});
