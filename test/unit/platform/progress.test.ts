import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../../../src/platform/progress.ts';

const MiB = 1024 * 1024;

/** A progress whose clock the test turns. */
function start(expected?: number) {
  const lines: string[] = [];
  let time = 1000;
  const progress = new Progress({
    title: 'filestore',
    expected,
    intervalMs: 5000,
    print: (line) => lines.push(line),
    now: () => time,
  });
  const after = (ms: number, bytes: number) => {
    time += ms;
    progress.add(bytes);
  };
  return { progress, lines, after };
}

test('a line at most once in an interval', () => {
  const { lines, after } = start(100 * MiB);
  for (let second = 1; second <= 12; second++) after(1000, MiB);
  assert.deepEqual(lines, [
    'filestore: 5.0 MiB of 100.0 MiB (5 %) · 1.0 MiB/s · 1 min 35 s left',
    'filestore: 10.0 MiB of 100.0 MiB (10 %) · 1.0 MiB/s · 1 min 30 s left',
  ]);
});

test('the rate is that of the last seconds', () => {
  const { lines, after } = start(1000 * MiB);
  for (let line = 1; line <= 6; line++) after(5000, 50 * MiB);
  for (let line = 1; line <= 4; line++) after(5000, 5 * MiB);
  assert.equal(lines.at(5), 'filestore: 300.0 MiB of 1000.0 MiB (30 %) · 10.0 MiB/s · 1 min 10 s left');
  assert.equal(lines.at(-1), 'filestore: 320.0 MiB of 1000.0 MiB (32 %) · 1.0 MiB/s · 11 min 20 s left');
});

test('after a pause the rate is that of the pause', () => {
  const { lines, after } = start();
  after(5000, 50 * MiB);
  after(100_000, 100 * MiB);
  assert.deepEqual(lines, ['filestore: 50.0 MiB · 10.0 MiB/s', 'filestore: 150.0 MiB · 1.0 MiB/s']);
});

test('no share and no time left of what is larger than expected, or expected empty', () => {
  const larger = start(MiB);
  larger.after(5000, 2 * MiB);
  assert.deepEqual(larger.lines, ['filestore: 2.0 MiB · 409.6 KiB/s']);
  const empty = start(0);
  empty.after(5000, 0);
  assert.deepEqual(empty.lines, ['filestore: 0 B · 0 B/s']);
});

test('nothing is left to say of the time when nothing moves', () => {
  const { lines, after } = start(MiB);
  after(5000, 0);
  assert.deepEqual(lines, ['filestore: 0 B of 1.0 MiB (0 %) · 0 B/s']);
});

test('the total', () => {
  const { progress, lines, after } = start();
  after(2000, 3 * MiB);
  assert.deepEqual(lines, []);
  assert.equal(progress.bytes, 3 * MiB);
  assert.equal(progress.total(), 'filestore: 3.0 MiB in 2.0 s (1.5 MiB/s)');
});
