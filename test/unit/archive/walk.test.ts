import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { readDirectory } from '../../../src/archive/reader.ts';
import { UnitCheck, UnitMeter } from '../../../src/archive/units.ts';
import { walkArchive } from '../../../src/archive/walk.ts';
import { ContentError } from '../../../src/util/errors.ts';
import { filesOf, pythonZip, rangesOf } from '../../support/zips.ts';

/** Entries of every kind: stored, deflated, empty, and larger than what is held in memory. */
const script = `
z.writestr('empty', b'')
z.writestr('stored', b'abc' * 100, zipfile.ZIP_STORED)
z.writestr('deflated', b'abc' * 10000)
z.writestr('large, stored', bytes(range(256)) * 20000, zipfile.ZIP_STORED)
z.writestr('large, deflated', bytes(range(256)) * 40000)
z.writestr('last', b'z')`;

async function walk(zip: Buffer, seen: (bytes: Buffer) => void = () => {}): Promise<Map<string, string>> {
  const reader = rangesOf(zip);
  const { directory } = await readDirectory(reader);
  const found = new Map<string, string>();
  for await (const { file, content } of walkArchive(reader, await filesOf(zip), directory.offset, seen)) {
    const sha1 = createHash('sha1');
    if (Buffer.isBuffer(content)) sha1.update(content);
    else for await (const chunk of content) sha1.update(chunk);
    found.set(file.entry.name, sha1.digest('hex'));
  }
  return found;
}

const sha1 = (content: Buffer | string): string => createHash('sha1').update(content).digest('hex');

suite('reading a whole archive', () => {
  for (const streamed of [false, true]) {
    test(streamed ? 'sizes behind the content' : 'sizes before the content', async () => {
      const zip = await pythonZip(script, { streamed });
      const bytes: Buffer[] = [];
      const found = await walk(zip, (chunk) => bytes.push(chunk));
      const all = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
      assert.deepEqual(Object.fromEntries(found), {
        empty: sha1(''),
        stored: sha1('abc'.repeat(100)),
        deflated: sha1('abc'.repeat(10_000)),
        'large, stored': sha1(Buffer.concat(Array(20_000).fill(all))),
        'large, deflated': sha1(Buffer.concat(Array(40_000).fill(all))),
        last: sha1('z'),
      });
      const { directory } = await readDirectory(rangesOf(zip));
      assert.ok(
        Buffer.concat(bytes).equals(zip.subarray(0, directory.offset)),
        'every byte, once, in its order',
      );
    });

    test(`every bit before the directory counts${streamed ? ', sizes behind the content' : ''}`, async () => {
      const zip = await pythonZip(
        "for name in 'one', 'two': z.writestr(name, b'abc' * 30, zipfile.ZIP_STORED)",
        {
          streamed,
        },
      );
      const { directory } = await readDirectory(rangesOf(zip));
      for (let at = 0; at < directory.offset; at++) {
        for (const bit of [1, 0x80]) {
          const damaged = Buffer.from(zip);
          damaged[at] = (damaged[at] ?? 0) ^ bit;
          await assert.rejects(
            walk(damaged),
            (error) => error instanceof ContentError && /^"(one|two)" is not/.test(error.message),
            `byte ${at} of ${directory.offset}, bit ${bit}`,
          );
        }
      }
    });
  }

  test('an error of who reads is told as it is', async () => {
    const zip = await pythonZip(script);
    const { directory } = await readDirectory(rangesOf(zip));
    const broken = { size: zip.length, read: () => Promise.reject(new Error('the network')) };
    const walking = walkArchive(broken, await filesOf(zip), directory.offset, () => {});
    await assert.rejects(walking.next(), /^Error: the network$/);
  });
});

test('units are compared, with gaps between them, whatever chunks the bytes come in', () => {
  const bytes = Buffer.from('0123456789'.repeat(10));
  const unitsAt = (offset: number, length: number, size: number) => {
    const meter = new UnitMeter(offset, size, 1);
    meter.update(bytes.subarray(offset, offset + length));
    return meter.finish();
  };
  const units = [...unitsAt(3, 20, 7), ...unitsAt(23, 10, 7), ...unitsAt(50, 49, 7)];
  for (const chunk of [1, 6, 7, 8, 100]) {
    const check = (read: Buffer) => {
      const found = new UnitCheck(units);
      for (let at = 0; at < read.length; at += chunk) found.update(read.subarray(at, at + chunk));
      return found.broken;
    };
    assert.equal(check(bytes), undefined);
    for (const [at, unit] of [
      [3, 0],
      [9, 0],
      [10, 1],
      [22, 2],
      [98, units.length - 1],
    ] as const) {
      const damaged = Buffer.from(bytes);
      damaged[at] = 0;
      assert.equal(check(damaged), units[unit], `byte ${at}, chunks of ${chunk}`);
    }
    const between = Buffer.from(bytes);
    for (const at of [0, 2, 33, 49, 99]) between[at] = 0;
    assert.equal(check(between), undefined, 'nobody has written those');
  }
});
