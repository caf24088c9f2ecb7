import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FileSystem } from '../../../src/host/disk-space.ts';
import type { Remains } from '../../../src/restore/leftovers/leftovers.ts';
import type { Keep } from '../../../src/restore/leftovers/marks.ts';
import { demandsOf, makeRoom, shortageOf, tooLittle, type Wanted } from '../../../src/restore/space.ts';
import { whileSpaceLasts } from '../../../src/restore/space-watch.ts';

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
      await assert.rejects(load(on, look), /The dump needs more space than its size suggests/);
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

suite('what earlier restores have replaced', () => {
  const data = disk('/data', 4 * GiB);
  const remains = (database: string, keep: Keep | undefined, bytes: number | null = GiB): Remains => ({
    database,
    folder: `/data/${database}`,
    mark: keep && { at: new Date(0), settled: true, keep, comment: null },
    bytes,
  });
  const expired = [remains('a', new Date(1))];
  const kept = [
    remains('b', new Date(2)),
    remains('c', 'always'),
    remains('d', undefined),
    remains('e', new Date(3)),
  ];
  const dropped = async (needed: number) => {
    const places = { databaseDisk: data, filestoreDisk: data, folderBytes: async () => GiB };
    const { dropFirst } = await makeRoom([server('database', needed, data)], { expired, kept }, places);
    return dropFirst.map(({ database }) => database);
  };
  for (const [title, needed, names] of [
    ['stays where the new fits beside it', 3 * GiB, []],
    ['goes where the new does not, first what was kept long enough', 5 * GiB, ['a']],
    ['goes before its days are over, the oldest first', 7 * GiB, ['a', 'b']],
    ['never where it was kept for good, or is not ours', 9 * GiB, ['a', 'b', 'e']],
    ['stays where it would be of no use', 11 * GiB, []],
  ] as const) {
    test(title, async () => assert.deepEqual(await dropped(needed), names));
  }

  test('of which nobody knows the size makes no room', async () => {
    const places = { databaseDisk: data, filestoreDisk: data, folderBytes: async () => 0 };
    const left = { expired: [remains('a', new Date(1), null)], kept: [] };
    const { dropFirst } = await makeRoom([server('database', 5 * GiB, data)], left, places);
    assert.deepEqual(dropFirst, []);
  });

  test('is kept for days where a GiB stays free beside it, and what goes first counts as free', () => {
    const nothing = new Map<string, number>();
    const builds = (bytes: number) => [server('database', bytes, data), other('filestore', 5, disk('/', 10))];
    assert.equal(shortageOf(builds(3 * GiB), [data, undefined], nothing), undefined);
    assert.equal(
      shortageOf(builds(3 * GiB + 1), [data], nothing),
      'only 1.0 GiB would stay free in /data beside it',
    );
    assert.equal(shortageOf(builds(4 * GiB), [data], new Map([[data.device, GiB]])), undefined);
    assert.match(
      shortageOf(builds(0), [data, disk('/', 10)], nothing) ?? '',
      /^only 5 B would stay free in \//,
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
  whileSpaceLasts([on], look, new AbortController().signal, async (signal) => {
    await look.asked;
    signal.throwIfAborted();
    return 'loaded';
  });
