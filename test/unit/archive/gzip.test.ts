import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { deflateBlock } from '../../../src/archive/deflate-block.ts';
import { gzipped } from '../../../src/archive/gzip.ts';

test('bytes, and blocks that are deflated already, in any order, as gunzip takes them', async () => {
  const piece = fc.record({ bytes: fc.uint8Array({ maxLength: 5000 }), isBlock: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.integer({ min: 1, max: 9 }),
      async (pieces, level) => {
        const contents = pieces.map(({ bytes }) => Buffer.from(bytes));
        const given = pieces.map(({ isBlock }, at) => {
          const content = contents[at] as Buffer;
          return isBlock && content.length > 0 ? deflateBlock(content, level) : content;
        });
        const packed = await buffer(gzipped(given, level));
        assert.deepEqual(gunzipSync(packed), Buffer.concat(contents));
      },
    ),
    { numRuns: 60 },
  );
});

test('gzip itself finds it whole', async () => {
  const content = Buffer.alloc(3_000_000, 'some text ');
  const packed = await buffer(gzipped([content], 6));
  assert.ok(execFileSync('gzip', ['-dc'], { input: packed, maxBuffer: 2 ** 23 }).equals(content));
});

test('what the content throws, the stream ends with', async () => {
  const broken = async function* () {
    yield Buffer.from('the beginning');
    throw new Error('and no end');
  };
  await assert.rejects(buffer(gzipped(broken(), 1)), /and no end/);
});
