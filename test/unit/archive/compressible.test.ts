import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, gzipSync, inflateRawSync, zstdCompressSync } from 'node:zlib';
import { SAMPLE_LENGTH, shouldDeflate } from '../../../src/archive/compressible.ts';
import { readDirectory } from '../../../src/archive/reader.ts';

const text = Buffer.from(
  'CREATE TABLE public.res_partner (id integer NOT NULL, name character varying);\n'.repeat(500),
);

/** A file that starts like this, and then would deflate well. */
const startsWith = (hex: string): Buffer => Buffer.concat([Buffer.from(hex, 'hex'), text]);

test('what is compressed already is stored, what saves a tenth is deflated', () => {
  for (const [what, deflate, head] of [
    ['nothing', false, Buffer.alloc(0)],
    ['a byte', false, Buffer.from('a')],
    ['too short to save anything', false, Buffer.from('hello hello hello')],
    ['SQL', true, text],
    ['PostgreSQL dump, uncompressed inside', true, startsWith('5047444d50')],
    ['SVG', true, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'.repeat(20))],
    ['BMP', true, startsWith('424d')],
    ['PDF of text', true, Buffer.concat([Buffer.from('%PDF-1.4\n'), text])],
    ['PDF, compressed inside', false, Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(20_000)])],
    ['random', false, randomBytes(SAMPLE_LENGTH)],
    ['base64', true, Buffer.from(randomBytes(SAMPLE_LENGTH).toString('base64'))],
    ['deflated without a header', false, deflateRawSync(randomBytes(10_000))],
    ['Brotli', false, brotliCompressSync(randomBytes(10_000))],
    ['gzip', false, Buffer.concat([gzipSync(text).subarray(0, 20), text])],
    ['Zstandard', false, Buffer.concat([zstdCompressSync(text).subarray(0, 8), text])],
    ['JPEG with a long comment', false, startsWith('ffd8ffe1')],
    ['PNG', false, startsWith('89504e470d0a1a0a')],
    ['zip, .docx, .xlsx, .odt', false, startsWith('504b0304')],
    ['MP4', false, startsWith('0000001866747970')],
    ['WebP', false, startsWith('524946460000000057454250')],
    ['WAV, also RIFF', true, startsWith('524946460000000057415645')],
  ] as const) {
    assert.equal(shouldDeflate(head), deflate, what);
  }
});

test('a tenth, with what the entry costs besides, is the limit', () => {
  // Random bytes and a run of zeros: the share of zeros is what deflate saves.
  const mixed = (zeros: number): Buffer =>
    Buffer.concat([randomBytes(SAMPLE_LENGTH - zeros), Buffer.alloc(zeros)]);
  assert.equal(shouldDeflate(mixed(Math.floor(SAMPLE_LENGTH * 0.09))), false);
  assert.equal(shouldDeflate(mixed(Math.floor(SAMPLE_LENGTH * 0.12))), true);
});

test('the files of a real filestore', async () => {
  const zip = readFileSync(new URL('../../fixtures/odoo14_standard.zip', import.meta.url));
  const { entries } = await readDirectory({
    size: zip.length,
    read: async (offset, length) => zip.subarray(offset, offset + length),
  });
  let [stored, deflated, wasted, lost] = [0, 0, 0, 0];
  for (const entry of entries()) {
    if (!entry.name.startsWith('filestore/') || entry.size === 0) continue;
    const start =
      entry.offset + 30 + zip.readUInt16LE(entry.offset + 26) + zip.readUInt16LE(entry.offset + 28);
    const data = zip.subarray(start, start + entry.compressedSize);
    const content = entry.method === 8 ? inflateRawSync(data) : data;
    const ratio = deflateRawSync(content, { level: 6 }).length / content.length;
    if (shouldDeflate(content.subarray(0, SAMPLE_LENGTH))) {
      deflated += 1;
      if (ratio > 0.95) wasted += 1;
    } else {
      stored += 1;
      if (ratio < 0.8) lost += 1;
    }
  }
  assert.equal(stored + deflated, 205);
  assert.ok(deflated > 0 && stored > 0);
  assert.equal(wasted, 0, 'deflated for nothing');
  assert.equal(lost, 0, 'stored, but would have shrunk by a fifth');
});
