import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { CopiedUnit } from '../../src/archive/reuse.ts';
import { verifyUpload } from '../../src/backup/verify-upload.ts';
import { CopyError } from '../../src/s3/server-copy.ts';
import type { Uploaded } from '../../src/s3/upload.ts';
import { bytesOf, MiB, send, tool } from '../support/test-bucket.ts';
import type { Answer, Check, Probe } from './check.ts';

type Range = readonly [offset: number, length: number];

const base = bytesOf(20 * MiB);
/** What is sent behind the copies. */
const fresh = bytesOf(MiB);

/** How the next backup takes over what S3 has already. */
export const copying: readonly Check[] = [
  {
    id: 'copy',
    title: 'copies parts of an object into another (UploadPartCopy)',
    uses: 'a backup sends only what the one before lacks',
    otherwise: 'every backup sends everything; the server is asked once, and the receipt remembers',
    run: (probe) => copies(probe, 'copy', [0, 8 * MiB], [8 * MiB, 8 * MiB + 1]),
  },
  {
    id: 'copy-apart',
    title: 'copies parts that are not adjacent',
    uses: 'what belongs to files that are gone is left out',
    otherwise: 'every backup sends everything',
    run: (probe) => copies(probe, 'copy-apart', [MiB, 5 * MiB], [9 * MiB + 3, 6 * MiB + 1]),
  },
  {
    id: 'part-sizes',
    title: 'accepts parts of different sizes',
    uses: 'copies are as long as what there is to copy',
    otherwise: 'every backup sends everything; the server is asked once, and the receipt remembers',
    run: (probe) => copies(probe, 'part-sizes', [0, 5 * MiB], [5 * MiB, 7 * MiB]),
  },
  {
    id: 'copy-md5',
    title: 'reports the MD5 of each copied part as its ETag',
    uses: 'it is compared with the MD5 in the receipt, which proves the copy',
    otherwise: 'copies are read back to prove them, which takes time and traffic',
    async run(probe) {
      const uploaded = await assemble(probe, 'copy-md5', [[MiB, 5 * MiB]]);
      return { holds: uploaded.copied?.proof === 'etag' };
    },
  },
  {
    id: 'copy-if-match',
    title: 'refuses to copy from an object that was replaced in the meantime (If-Match)',
    uses: 'such a backup sends everything',
    otherwise: 'the proof of the copies finds it out, with the same end',
    async run(probe) {
      const other = createHash('md5').update('other bytes').digest('hex');
      try {
        await assemble(probe, 'copy-if-match', [[0, 5 * MiB]], other);
        return { holds: false };
      } catch (error) {
        if (!(error instanceof CopyError) || error.unsupported) throw error;
        return { holds: true };
      }
    },
  },
];

/** These ranges, and fresh bytes behind them, are what the new object holds. */
async function copies(probe: Probe, name: string, ...ranges: readonly Range[]): Promise<Answer> {
  const uploaded = await assemble(probe, name, ranges);
  await verifyUpload(probe.store, uploaded, null, tool);
  const expected = Buffer.concat([...ranges.map(bytesAt), fresh]);
  const object = await probe.store.read(uploaded.key, 0, expected.length);
  return { holds: object.equals(expected) };
}

const bytesAt = ([offset, length]: Range): Buffer => base.subarray(offset, offset + length);

async function assemble(
  { store, key }: Probe,
  name: string,
  ranges: readonly Range[],
  etag?: string,
): Promise<Uploaded> {
  const from = key('base');
  if (!(await store.head(from))) await send(store, from, base);
  let end = 0;
  const units = ranges.map((range): CopiedUnit => {
    const bytes = bytesAt(range);
    const md5 = createHash('md5').update(bytes).digest('hex');
    const [offset, length] = range;
    end += length;
    return { unit: { offset, length, md5, crc32: crc32(bytes) }, offset: end - length };
  });
  const front = { key: from, etag: etag ?? (await store.head(from))?.etag, copies: units };
  return send(store, key(name), fresh, { front });
}
