import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchiveSummary } from '../../src/archive/writer.ts';
import { SerialWriter } from './serial-writer.ts';

/** Lists an archive with Python's zipfile, as Odoo's restore opens it: names with the SHA-1 of what is inside. */
export const listWithPython = `
import hashlib, json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
def sha1(info):
    digest = hashlib.sha1()
    with archive.open(info) as content:
        while piece := content.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
wanted = sys.argv[2:] or archive.namelist()
print(json.dumps({name: [archive.getinfo(name).file_size, sha1(archive.getinfo(name)), archive.getinfo(name).date_time] for name in wanted}))
`;

/** Writes to a file, leaving holes for zeros: four gigabytes take no space on the disk. */
export async function writeTo(
  path: string,
  add: (writer: SerialWriter) => Promise<void>,
): Promise<ArchiveSummary> {
  await using file = await open(path, 'w');
  await using writer = new SerialWriter({ level: 1 });
  let at = 0;
  const sparse = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const offset = at;
      at += chunk.length;
      if (chunk.indexOf(zeros.subarray(0, chunk.length)) === 0) done();
      else file.write(chunk, 0, chunk.length, offset).then(() => done(), done);
    },
  });
  const written = pipeline(writer.output, sparse);
  const [summary] = await Promise.all([add(writer).then(() => writer.finish()), written]);
  await file.truncate(at);
  return summary;
}

/** A zip with one segment, of these contents by their names. */
export async function zipOf(contents: Readonly<Record<string, Buffer>>, deflate: boolean): Promise<Buffer> {
  const writer = new SerialWriter({ level: 1 });
  const output = writer.output.toArray();
  await writer.begin('filestore');
  for (const [name, content] of Object.entries(contents)) {
    await writer.add(name, content, { deflate, modified: new Date() });
  }
  await writer.finish();
  return Buffer.concat(await output);
}

// Of a period that no size of a piece is a multiple of.
const NOISE = Buffer.alloc(20 * 2 ** 20, createHash('shake256', { outputLength: 2 ** 20 + 7 }).digest());

/** Up to 20 MiB that do not compress. */
export const noise = (length: number): Buffer => NOISE.subarray(0, length);

export const zeros = Buffer.alloc(4 * 2 ** 20);

export function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}
