import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { crc32, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import type { DirectoryEntry } from '../../../src/archive/central-directory.ts';
import { readDirectory } from '../../../src/archive/reader.ts';
import { ArchiveWriter } from '../../../src/archive/writer.ts';
import { assertUnits, writeArchive } from '../../support/archive-units.ts';

const MiB = 2 ** 20;
const modified = new Date('2026-03-04T05:06:08Z');
const stored = { deflate: false, modified };
const deflated = { deflate: true, modified };
const text = Buffer.from('some text that deflates well, '.repeat(100));

/** Where the data of an entry starts: behind its local header. */
function dataOffset(bytes: Buffer, { offset }: DirectoryEntry): number {
  return offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
}

function contentOf(bytes: Buffer, entry: DirectoryEntry): Buffer {
  const start = dataOffset(bytes, entry);
  const data = bytes.subarray(start, start + entry.compressedSize);
  return entry.method === 8 ? inflateRawSync(data) : data;
}

test('an entry of each kind: what add() tells, what the directory says, and what is in it', async () => {
  const kinds: [name: string, source: () => Buffer | Readable, content: Buffer, deflate: boolean][] = [
    ['a stored buffer', () => text, text, false],
    ['a deflated buffer', () => text, text, true],
    ['an empty buffer', () => Buffer.alloc(0), Buffer.alloc(0), true],
    ['a stored stream', () => Readable.from([text, text]), Buffer.concat([text, text]), false],
    ['a deflated stream', () => Readable.from([text, text]), Buffer.concat([text, text]), true],
    ['an empty stream', () => Readable.from([]), Buffer.alloc(0), false],
    ['été/日本/😀', () => text, text, false],
  ];
  const told: object[] = [];
  const { bytes, entries } = await writeArchive(async (writer) => {
    await writer.begin('filestore');
    for (const [name, source, , deflate] of kinds)
      told.push(await writer.add(name, source(), { deflate, modified }));
  });
  assert.deepEqual(
    entries.map(({ name, size, compressedSize, crc32 }) => ({ name, size, compressedSize, crc32 })),
    told,
  );
  for (const [i, [name, , content, deflate]] of kinds.entries()) {
    const entry = entries[i];
    assert.ok(entry);
    assert.equal(entry.name, name);
    assert.equal(entry.method, deflate && name !== 'an empty buffer' ? 8 : 0);
    assert.deepEqual(contentOf(bytes, entry), content, name);
    assert.equal(entry.crc32, crc32(content));
  }
});

test('a stored buffer has its size and CRC before its data, and nothing after it', async () => {
  const { bytes, summary, entries } = await writeArchive(async (writer) => {
    await writer.begin('filestore');
    await writer.add('filestore/ab/abc', text, stored);
  });
  const [entry] = entries;
  assert.ok(entry);
  assert.equal(bytes.readUInt16LE(6) & 8, 0, 'no data descriptor');
  assert.equal(bytes.readUInt32LE(14), crc32(text));
  assert.equal(bytes.readUInt32LE(18), text.length);
  assert.equal(dataOffset(bytes, entry) + text.length, summary.directory.offset);
});

test('segments follow each other without a gap, an empty one too', async () => {
  const { bytes, summary } = await writeArchive(async (writer) => {
    await writer.begin('database');
    await writer.add('dump.sql', Readable.from([text]), deflated);
    await writer.add('manifest.json', Buffer.from('{}'), deflated);
    await writer.begin('filestore');
    await writer.begin('description');
    await writer.add('backup.json', Buffer.from('{}'), stored);
  });
  assert.deepEqual(
    summary.segments.map(({ kind, entries }) => [kind, entries]),
    [
      ['database', 2],
      ['filestore', 0],
      ['description', 1],
    ],
  );
  let offset = 0;
  for (const segment of summary.segments) {
    assert.equal(segment.offset, offset);
    assertUnits(segment.units, bytes, offset, 59 * MiB);
    assert.equal(
      segment.units.reduce((sum, { length }) => sum + length, 0),
      segment.length,
    );
    offset += segment.length;
  }
  assert.equal(summary.directory.offset, offset);
  assert.deepEqual(summary.segments[1]?.units, []);
});

test('an archive without any segment, or of one without entries, is an empty zip', async () => {
  for (const begin of [false, true]) {
    const { bytes } = await writeArchive(async (writer) => {
      if (begin) await writer.begin('filestore');
    });
    assert.equal(bytes.length, 22);
  }
});

test('more entries than one archiver is given, in two segments', async () => {
  const { bytes, summary, entries } = await writeArchive(async (writer) => {
    for (const kind of ['database', 'filestore'] as const) {
      await writer.begin(kind);
      for (let i = 0; i < 2001; i++) await writer.add(`${kind}/${i}`, Buffer.from(`${kind} ${i}`), stored);
    }
  });
  assert.deepEqual(
    summary.segments.map((segment) => segment.entries),
    [2001, 2001],
  );
  for (const entry of entries) assert.equal(contentOf(bytes, entry).toString(), entry.name.replace('/', ' '));
});

test('a dropped entry is a gap, and its name can be used again', async () => {
  const { bytes, summary, entries } = await writeArchive(async (writer) => {
    await writer.begin('database');
    await writer.add('first', text, stored);
    writer.drop('first');
    await writer.begin('filestore');
    await writer.add('torn', Readable.from([Buffer.from('to')]), stored);
    writer.drop('torn');
    await writer.add('torn', Readable.from([Buffer.from('torn no more')]), stored);
    for (let i = 0; i < 1500; i++) {
      await writer.add(`${i}`, text, stored);
      if (i === 3) writer.drop('3');
    }
    assert.throws(() => writer.drop('1498'), /The entry added last is 1499, not 1498/);
    writer.drop('1499');
    assert.throws(() => writer.drop('1499'), /The entry added last is undefined/);
  });
  assert.deepEqual(
    summary.segments.map((segment) => segment.entries),
    [0, 1499],
  );
  const names = entries.map(({ name }) => name);
  assert.deepEqual(names, [
    'torn',
    ...Array.from({ length: 1499 }, (_, i) => `${i}`).filter((name) => name !== '3'),
  ]);
  assert.equal(entries[0] && contentOf(bytes, entries[0]).toString(), 'torn no more');
});

test('entries at random come back as they were', async () => {
  for (let round = 0; round < 10; round++) {
    const contents = new Map<string, Buffer>();
    const { bytes, summary, entries } = await writeArchive(async (writer) => {
      for (let i = 0; i < 40; i++) {
        if (i === 0 || randomInt(8) === 0) await writer.begin('filestore');
        const content = randomInt(2)
          ? randomBytes(randomInt(100_000))
          : Buffer.alloc(randomInt(100_000), text);
        const cut = randomInt(content.length + 1);
        const source = randomInt(2)
          ? content
          : Readable.from([content.subarray(0, cut), content.subarray(cut)]);
        const name = `filestore/${i}/${'n'.repeat(randomInt(1, 200))}`;
        await writer.add(name, source, { deflate: randomInt(2) === 1, modified });
        if (randomInt(10) === 0) writer.drop(name);
        else contents.set(name, content);
      }
    });
    assert.deepEqual(
      entries.map(({ name }) => name),
      [...contents.keys()],
    );
    for (const entry of entries) assert.deepEqual(contentOf(bytes, entry), contents.get(entry.name));
    for (const { units, offset } of summary.segments) assertUnits(units, bytes, offset, 59 * MiB);
  }
});

test('segments that grow at the same time make one archive, in the order in which they were asked for', async () => {
  const size = fc.oneof(fc.nat({ max: 3000 }), fc.nat({ max: 300_000 }));
  const entries = fc.array(fc.record({ size, deflate: fc.boolean(), stream: fc.boolean() }), {
    maxLength: 8,
  });
  const archive = fc.array(entries, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(archive, async (segments) => {
      const writer = new ArchiveWriter({ level: 1 });
      const writers = segments.map(() => writer.segment('filestore'));
      const outputs = [...writers.map(({ output }) => output), writer.directory].map((output) =>
        output.toArray(),
      );
      const contents = new Map<string, Buffer>();
      const writing = segments.map(async (entries, i) => {
        for (const [j, { size, deflate, stream }] of entries.entries()) {
          const content = Buffer.alloc(size, `segment ${i}, entry ${j} `);
          const name = `${i}/${j}`;
          const source = stream ? Readable.from([content], { objectMode: false }) : content;
          await writers[i]?.add(name, source, { deflate, modified });
          if (j % 5 === 3) writers[i]?.drop(name);
          else contents.set(name, content);
        }
        await writers[i]?.end();
      });
      await Promise.all(writing);
      const summary = await writer.finish();
      const bytes = Buffer.concat((await Promise.all(outputs)).flat());
      assert.equal(summary.size, bytes.length);
      const reader = {
        size: bytes.length,
        read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
      };
      const { directory, entries: decoded } = await readDirectory(reader);
      assert.deepEqual(summary.directory, directory);
      const found = [...decoded()];
      assert.deepEqual(
        found.map(({ name }) => name),
        segments.flatMap((entries, i) => entries.flatMap((_, j) => (j % 5 === 3 ? [] : [`${i}/${j}`]))),
      );
      for (const entry of found) assert.deepEqual(contentOf(bytes, entry), contents.get(entry.name));
      let offset = 0;
      for (const segment of summary.segments) {
        assert.equal(segment.offset, offset);
        assertUnits(segment.units, bytes, offset, 59 * MiB);
        offset += segment.length;
      }
      assert.equal(directory.offset, offset);
    }),
    { numRuns: 40 },
  );
});

test('what is sent meanwhile gets its turn between the entries of a long directory', async () => {
  await using writer = new ArchiveWriter({ level: 1 });
  const segment = writer.segment('filestore');
  segment.output.resume();
  for (let i = 0; i < 3000; i += 1) await segment.add(`filestore/${i}`, Buffer.alloc(0), stored);
  await segment.end();
  let turns = 0;
  const count = () => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  const directory = writer.directory.toArray();
  await writer.finish();
  clearImmediate(turning);
  assert.ok(turns >= 3, `${turns}`);
  assert.ok(Buffer.concat(await directory).length > 3000 * 46);
});
