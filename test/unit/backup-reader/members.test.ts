import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEnd } from '../../../src/archive/central-directory.ts';
import type { RangeReader } from '../../../src/archive/ranges.ts';
import { type ArchiveDirectory, readDirectory } from '../../../src/archive/reader.ts';
import { walkArchive } from '../../../src/archive/walk.ts';
import { filestoreOf } from '../../../src/backup-reader/filestore.ts';
import { type Members, membersOf } from '../../../src/backup-reader/members.ts';
import { ContentError } from '../../../src/util/errors.ts';
import { pythonZip, rangesOf } from '../../support/zips.ts';

const COUNT = 5000;
const nameOf = (number: number): string => {
  const sha1 = number.toString(16).padStart(40, '0');
  return `${sha1.slice(0, 2)}/${sha1}`;
};

/** Dumps before and behind a filestore of several blocks of the packed directory. */
const script = `
z.writestr('first.dump', 'x')
z.writestr('filestore/', '')
for n in range(${COUNT}):
    sha1 = f'{n:040x}'
    z.writestr(f'filestore/{sha1[:2]}/{sha1}', 'y' * (n % 7))
z.writestr('./last.json', '{}')`;

/** The same archive with its directory in another order. */
async function reordered(zip: Buffer): Promise<Buffer> {
  const { directory, entries } = await readDirectory(rangesOf(zip));
  const raw = Array.from(entries(), (entry) => Buffer.from(entry.raw)).reverse();
  const bytes = Buffer.concat(raw);
  const end = encodeEnd({ entries: raw.length, size: bytes.length, offset: directory.offset });
  return Buffer.concat([zip.subarray(0, directory.offset), bytes, end]);
}

for (const isReordered of [false, true]) {
  test(`members are found by name and come in the order of their bytes${isReordered ? ', in another order of the directory' : ''}`, async () => {
    const written = await pythonZip(script);
    const zip = isReordered ? await reordered(written) : written;
    const archive = await readDirectory(rangesOf(zip));
    const members = await membersOf(archive);
    const names = [
      'first.dump',
      ...Array.from({ length: COUNT }, (_, n) => `filestore/${nameOf(n)}`),
      'last.json',
    ];
    assert.deepEqual([...members.keys()], names);
    assert.equal(members.size, names.length);
    assert.deepEqual([...members.others.keys()], ['first.dump', 'last.json']);
    for (const name of ['first.dump', `filestore/${nameOf(0)}`, `filestore/${nameOf(COUNT - 1)}`]) {
      assert.equal(members.get(name)?.name, name);
    }
    assert.equal(members.get('filestore/00'), undefined);
    assert.ok(!members.has('filestore/'), 'a folder is no file');

    const files = (await filestoreOf(members, undefined, []))?.files;
    assert.ok(files);
    assert.equal(files.size, COUNT);
    assert.equal(
      files.bytes,
      Array.from({ length: COUNT }, (_, n) => n % 7).reduce((a, b) => a + b, 0),
    );
    const number = files.indexOf(nameOf(COUNT - 2));
    assert.equal(files.sizeAt(number), (COUNT - 2) % 7);
    const wanted = files.numbers().without(files.numbers());
    wanted.add(number);
    assert.deepEqual(
      Array.from(files.values(wanted), ({ name }) => name),
      [nameOf(COUNT - 2)],
    );
    assert.equal(files.get(nameOf(COUNT)), undefined);

    let found = 0;
    const walked = walkArchive(rangesOf(zip), members.all(), archive.directory.offset, () => {});
    for await (const { file } of walked) if (files.of(file)) found += 1;
    assert.equal(found, COUNT);
  });
}

/** More than are sorted at once. */
const MANY = 100_000;
/** What an entry without content takes before the directory, in bytes. */
const PLACE = 200;

/** An entry of the directory that is the nth in the archive. */
function entryAt(n: number): Buffer {
  const name = `filestore/${nameOf(n)}`;
  const entry = Buffer.alloc(46 + name.length);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt32LE(PLACE * n, 42);
  entry.write(name, 46);
  return entry;
}

/** The directory of an archive of empty files, which nothing else is read of. @param order of its entries */
async function directoryOf(order: readonly number[], signal?: AbortSignal): Promise<ArchiveDirectory> {
  const raw = Buffer.concat(order.map(entryAt));
  const offset = PLACE * order.length;
  const bytes = Buffer.concat([raw, encodeEnd({ entries: order.length, size: raw.length, offset })]);
  const size = offset + bytes.length;
  const reader: RangeReader = {
    size,
    signal,
    read: async (at, length) => {
      const before = Buffer.alloc(Math.max(0, Math.min(length, offset - at)));
      return Buffer.concat([before, bytes.subarray(Math.max(0, at - offset), at + length - offset)]);
    },
  };
  return readDirectory(reader);
}

const ascending = Array.from({ length: MANY }, (_, n) => n);
/** 7919 is a prime that does not divide MANY: each number once, in great disorder. */
const mixed = ascending.map((n) => (n * 7919) % MANY);

test('many entries in disorder come in the order of their bytes', async () => {
  const members = await membersOf(await directoryOf(mixed));
  let n = 0;
  for (const { name, number, entry } of members.all()) {
    if (number !== n || entry.offset !== PLACE * n || name !== `filestore/${nameOf(n)}`) assert.fail(name);
    n += 1;
  }
  assert.equal(n, MANY);
  for (const n of [0, 1, 32_767, 32_768, MANY - 1]) {
    assert.equal(members.numberOf(`filestore/${nameOf(n)}`), n);
    assert.equal(members.get(`filestore/${nameOf(n)}`)?.offset, PLACE * n);
  }
  assert.equal((await filestoreOf(members, undefined, []))?.files.size, MANY);
});

test('two entries in one place are refused, in whatever order', async () => {
  for (const order of [
    [0, 1, 1, 2, 3],
    [3, 1, 0, 2, 1],
  ]) {
    await assert.rejects(membersOf(await directoryOf(order)), (error) => {
      assert.ok(error instanceof ContentError);
      assert.match(error.message, /0{39}1" in it (overlaps with another file|is there twice)/);
      return true;
    });
  }
});

/** Aborts as soon as there is a turn of the event loop, and counts what was decoded by then and later. */
async function aborted(archive: ArchiveDirectory, abort: (reason: Error) => void): Promise<number> {
  const reason = new Error('cancelled');
  let decoded = 0;
  function* numbered() {
    for (const found of archive.numbered()) {
      decoded += 1;
      yield found;
    }
  }
  setImmediate(() => abort(reason));
  await assert.rejects(membersOf({ ...archive, numbered }), (error) => error === reason);
  return decoded;
}

test('an abort ends the decoding in its middle', async () => {
  for (const order of [ascending, mixed]) {
    const controller = new AbortController();
    const archive = await directoryOf(order, controller.signal);
    const decoded = await aborted(archive, (reason) => controller.abort(reason));
    assert.ok(decoded > 0 && decoded < MANY / 2, String(decoded));
  }
});

test('so it does where the filestore is looked for', async () => {
  const controller = new AbortController();
  const members: Members = await membersOf(await directoryOf(ascending, controller.signal));
  const reason = new Error('cancelled');
  setImmediate(() => controller.abort(reason));
  await assert.rejects(filestoreOf(members, undefined, []), (error) => error === reason);
});
