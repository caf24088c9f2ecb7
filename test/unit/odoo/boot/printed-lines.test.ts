import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printedLines } from '../../../../src/odoo/boot/printed-lines.ts';

async function* pieces(text: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  for (const [i, at] of places.entries()) if (i > 0) yield text.subarray(places[i - 1], at);
}

test('lines are the same wherever the stream is cut, and none is longer than it may be', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 10 }),
      fc.array(fc.nat(1000), { maxLength: 8 }),
      async (texts, cuts) => {
        const whole = texts.map((text) => text.replaceAll('\n', ' ')).join('\n');
        const lines = await Array.fromAsync(printedLines(pieces(Buffer.from(whole), cuts), 12));
        const expected = whole.split('\n').map((line) => line.slice(0, 12));
        if (expected.at(-1) === '') expected.pop(); // what is behind the last end of a line
        assert.deepEqual(lines, expected);
      },
    ),
  );
});

test('a line of many pieces takes no more memory than it may', async () => {
  async function* endless(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 1000; i++) yield Buffer.alloc(1000, 'x');
    yield Buffer.from('\nend');
  }
  const lines = await Array.fromAsync(printedLines(endless(), 50));
  assert.deepEqual(lines, ['x'.repeat(50), 'end']);
});
