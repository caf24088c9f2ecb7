import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEnd } from '../../../src/archive/central-directory.ts';
import { readDirectory } from '../../../src/archive/reader.ts';
import { walkArchive } from '../../../src/archive/walk.ts';
import { filestoreOf } from '../../../src/backup-reader/filestore.ts';
import { membersOf } from '../../../src/backup-reader/members.ts';
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
    const members = membersOf(archive);
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

    const files = filestoreOf(members, undefined, [])?.files;
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
