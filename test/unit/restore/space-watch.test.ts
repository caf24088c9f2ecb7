import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import type { FileSystem } from '../../../src/host/disk-space.ts';
import { whileSpaceLasts } from '../../../src/restore/space-watch.ts';

const GiB = 1024 ** 3;

/** Ends with the signal only, as a load does that has much to do. */
async function untilAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

suite('while something is loaded', () => {
  const { signal } = new AbortController();
  const disks = [
    { device: '/dev/a', mount: '/', free: 100 * GiB },
    { device: '/dev/b', mount: '/data', free: GiB },
  ];
  const looksLike = (free: Record<string, number>) => async (mount: string) =>
    free[mount] === undefined
      ? undefined
      : ({ device: mount, mount, free: free[mount] } satisfies FileSystem);

  for (const [what, free, refused] of [
    ['a quarter of what was free is kept', { '/data': 0.249 * GiB }, '/data on the host has only 255.0 MiB'],
    ['of much, half a GiB', { '/': 0.499 * GiB }, '/ on the host has only 511.0 MiB'],
  ] as const) {
    test(what, async () => {
      await assert.rejects(whileSpaceLasts(disks, looksLike(free), signal, untilAborted), (error: Error) => {
        assert.ok(error.message.includes(`${refused} left`), error.message);
        return true;
      });
    });
  }

  test('that leaves enough, or where nobody can tell, it ends as it does', async () => {
    const fine: Record<string, number>[] = [{ '/': 0.501 * GiB, '/data': 0.251 * GiB }, {}];
    for (const free of fine) {
      let looked = 0;
      const look = (mount: string) => {
        looked += 1;
        return looksLike(free)(mount);
      };
      const seen = async () => {
        while (looked < disks.length) await new Promise(setImmediate);
        return 'done';
      };
      assert.equal(await whileSpaceLasts(disks, look, signal, seen), 'done');
      const failing = async () => {
        await seen();
        throw new Error('no such table');
      };
      await assert.rejects(whileSpaceLasts(disks, look, signal, failing), /^Error: no such table$/);
    }
  });

  test('a cancellation goes through', async () => {
    const cancel = new AbortController();
    const running = whileSpaceLasts(disks, looksLike({}), cancel.signal, untilAborted);
    cancel.abort(new Error('cancelled'));
    await assert.rejects(running, /^Error: cancelled$/);
  });
});
