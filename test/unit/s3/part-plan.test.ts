import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MOST_PARTS, planParts, USUAL_PART } from '../../../src/s3/part-plan.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const TiB = 1024 ** 4;

const cases: [name: string, mostBytes: number, partMiB: number, atOnce: number][] = [
  ['nothing', 0, 8, 6],
  ['one byte', 1, 8, 6],
  ['the most that 8 MiB parts take', 9_997 * 8 * MiB, 8, 6],
  ['one byte more', 9_997 * 8 * MiB + 1, 9, 5],
  ['200 GiB', 200 * GiB, 21, 4],
  ['the most of which four are at once', 9_997 * 40 * MiB, 40, 4],
  ['625 GiB', 9_997 * 64 * MiB, 64, 2],
  ['2 TiB', 2 * TiB, 210, 2],
];

for (const [name, mostBytes, partMiB, atOnce] of cases) {
  test(`parts for ${name}`, () => {
    const { ranges, ...plan } = planParts([mostBytes]);
    assert.deepEqual(plan, { partSize: partMiB * MiB, atOnce });
    assert.deepEqual(ranges, [{ first: 1, count: MOST_PARTS }]);
  });
}

test('uploads that share the memory have it once', () => {
  const atOnce = (mostBytes: number, sharing: number) => planParts([mostBytes], 0, sharing).atOnce;
  assert.deepEqual(
    [1, 2, 3, 8].map((sharing) => atOnce(GiB, sharing)),
    [6, 3, 2, 2],
  );
  assert.equal(atOnce(200 * GiB, 2), 2);
});

test('every lane has numbers of its own for all that it may have, in bounded memory', () => {
  const lane = fc.oneof(
    fc.nat({ max: 64 * MiB }),
    fc.nat({ max: 40 * GiB }),
    fc.double({ min: 0, max: TiB, noNaN: true }).map(Math.floor),
  );
  const lanes = fc.array(lane, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(lanes, fc.nat({ max: 9000 }), (mostBytes, otherParts) => {
      const { partSize, atOnce, ranges } = planParts(mostBytes, otherParts);
      let next = otherParts + 1;
      for (const [i, { first, count }] of ranges.entries()) {
        assert.equal(first, next);
        next += count;
        const most = mostBytes[i] ?? 0;
        // A short part at either end: what is behind a first part of 8 MiB, and what is left of the lane before.
        assert.ok(1 + Math.ceil(Math.max(0, most - USUAL_PART) / partSize) <= count, `${most}`);
      }
      assert.ok(next - 1 <= MOST_PARTS);
      assert.equal(partSize % MiB, 0);
      assert.ok(partSize * atOnce <= Math.max(160 * MiB, 2 * partSize));
    }),
  );
});
