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
  ['the most that 8 MiB parts take', 9_996 * 8 * MiB, 8, 6],
  ['one byte more', 9_996 * 8 * MiB + 1, 9, 5],
  ['200 GiB', 200 * GiB, 21, 4],
  ['the most of which four are at once', 9_996 * 40 * MiB, 40, 4],
  ['the most of which three are at once', 9_996 * 53 * MiB, 53, 3],
  ['625 GiB', 9_996 * 64 * MiB, 64, 2],
  ['2 TiB', 2 * TiB, 210, 2],
];

for (const [name, mostBytes, partMiB, atOnce] of cases) {
  test(`parts for ${name}`, () => {
    const { ranges, early } = planParts([{ mostBytes }]);
    assert.deepEqual(early, { partSize: partMiB * MiB, atOnce });
    assert.deepEqual(ranges, [{ first: 1, count: MOST_PARTS, early: MOST_PARTS }]);
  });
}

test('uploads that share the memory have it once', () => {
  const atOnce = (mostBytes: number, sharing: number) => planParts([{ mostBytes }], 0, sharing).early.atOnce;
  assert.deepEqual(
    [1, 2, 3, 8].map((sharing) => atOnce(GiB, sharing)),
    [6, 3, 2, 2],
  );
  assert.equal(atOnce(200 * GiB, 2), 2);
});

test('a dump that may be far longer than it is likely to be has short parts first', () => {
  // Tables of 160 GiB: two dumps, which seldom are half as long as those; and 100 GiB of files, which are known.
  const dump = { mostBytes: 320 * GiB, likelyBytes: 80 * GiB };
  const { early, late, ranges } = planParts([dump, dump, { mostBytes: 100 * GiB }]);
  assert.deepEqual(early, { partSize: 39 * MiB, atOnce: 4 });
  assert.deepEqual(late, { partSize: 4 * 39 * MiB, atOnce: 2 });
  for (const { early: count } of ranges.slice(0, 2)) assert.ok(count * early.partSize >= dump.likelyBytes);
  assert.equal(ranges[2]?.early, ranges[2]?.count);
  // All of one size, they would be so long that only two were in memory at once.
  const even = planParts([dump, dump, { mostBytes: 100 * GiB }].map(({ mostBytes }) => ({ mostBytes })));
  assert.deepEqual(even.early, { partSize: 76 * MiB, atOnce: 2 });
});

test('every lane has numbers of its own for all that it may have, in bounded memory', () => {
  const lane = fc.oneof(
    fc.nat({ max: 64 * MiB }),
    fc.nat({ max: 40 * GiB }),
    fc.double({ min: 0, max: TiB, noNaN: true }).map(Math.floor),
  );
  const share = fc.option(fc.double({ min: 0, max: 1.5, noNaN: true }), { nil: undefined });
  const lanes = fc.array(fc.tuple(lane, share), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(lanes, fc.nat({ max: 9000 }), (drawn, otherParts) => {
      const sizes = drawn.map(([mostBytes, likely]) => ({
        mostBytes,
        likelyBytes: likely === undefined ? undefined : Math.floor(likely * mostBytes),
      }));
      const { early, late, ranges } = planParts(sizes, otherParts);
      const { partSize, atOnce } = early;
      let next = otherParts + 1;
      for (const [i, range] of ranges.entries()) {
        assert.equal(range.first, next);
        next += range.count;
        const { mostBytes = 0, likelyBytes = mostBytes } = sizes[i] ?? {};
        // A short part at either end: what is behind a first part of 8 MiB, and what is left of the lane before.
        const partsOf = (bytes: number, size: number) => Math.ceil(Math.max(0, bytes) / size);
        const inEarly = USUAL_PART + (range.early - 1) * partSize;
        const lateOnes =
          range.early === 0 ? partsOf(mostBytes, late.partSize) : partsOf(mostBytes - inEarly, late.partSize);
        const earlyOnes = Math.min(range.early, 1 + partsOf(mostBytes - USUAL_PART, partSize));
        assert.ok(earlyOnes + lateOnes <= range.count, `${mostBytes}`);
        assert.ok(range.early === 0 || range.early >= 2);
        assert.ok(
          range.early === range.count || Math.max(2, range.early) * partSize >= likelyBytes,
          `${likelyBytes}`,
        );
        if (likelyBytes >= mostBytes) assert.equal(range.early, range.count);
      }
      assert.ok(next - 1 <= MOST_PARTS);
      assert.equal(partSize % MiB, 0);
      assert.ok(partSize * atOnce <= Math.max(160 * MiB, 2 * partSize));
      assert.ok(partSize >= USUAL_PART && late.partSize > partSize);
    }),
  );
});
