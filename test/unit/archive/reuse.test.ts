import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import type { DirectoryEntry } from '../../../src/archive/central-directory.ts';
import { openEntry } from '../../../src/archive/entry.ts';
import { readDirectory } from '../../../src/archive/reader.ts';
import { planReuse, type Reuse } from '../../../src/archive/reuse.ts';
import type { ArchiveSummary } from '../../../src/archive/writer.ts';
import { run } from '../../support/processes.ts';
import { SerialWriter } from '../../support/serial-writer.ts';
import { rangesOf } from '../../support/zips.ts';

const MiB = 2 ** 20;
const stored = { deflate: false, modified: new Date(0) };

interface Archive {
  readonly bytes: Buffer;
  readonly summary: ArchiveSummary;
}

/** What a server and a writer make of an archive before and of new files. */
async function compose(
  files: ReadonlyMap<string, Buffer>,
  before?: Archive,
  { reuse, taken }: { reuse?: Reuse; taken: ReadonlySet<string> } = { taken: new Set() },
): Promise<Archive> {
  await using writer = new SerialWriter({ level: 1, unitSize: 5 * MiB, reuse });
  const output = buffer(writer.output);
  await writer.begin('database');
  await writer.add('dump.sql', randomBytes(100), stored);
  await writer.begin('filestore');
  for (const [name, content] of files) {
    if (!taken.has(name)) await writer.add(name, Readable.from([content]), stored);
  }
  const summary = await writer.finish();
  const copied = (reuse?.copies ?? []).map(({ unit }) =>
    (before as Archive).bytes.subarray(unit.offset, unit.offset + unit.length),
  );
  return { bytes: Buffer.concat([...copied, await output]), summary };
}

async function planFor(
  { bytes, summary }: Archive,
  wanted: (entry: DirectoryEntry) => boolean,
): Promise<{ reuse: Reuse; taken: Set<string> }> {
  const taken = new Set<string>();
  const directory = await readDirectory(rangesOf(bytes));
  const reuse = await planReuse(directory, summary.segments, wanted, ({ name }) => taken.add(name));
  assert.equal(reuse.entries, taken.size);
  return { reuse, taken };
}

async function assertHolds({ bytes, summary }: Archive, files: ReadonlyMap<string, Buffer>): Promise<void> {
  assert.equal(bytes.length, summary.size);
  const reader = rangesOf(bytes);
  const { directory, entries } = await readDirectory(reader);
  assert.deepEqual(directory, summary.directory);
  const names = new Set<string>();
  for (const entry of entries()) {
    names.add(entry.name);
    if (entry.name === 'dump.sql') continue;
    const content = await buffer(openEntry(reader, entry));
    assert.ok(files.get(entry.name)?.equals(content), entry.name);
  }
  assert.deepEqual([...names].sort(), ['dump.sql', ...files.keys()].sort());
}

const filesOf = (names: readonly string[], size: number): Map<string, Buffer> =>
  new Map(names.map((name) => [`filestore/${name}`, randomBytes(size)]));

suite('an archive that takes over from the one before', () => {
  test('holds what the host has, archive after archive, with units that begin and end within entries', async () => {
    let files = filesOf(
      Array.from({ length: 20 }, (_, i) => `first-${i}`),
      1.3 * MiB,
    );
    let archive = await compose(files);
    for (let day = 1; day <= 8; day += 1) {
      const here = [...files.keys()];
      const gone = new Set([here[(day * 7) % here.length], here[(day * 3) % here.length]]);
      files = new Map([...files].filter(([name]) => !gone.has(name)));
      for (const [name, content] of [
        ...filesOf([`day-${day}`], day * MiB), // from the fifth day on, a unit can lie within one
        ...filesOf([`too-${day}`], 0.5 * MiB),
      ])
        files.set(name, content);
      const plan = await planFor(archive, ({ name }) => files.has(name));
      const { reuse } = plan;
      const next = await compose(files, archive, plan);
      await assertHolds(next, files);
      const [front] = next.summary.segments;
      assert.deepEqual([front?.offset, front?.length, front?.entries], [0, reuse.length, reuse.entries]);
      assert.ok(reuse.length > 15 * MiB, 'it takes over a good part');
      archive = next;
    }
    const path = join(tmpdir(), `archive-reuse-${process.pid}.zip`);
    await writeFile(path, archive.bytes);
    assert.match(await run(['unzip', '-tq', path]), /^No errors detected/);
    await run(['rm', path]);
  });

  test('copies no unit of which nothing is wanted, and knows what of the others is not', async () => {
    const files = filesOf(
      Array.from({ length: 12 }, (_, i) => `file-${i}`),
      5 * MiB,
    );
    const archive = await compose(files);
    const wanted = new Map([...files].filter((_, i) => i < 2 || i > 9));
    const plan = await planFor(archive, ({ name }) => wanted.has(name));
    const { reuse, taken } = plan;
    assert.deepEqual([...taken], [...wanted.keys()]);
    assert.ok(reuse.length <= 30 * MiB, `${reuse.length} bytes are copied`);
    assert.ok(reuse.unreferenced < 10 * MiB && reuse.unreferenced > reuse.length - 20.1 * MiB);
    await assertHolds(await compose(wanted, archive, plan), wanted);
  });

  test('takes nothing from units that S3 cannot copy', async () => {
    const files = filesOf(['a', 'b', 'c'], MiB);
    const { reuse } = await planFor(await compose(files), () => true);
    assert.deepEqual([reuse.copies, reuse.length, reuse.entries], [[], 0, 0]);
  });

  test('does not build upon a directory that its segments do not explain', async () => {
    const archive = await compose(filesOf(['a', 'b'], 3 * MiB));
    const others = { ...archive, summary: { ...archive.summary, segments: [] } };
    await assert.rejects(
      planFor(others, () => true),
      /an entry lies in none of its segments/,
    );
  });

  test('is not looked at to its end when the run is cancelled', async () => {
    const files = new Map(Array.from({ length: 20_000 }, (_, i) => [`filestore/${i}`, Buffer.alloc(0)]));
    const { bytes, summary } = await compose(files);
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const archive = await readDirectory({ ...rangesOf(bytes), signal: controller.signal });
    let seen = 0;
    const wanted = () => {
      seen += 1;
      return true;
    };
    setImmediate(() => controller.abort(reason));
    await assert.rejects(planReuse(archive, summary.segments, wanted), (error) => error === reason);
    assert.ok(seen < files.size / 2, String(seen));
  });
});
