import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Platform } from '../../../src/platform/platform.ts';
import { Transfers } from '../../../src/platform/transfers.ts';

/** A platform that prints each line at once, and keeps it. */
function platform() {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line.replaceAll(/\d+ (ms|\w+\/s)|[\d.]+ \w+\/s/g, '…'));
  return { lines, told: { progressIntervalMs: 0, progress: print, info: print } as unknown as Platform };
}

test('one line tells how far all are that move, and one what each was', async () => {
  const { lines, told } = platform();
  const transfers = new Transfers(told);
  const { promise: first, resolve: endFirst } = Promise.withResolvers<void>();
  const moving = transfers.move('dump', 2048, async (progress) => {
    progress.add(1024);
    await first;
  });
  const failing = transfers.move('sql', undefined, async (progress) => {
    progress.add(3);
    throw new Error('it broke');
  });
  await assert.rejects(failing, /it broke/);
  await transfers.move('filestore', undefined, async (progress) => progress.add(7));
  endFirst();
  await moving;
  assert.deepEqual(lines, [
    'dump: 1.0 KiB of 2.0 KiB (50 %) · …',
    'dump: 1.0 KiB of 2.0 KiB (50 %) · … | sql: 3 B · …',
    'dump: 1.0 KiB of 2.0 KiB (50 %) · … | filestore: 7 B · …',
    'filestore: 7 B in … (…)',
    'dump: 1.0 KiB in … (…)',
  ]);
});
