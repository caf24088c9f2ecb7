import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { UnitMeter, unitSizeOf } from '../../../src/archive/units.ts';
import { assertUnits, writeArchive } from '../../support/archive-units.ts';

const MiB = 2 ** 20;
const stored = { deflate: false, modified: new Date('2026-03-04T05:06:08Z') };

test('units are cut at their size, whatever the chunks', () => {
  for (const length of [0, 1, 9, 10, 11, 19, 20, 21, 55]) {
    for (const chunk of [1, 3, 10, 11, 100]) {
      const bytes = randomBytes(length);
      const meter = new UnitMeter(1000, 10, 1);
      for (let at = 0; at < length; at += chunk) meter.update(bytes.subarray(at, at + chunk));
      const units = meter.finish();
      assert.equal(units.length, Math.ceil(length / 10));
      assertUnits(units, Buffer.concat([Buffer.alloc(1000), bytes]), 1000, 10);
    }
  }
});

test('a unit takes a rest behind it that is too short to be one', () => {
  for (const [length, ...expected] of [
    [1, 1],
    [3, 3],
    [10, 10],
    [13, 13],
    [14, 10, 4],
    [20, 10, 10],
    [23, 10, 13],
    [24, 10, 10, 4],
  ] as const) {
    for (const chunk of [1, 3, 10, 11, 100]) {
      const bytes = randomBytes(length);
      const meter = new UnitMeter(1000, 10, 4);
      for (let at = 0; at < length; at += chunk) meter.update(bytes.subarray(at, at + chunk));
      const units = meter.finish();
      assert.deepEqual(
        units.map((unit) => unit.length),
        expected,
      );
      assertUnits(units, Buffer.concat([Buffer.alloc(1000), bytes]), 1000, 10);
    }
  }
});

test('units grow with the archive, which may have 10,000 parts', () => {
  const [GiB, TiB] = [2 ** 30, 2 ** 40];
  assert.equal(unitSizeOf(GiB), 59 * MiB);
  assert.equal(unitSizeOf(400 * GiB), 59 * MiB);
  assert.ok((5 * TiB) / unitSizeOf(5 * TiB) <= 8000);
  assert.ok(unitSizeOf(5 * TiB) < 5 * GiB, 'no part is larger');
});

test('a segment of 124 MiB has units of 59 MiB', async () => {
  const piece = randomBytes(MiB);
  const { bytes, summary } = await writeArchive(async (writer) => {
    await writer.begin('database');
    await writer.add('small', Buffer.from('small'), stored);
    await writer.begin('filestore');
    await writer.add('large', Readable.from(Array(124).fill(piece)), stored);
  });
  const [, segment] = summary.segments;
  assert.ok(segment);
  assert.deepEqual(
    segment.units.map(({ length }) => length),
    [59 * MiB, 59 * MiB, segment.length - 118 * MiB],
  );
  assertUnits(segment.units, bytes, segment.offset, 59 * MiB);
});
