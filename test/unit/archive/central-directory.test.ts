import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type DirectoryEntry,
  decodeEnd,
  decodeEntries,
  encodeEnd,
  moveEntry,
} from '../../../src/archive/central-directory.ts';
import { UserError } from '../../../src/util/errors.ts';

const fixture = readFileSync(new URL('../../fixtures/odoo14_standard.zip', import.meta.url));
const K4 = 2 ** 32;

/** A plain entry, as a small file has it. */
function header(name: string, extra: Buffer = Buffer.alloc(0), comment = ''): Buffer {
  const fixed = Buffer.alloc(46);
  fixed.writeUInt32LE(0x02014b50, 0);
  fixed.writeUInt16LE(20, 6);
  fixed.writeUInt16LE(0x0800, 8);
  fixed.writeUInt16LE(8, 10);
  fixed.writeUInt32LE(0x59b35a2a, 12);
  fixed.writeUInt32LE(0xdeadbeef, 16);
  fixed.writeUInt32LE(5, 20);
  fixed.writeUInt32LE(7, 24);
  fixed.writeUInt16LE(Buffer.byteLength(name), 28);
  fixed.writeUInt16LE(extra.length, 30);
  fixed.writeUInt16LE(Buffer.byteLength(comment), 32);
  fixed.writeUInt32LE(0o100644 * 0x10000, 38);
  fixed.writeUInt32LE(9, 42);
  return Buffer.concat([fixed, Buffer.from(name), extra, Buffer.from(comment)]);
}

function decodeOne(bytes: Buffer): DirectoryEntry {
  const [entry] = decodeEntries(bytes, 1);
  assert.ok(entry);
  return entry;
}

/** An extra field of that kind and content (APPNOTE 4.5.1). */
function extraField(id: number, content: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(content.length, 2);
  return Buffer.concat([head, content]);
}

function uint64(...values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 8 * i);
  return bytes;
}

test('an entry keeps everything but its offset when it moves', () => {
  const unixTimes = extraField(0x5455, Buffer.from([1, 2, 3, 4, 5]));
  const entry = decodeOne(header('filestore/été', unixTimes, 'a comment'));
  assert.deepEqual(
    { ...entry, raw: undefined },
    {
      name: 'filestore/été',
      method: 8,
      crc32: 0xdeadbeef,
      compressedSize: 5,
      size: 7,
      offset: 9,
      raw: undefined,
    },
  );
  assert.deepEqual(moveEntry(entry, entry.offset), entry.raw);
  const moved = moveEntry(entry, 123_456);
  const expected = Buffer.from(entry.raw);
  expected.writeUInt32LE(123_456, 42);
  assert.deepEqual(moved, expected);
});

test('the directory that Odoo wrote decodes, and encodes to the same bytes', () => {
  const end = decodeEnd(fixture.subarray(-70_000), fixture.length);
  const directory = fixture.subarray(end.offset, end.offset + end.size);
  const entries = [...decodeEntries(directory, end.entries)];
  assert.equal(entries.filter(({ name }) => /^filestore\/[0-9a-f]{2}\/[0-9a-f]{40}$/.test(name)).length, 205);
  assert.deepEqual(Buffer.concat(entries.map((entry) => moveEntry(entry, entry.offset))), directory);
  assert.deepEqual(encodeEnd(end), fixture.subarray(end.offset + end.size));
});

test('numbers of an entry at the edge of 32 bits', () => {
  const unixTimes = extraField(0x5455, Buffer.from([1, 2, 3, 4, 5]));
  for (const [size, compressedSize, offset, zip64Length] of [
    [K4 - 2, K4 - 2, K4 - 2, 0],
    [K4 - 1, 5, 0, 12],
    [K4, 5, 0, 12],
    [K4 + 1, K4 - 1, 0, 20],
    [7, 5, K4 - 2, 0],
    [7, 5, K4 - 1, 12],
    [7, 5, K4, 12],
    [K4 * 5, K4 * 4, K4 * 3, 28],
    [0, 0, Number.MAX_SAFE_INTEGER, 12],
  ] as const) {
    const moved = moveEntry({ ...decodeOne(header('x', unixTimes)), size, compressedSize }, offset);
    assert.equal(moved.length, 46 + 1 + 9 + zip64Length);
    assert.equal(moved.readUInt16LE(6), zip64Length > 0 ? 45 : 20, 'version needed');
    const again = decodeOne(moved);
    assert.deepEqual(
      [again.size, again.compressedSize, again.offset, again.crc32],
      [size, compressedSize, offset, 0xdeadbeef],
    );
    // Moving back sheds a Zip64 field that only the offset needed.
    assert.equal(
      moveEntry(again, 1).length,
      size < K4 - 1 ? 46 + 1 + 9 : moved.length - (offset < K4 - 1 ? 0 : 8),
    );
  }
});

test('numbers of the end record at the edge of 16 and 32 bits', () => {
  for (const [entries, size, offset, length] of [
    [0, 0, 0, 22],
    [65_534, 65_534 * 46, 1, 22],
    [65_535, 65_535 * 46, 1, 98],
    [65_536, 65_536 * 46, 1, 98],
    [1, K4 - 2, 1, 22],
    [1, K4 - 1, 1, 98],
    [1, K4, 1, 98],
    [1, 46, K4 - 2, 22],
    [1, 46, K4 - 1, 98],
    [1, 46, K4, 98],
    [2_000_000, 2_000_000 * 97, 5 * 2 ** 40, 98],
  ] as const) {
    const end = { entries, size, offset };
    const bytes = encodeEnd(end);
    assert.equal(bytes.length, length, `${entries} entries, ${size} bytes at ${offset}`);
    assert.deepEqual(decodeEnd(bytes, offset + size + length), end);
  }
});

test('the end record is found behind a comment, even one that looks like an end record', () => {
  const end = encodeEnd({ entries: 0, size: 0, offset: 0 });
  for (const comment of [
    Buffer.alloc(65_535, 'c'),
    Buffer.concat([end.subarray(0, 20), Buffer.from([9, 9])]),
  ]) {
    const bytes = Buffer.concat([end, comment]);
    bytes.writeUInt16LE(comment.length, 20);
    assert.deepEqual(decodeEnd(bytes, bytes.length), { entries: 0, size: 0, offset: 0 });
  }
});

test('all ones without a Zip64 field are just a number', () => {
  const bytes = header('x');
  bytes.writeUInt32LE(K4 - 1, 24);
  assert.equal(decodeOne(bytes).size, K4 - 1);
  // 65,535 entries, by a writer without Zip64.
  const end = encodeEnd({ entries: 65_535, size: 65_535 * 46, offset: 0 }).subarray(-22);
  assert.equal(decodeEnd(end, 65_535 * 46 + 22).entries, 65_535);
});

test('entries that lie are refused', () => {
  const change = (bytes: Buffer, at: number, value: number): Buffer => {
    bytes.writeUInt32LE(value, at);
    return bytes;
  };
  const full = (extra: Buffer): Buffer => change(change(header('x', extra), 24, K4 - 1), 20, K4 - 1);
  const cases: [what: RegExp, bytes: Buffer, count: number][] = [
    [/cut short/, header('x').subarray(0, 45), 1],
    [/cut short/, header('x').subarray(0, 46), 1],
    [/cut short/, header('x'), 2],
    [/cut short/, header('x'), Number.MAX_SAFE_INTEGER],
    [/follow the last entry/, header('x'), 0],
    [/signature/, change(header('x'), 0, 1), 1],
    [/several disks/, change(header('x'), 34, 1), 1],
    [/extra field is cut short/, header('x', Buffer.from([1, 0, 9])), 1],
    [/extra field is cut short/, header('x', Buffer.from([1, 0, 9, 0, 0])), 1],
    [/too short/, full(extraField(1, uint64(K4))), 1],
    [/two Zip64/, full(Buffer.concat([extraField(1, uint64(K4, K4)), extraField(1, uint64(1, 1))])), 1],
    [/absurd/, full(extraField(1, Buffer.alloc(16, 0xff))), 1],
  ];
  for (const [what, bytes, count] of cases) {
    assert.throws(
      () => [...decodeEntries(bytes, count)],
      (error) => error instanceof UserError && what.test(error.message),
      String(what),
    );
  }
  const crowded = decodeOne(header('x', extraField(0x5455, Buffer.alloc(65_530))));
  assert.throws(() => moveEntry(crowded, K4), /no room/);
});

test('end records that lie are refused', () => {
  const plain = encodeEnd({ entries: 2, size: 200, offset: 1000 });
  const zip64 = encodeEnd({ entries: 70_000, size: 70_000 * 46, offset: K4 });
  const size64 = K4 + 70_000 * 46 + 98;
  const change = (bytes: Buffer, at: number, ...values: number[]): Buffer => {
    const copy = Buffer.from(bytes);
    copy.set(values, at);
    return copy;
  };
  const cases: [what: RegExp, tail: Buffer, archiveSize: number][] = [
    [/no end record/, Buffer.alloc(0), 0],
    [/no end record/, Buffer.from('PK\x05\x06'), 4],
    [/no end record/, Buffer.alloc(66_000, 'PK\x05\x06'), 66_000],
    [/no end record/, change(plain, 20, 1), 1222],
    [/does not fit/, plain, 1221],
    [/does not fit/, change(plain, 10, 255), 1222],
    [/does not fit/, change(plain, 19, 255), 1222],
    [/not where/, change(zip64, 56 + 8, 1), size64],
    [/not where/, change(zip64, 0, 0), size64],
    [/absurd/, change(zip64, 56 + 15, 255), size64],
    [/contradict/, change(zip64, 40, 1), size64],
    [/absurd/, change(zip64, 39, 255), size64],
    [/does not fit/, change(zip64, 37, 255), size64],
    [/not where/, zip64.subarray(56), size64],
    [/does not fit/, zip64.subarray(76), size64],
  ];
  for (const [what, tail, archiveSize] of cases) {
    assert.throws(
      () => decodeEnd(tail, archiveSize),
      (error) => error instanceof UserError && what.test(error.message) && error.hint !== '',
      String(what),
    );
  }
});

test('bytes changed at random are decoded or refused, nothing else', () => {
  const { offset } = decodeEnd(fixture.subarray(-70_000), fixture.length);
  for (let round = 0; round < 2000; round++) {
    const tail = Buffer.from(fixture.subarray(offset));
    for (let i = 0; i < 3; i++)
      tail[randomInt(2) ? randomInt(tail.length) : tail.length - 1 - randomInt(22)] = randomInt(256);
    try {
      const end = decodeEnd(tail, fixture.length);
      for (const entry of decodeEntries(
        tail.subarray(end.offset - offset, end.offset - offset + end.size),
        end.entries,
      )) {
        moveEntry(entry, K4);
      }
    } catch (error) {
      assert.ok(error instanceof UserError, String(error));
    }
  }
});
