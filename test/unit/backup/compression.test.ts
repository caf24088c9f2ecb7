import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pgDumpCompression } from '../../../src/backup/source.ts';
import { dumpCodec, filestoreCodec } from '../../../src/host/codecs.ts';

describe('what pg_dump compresses by itself', () => {
  for (const [asked, clientMajor, option] of [
    ['auto', 12, '--compress=1'],
    ['auto', 15, '--compress=1'],
    ['auto', 16, '--compress=zstd:1'],
    ['auto', 18, '--compress=zstd:1'],
    [0, 16, '--compress=0'],
    [6, 15, '--compress=6'],
    [9, 17, '--compress=9'],
  ] as const) {
    test(`${asked}, pg_dump ${clientMajor} → ${option}`, () =>
      assert.equal(pgDumpCompression(asked, clientMajor), option));
  }
});

describe('what compresses on the wire', () => {
  for (const [programs, dumps, files] of [
    [['gzip', 'pigz', 'zstd', 'tar'], 'zstd', 'zstd'],
    [['gzip', 'pigz'], 'pigz', undefined],
    [['gzip'], 'gzip', undefined],
    [['tar'], undefined, undefined],
  ] as const) {
    test(`of ${programs.join(', ')}: ${dumps} for dumps, ${files} for files`, () => {
      const tools = { clients: [], programs: new Set<string>(programs), cores: 1 };
      assert.equal(dumpCodec(tools)?.program, dumps);
      assert.equal(filestoreCodec(tools)?.program, files);
    });
  }
});
