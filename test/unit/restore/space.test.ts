import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FileSystem } from '../../../src/host/disk-space.ts';
import { whileRoomLasts } from '../../../src/restore/room.ts';
import { demandsOf, tooLittle, type Wanted } from '../../../src/restore/space.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

const disk = (mount: string, free: number): FileSystem => ({ device: `/dev${mount}`, mount, free });
const server = (what: string, bytes: number, on: FileSystem | undefined): Wanted => ({
  ...{ what, bytes, disk: on },
  byServer: true,
});
const other = (what: string, bytes: number, on: FileSystem | undefined): Wanted => ({
  ...{ what, bytes, disk: on },
  byServer: false,
});

suite('the space of a restore', () => {
  const [root, data] = [disk('/', 10 * GiB), disk('/data', GiB)];

  for (const [title, wanted, expected] of [
    [
      'is summed up by file system, whatever its mounts are called',
      [
        server('database', 5, data),
        other('filestore', 7, { ...data, mount: '/also' }),
        other('dump', 1, root),
      ],
      [
        { disk: data, whats: ['database', 'filestore'], bytes: 12, spare: 256 * MiB },
        { disk: root, whats: ['dump'], bytes: 1, spare: 0 },
      ],
    ],
    [
      'has a reserve wherever PostgreSQL writes, first or last',
      [other('filestore', 7, root), server('database', 5, root)],
      [{ disk: root, whats: ['filestore', 'database'], bytes: 12, spare: 512 * MiB }],
    ],
    [
      'is not asked of nobody knows where, nor for nothing',
      [server('database', 5, undefined), other('filestore', 0, root)],
      [],
    ],
  ] as const) {
    test(title, () => assert.deepEqual(demandsOf(wanted), expected));
  }

  for (const [title, on, bytes] of [
    ['a quarter of a small disk', data, 768 * MiB],
    ['half a GiB of a large one', root, 9.5 * GiB],
  ] as const) {
    const most = server('database', bytes, on);
    test(`${title} is kept: up to it a restore may be begun, and is not ended while it loads`, async () => {
      assert.deepEqual(tooLittle([most]), []);
      const look = seen(async () => ({ ...on, free: on.free - bytes }));
      assert.equal(await load(on, look), 'loaded');
    });

    test(`${title} is kept: nothing that goes beyond is begun, or it would be ended`, async () => {
      const [problem, ...more] = tooLittle([{ ...most, bytes: bytes + 1 }]);
      assert.match(
        problem?.message ?? '',
        /^Building the new database takes about .* PostgreSQL has to keep /,
      );
      assert.deepEqual(more, []);
      const look = seen(async () => ({ ...on, free: on.free - bytes - 1 }));
      await assert.rejects(load(on, look), /The dump takes more space than its size lets expect/);
    });
  }

  test('of what PostgreSQL does not write may be used to its end', () => {
    assert.deepEqual(tooLittle([other('filestore', data.free, data)]), []);
    assert.match(
      tooLittle([other('filestore', data.free + 1, data)])[0]?.message ?? '',
      /^Building the new filestore takes about .* and \/data on the host has [\d.]+ GiB left$/,
    );
  });
});

interface Look {
  (mount: string): Promise<FileSystem>;
  /** Resolves when it has been asked. */
  readonly asked: Promise<void>;
}

function seen(state: () => Promise<FileSystem>): Look {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = async () => {
    setImmediate(resolve);
    return state();
  };
  return Object.assign(look, { asked: promise });
}

/** What loads until the disk was looked at, and longer if that was no good. */
const load = (on: FileSystem, look: Look): Promise<string> =>
  whileRoomLasts([on], look, new AbortController().signal, async (signal) => {
    await look.asked;
    signal.throwIfAborted();
    return 'loaded';
  });
