import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planParts } from '../../../src/s3/part-size.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const TiB = 1024 ** 4;

const cases: [name: string, expectedBytes: number, partMiB: number, queueSize: number][] = [
  ['nothing', 0, 8, 8],
  ['one byte', 1, 8, 8],
  ['the most that 8 MiB parts take', (10_000 * 8 * MiB) / 2, 8, 8],
  ['one byte more', (10_000 * 8 * MiB) / 2 + 1, 9, 7],
  ['100 GiB', 100 * GiB, 21, 3],
  ['the most that stays in bounds', (10_000 * 64 * MiB) / 2, 64, 1],
  ['1 TiB', TiB, 210, 1],
];

for (const [name, expectedBytes, partMiB, queueSize] of cases) {
  test(`parts for ${name}`, () => {
    assert.deepEqual(planParts(expectedBytes), { partSize: partMiB * MiB, queueSize });
  });
}

test('twice the expected size still fits, in bounded memory', () => {
  for (let expected = 1; expected < 2.5 * TiB; expected *= 1.7) {
    const { partSize, queueSize } = planParts(expected);
    assert.ok(partSize * 10_000 >= 2 * expected, `${expected}`);
    assert.equal(partSize % MiB, 0);
    if (expected <= 300 * GiB) assert.ok(partSize * queueSize <= 64 * MiB, `${expected}`);
  }
});
