import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PackedEntries } from '../../../src/archive/packed-entries.ts';
import { BitSet } from '../../../src/util/bit-set.ts';
import { ContentError } from '../../../src/util/errors.ts';

/** An entry of the directory, as long as its name and its extra field make it. */
function entryOf(name: string, extraLength: number): Buffer {
  const fixed = Buffer.alloc(46);
  fixed.writeUInt32LE(0x02014b50, 0);
  fixed.writeUInt16LE(Buffer.byteLength(name), 28);
  fixed.writeUInt16LE(extraLength, 30);
  const extra = Buffer.alloc(extraLength, 7);
  if (extraLength >= 4) {
    extra.writeUInt16LE(0x9999, 0);
    extra.writeUInt16LE(extraLength - 4, 2);
  }
  return Buffer.concat([fixed, Buffer.from(name), extra]);
}

const written = fc.array(
  fc.tuple(
    fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' }),
    fc.oneof({ weight: 20, arbitrary: fc.constantFrom(0, 4, 36) }, fc.integer({ min: 30_000, max: 65_535 })),
  ),
  { maxLength: 400, size: 'max' },
);

test('entries come out as they went in, however their bytes were cut, all or some of them', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 });
  const property = fc.property(written, cuts, fc.func(fc.boolean()), (entries, pieces, isWanted) => {
    const raw = entries.map(([name, extra]) => entryOf(name, extra));
    const bytes = Buffer.concat(raw);
    const packed = new PackedEntries();
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const length = pieces[turn % pieces.length] ?? 1;
      packed.add(bytes.subarray(at, at + length));
      at += length;
    }
    packed.finish(raw.length);
    const wanted = new BitSet(raw.length);
    for (const number of raw.keys()) if (isWanted(number)) wanted.add(number);
    const found = [...packed.decode()];
    assert.deepEqual(
      found.map(([number]) => number),
      [...raw.keys()],
    );
    assert.ok(found.every(([number, entry]) => raw[number]?.equals(entry.raw)));
    assert.deepEqual(
      Array.from(packed.decode(wanted), ([number]) => number),
      [...wanted],
    );
    for (const number of wanted) assert.ok(raw[number]?.equals(packed.at(number).raw));
  });
  fc.assert(property, { numRuns: 50 });
});

test('entries that are cut short, or others than were said, are refused', () => {
  const whole = entryOf('name', 0);
  const short = new PackedEntries();
  short.add(whole.subarray(0, whole.length - 1));
  assert.throws(() => short.finish(1), ContentError);
  const fewer = new PackedEntries();
  fewer.add(whole);
  assert.throws(() => fewer.finish(2), ContentError);
  assert.throws(() => fewer.at(1), RangeError);
});
